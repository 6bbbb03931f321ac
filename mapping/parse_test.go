package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// ignoreLines compares mappings by what they say, not by where they say it.
var ignoreLines = cmp.Options{
	cmpopts.IgnoreFields(File{}, "Name"),
	cmpopts.IgnoreFields(Field{}, "Line"),
	cmpopts.IgnoreFields(ValuePair{}, "Line"),
	cmpopts.IgnoreTypes(Lines{}),
}

const wholeFile = `# everything that a mapping file can say
version: 1
source:
  sheet: Students
  header_row: 3
  where: 'Status in ["AS", "RE"]'
  headers: [Banner ID, "Last Name", 01234, yes, ""]
fields:
  unique_id: Banner ID
  login_source: {value: SSO}
  first_name: {column: [Preferred Name, First Name]}
  last_name: 0123
  email: {column: E-mail, apply: [lower, "pad:9"]}
  date_of_birth: {column: DOB, date: DD/MM/YYYY, required: true}
  state: {column: State/Province, apply: province}
  user_type_id: {column: Class, values: {FT: Full Time Student, PT: "9", 1: yes, NO: ''}, otherwise: error}
  street:
    expr: >-
      trim(col("Addr 1")
      + " " + col("Addr 2"))
  phone_cell: {column: Cell, blank: clear, default: 007}
  city: {value: ''}
`

func TestParseWhole(t *testing.T) {
	got, err := Parse("students.mapping.yaml", []byte(wholeFile))
	if err != nil {
		t.Fatal(err)
	}
	sso, blank := "SSO", ""
	want := &File{
		Name: "students.mapping.yaml",
		Source: SourceSection{
			Sheet: "Students", HeaderRow: 3, Where: `Status in ["AS", "RE"]`,
			Headers: []string{"Banner ID", "Last Name", "01234", "yes", ""},
			Lines:   Lines{"sheet": 4, "header_row": 5, "where": 6, "headers": 7},
		},
		Fields: []Field{
			{Attribute: UniqueID, Line: 9, Columns: []string{"Banner ID"}, Lines: Lines{"column": 9}},
			{Attribute: LoginSource, Line: 10, Value: &sso, Lines: Lines{"value": 10}},
			{Attribute: FirstName, Line: 11, Columns: []string{"Preferred Name", "First Name"}, Lines: Lines{"column": 11}},
			{Attribute: LastName, Line: 12, Columns: []string{"0123"}, Lines: Lines{"column": 12}},
			{Attribute: Email, Line: 13, Columns: []string{"E-mail"}, Apply: []string{"lower", "pad:9"}, Lines: Lines{"column": 13, "apply": 13}},
			{Attribute: DateOfBirth, Line: 14, Columns: []string{"DOB"}, Date: "DD/MM/YYYY", Required: true, Lines: Lines{"column": 14, "date": 14, "required": 14}},
			{Attribute: Province, Line: 15, Columns: []string{"State/Province"}, Apply: []string{"province"}, Lines: Lines{"column": 15, "apply": 15}},
			{
				Attribute: UserTypeID, Line: 16, Columns: []string{"Class"},
				Values:    []ValuePair{{"FT", "Full Time Student", 16}, {"PT", "9", 16}, {"1", "yes", 16}, {"NO", "", 16}},
				Otherwise: "error", Lines: Lines{"column": 16, "values": 16, "otherwise": 16},
			},
			{Attribute: Street, Line: 17, Expr: `trim(col("Addr 1") + " " + col("Addr 2"))`, Lines: Lines{"expr": 18}},
			{Attribute: CellPhone, Line: 21, Columns: []string{"Cell"}, Blank: "clear", Default: "007", Lines: Lines{"column": 21, "blank": 21, "default": 21}},
			{Attribute: City, Line: 22, Value: &blank, Lines: Lines{"value": 22}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse differs (-want +got):\n%s", diff)
	}
}

func TestParseMistakes(t *testing.T) {
	const top = "version: 1\nfields:\n"
	for _, tc := range []struct {
		name, text string
		want       []string // the errors, without the file's name
	}{
		{"empty", "", []string{": the file is empty"}},
		{"only a comment", "# nothing\n", []string{": the file is empty"}},
		{"no version", "fields: {email: E-mail}\n", []string{":1: version: the version is missing"}},
		{"newer", "version: 2\nnews: 1\n", []string{":1: version: the file has version 2, and this program reads version 1"}},
		{"no number", "version: one\nfields: {email: E-mail}\n", []string{`:1: version: there is no version "one"`}},
		{"no fields", "version: 1\n", []string{":1: fields: the section is missing"}},
		{"fields empty", "version: 1\nfields: {}\n", []string{":2: fields: no attribute is given"}},
		{"fields blank", "version: 1\nfields:\n", []string{":2: fields: lines such as"}},
		{"a list", "- version: 1\n", []string{":1: lines such as"}},
		{"unknown section", "version: 1\nfeilds: {}\n", []string{":1: fields: the section is missing", `:2: there is no key "feilds" here; the nearest is "fields"`}},
		{"unknown source key", "version: 1\nsource: {headrow: 1, sheat: A}\nfields: {email: A}\n", []string{
			`:2: source: there is no key "headrow" here; the nearest is "header_row"`,
			`:2: source: there is no key "sheat" here; the nearest is "sheet"`,
		}},
		{"bad header row", "version: 1\nsource: {header_row: 0}\nfields: {email: A}\n", []string{`:2: source.header_row: "0" is not a row number`}},
		{"bad delimiter", "version: 1\nsource: {delimiter: dots}\nfields: {email: A}\n", []string{`:2: source.delimiter: "dots" is not a delimiter`}},
		{"headers no list", "version: 1\nsource: {headers: Banner ID}\nfields: {email: A}\n", []string{":2: source.headers: a list is expected"}},
		{"unknown attribute", top + "  frist_name: First\n", []string{`:3: fields: "frist_name" is not an attribute of a profile; the nearest is "first_name"`}},
		{"label for a name", top + "  First Name: First\n", []string{`:3: fields: "First Name" is not an attribute of a profile; the nearest is "first_name"`}},
		{"far attribute", top + "  horoscope: Sign\n", []string{`:3: fields: "horoscope" is not an attribute of a profile; ` + "`opscom-import fields` lists them"}},
		{"attribute twice", top + "  email: A\n  email: B\n", []string{`:4: fields: "email" is here twice, first in line 3`}},
		{"attribute by two names", top + "  province: A\n  state: B\n", []string{":4: state: line 3 gives the same attribute under the name province"}},
		{"two sources", top + "  email:\n    column: A\n    value: B\n", []string{":5: email: both column and value are given"}},
		{"no source", top + "  email: {apply: lower}\n", []string{":3: email: nothing says where the value comes from; add column"}},
		{"nothing", top + "  email:\n", []string{":3: email: nothing says where the value comes from; write a column's name"}},
		{"bare list", top + "  email: [A, B]\n", []string{":3: email: for several columns write {column:"}},
		{"unknown key", top + "  email: {colum: A}\n", []string{
			`:3: email: there is no key "colum" here; the nearest is "column"`,
			":3: email: nothing says where the value comes from",
		}},
		{"blank column", top + "  email: {column: ' '}\n", []string{":3: email.column: it is blank"}},
		{"column section", top + "  email: {column: {a: b}}\n", []string{":3: email.column: a single text is expected"}},
		{"empty list", top + "  email: {column: []}\n", []string{":3: email.column: a list is expected"}},
		{"column twice", top + "  email: {column: [A, A]}\n", []string{`:3: email.column: the column "A" is in the list twice`}},
		{"required yes", top + "  email: {column: A, required: yes}\n", []string{`:3: email.required: "yes" is not understood; write true or false`}},
		{"blank what", top + "  email: {column: A, blank: keep}\n", []string{`:3: email.blank: "keep" is not understood; write omit, clear or error`}},
		{"values list", top + "  email: {column: A, values: [a]}\n", []string{":3: email.values: lines such as"}},
		{"values none", top + "  email: {column: A, values: {}}\n", []string{":3: email.values: no value is given"}},
		{"values twice", top + "  email:\n    column: A\n    values:\n      FT: 1\n      FT: 2\n", []string{`:7: email.values: "FT" is here twice, first in line 6`}},
		{"values to nothing", top + "  email: {column: A, values: {FT: }}\n", []string{`:3: email.values: nothing says what "FT" becomes`}},
		{"values from blank", top + "  email: {column: A, values: {'': x}}\n", []string{":3: email.values: a blank cell is not looked up"}},
		{"otherwise alone", top + "  email: {column: A, otherwise: keep}\n", []string{":3: email.otherwise: it is for values that"}},
		{"otherwise blank", top + "  email: {column: A, values: {a: b}, otherwise: ''}\n", []string{":3: email.otherwise: write error, keep, blank or a value"}},
		{"alias", top + "  email: &a A\n  city: *a\n", []string{":4: city: *a refers to another place"}},
		{"tag", top + "  email: !!binary QQ==\n", []string{":3: email: a text cannot begin with !"}},
		{"strange key", "version: 1\nfields:\n  ? [a]\n  : b\n", []string{":3: fields: a single text is expected"}},
		{"several", top + "  emial: A\nsource: {sheat: B}\nversions: 2\n", []string{
			`:3: fields: "emial"`, `:4: source: there is no key "sheat"`, `:5: there is no key "versions"`,
		}},
		{"two documents", top + "  email: A\n---\nversion: 1\n", []string{":4: a second document begins here"}},
		{"open quote", top + "  email: \"A\n  city: B\n", []string{":3: the quote that opens here is never closed"}},
		{"open list", top + "  email: {column: [A, B}\n  city: B\n", []string{":3: the list that opens here"}},
		{"open section", top + "  email: {column: A\n  city: B\n", []string{":3: what opens here with {"}},
		{"second colon", top + "  email: Mail: private\n", []string{":3: the line has a second colon"}},
		{"tab", top + "\temail: A\n", []string{":3: the line begins with a tab"}},
		{"at", top + "  email: @mail\n", []string{":3: the line begins with a tab, or a text begins with"}},
		{"quote in quotes", top + "  email: 'Student's mail'\n", []string{":3: the line is not aligned"}},
		{"star", top + "  email: *mail\n", []string{":3: a text cannot begin with *"}},
		{"latin-1", top + "  first_name: Pr\xe9nom\n", []string{":3: the file is not plain text in UTF-8"}},
		{"a workbook", "PK\x03\x04", []string{":1: the file is not plain text"}},
		{"too large", strings.Repeat("#\n", maxFileBytes), []string{": the file is larger than 1 MiB"}},
		{"deep", strings.Repeat("[", 100_000), []string{":1: there are more than 20 levels"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := Parse("x.yaml", []byte(tc.text))
			if f != nil || err == nil {
				t.Fatalf("Parse = %v, %v; want an error", f, err)
			}
			var first *FileError
			if !errors.As(err, &first) {
				t.Errorf("no *FileError in %T", err)
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(tc.want) {
				t.Fatalf("%d errors, want %d:\n%v", len(got), len(tc.want), err)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(got[i], "x.yaml"+want) {
					t.Errorf("error %d is\n%s\nwant\nx.yaml%s…", i+1, got[i], want)
				}
			}
		})
	}
}

func TestFormat(t *testing.T) {
	f, err := Parse("x.yaml", []byte(wholeFile))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Format()
	if err != nil {
		t.Fatal(err)
	}
	const want = `version: 1
source:
  sheet: Students
  header_row: 3
  where: Status in ["AS", "RE"]
  headers: [Banner ID, Last Name, '01234', 'yes', '']
fields:
  unique_id: Banner ID
  login_source: {value: SSO}
  first_name: {column: [Preferred Name, First Name]}
  last_name: '0123'
  email: {column: E-mail, apply: [lower, 'pad:9']}
  date_of_birth: {column: DOB, date: DD/MM/YYYY, required: true}
  province: {column: State/Province, apply: [province]}
  user_type_id:
    column: Class
    values:
      FT: Full Time Student
      PT: '9'
      '1': 'yes'
      'NO': ''
    otherwise: error
  street: {expr: trim(col("Addr 1") + " " + col("Addr 2"))}
  phone_cell: {column: Cell, default: '007', blank: clear}
  city: {value: ''}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Format differs (-want +got):\n%s", diff)
	}
}

// How a file is read is written as it was given.
func TestFormatSource(t *testing.T) {
	for _, tc := range []struct {
		source SourceSection
		want   string
	}{
		{SourceSection{NoHeader: true}, "  header_row: none\n"},
		{SourceSection{Delimiter: ';', Encoding: "windows-1252"}, "  delimiter: semicolon\n  encoding: windows-1252\n"},
		{SourceSection{Delimiter: '\t'}, "  delimiter: tab\n"},
		{SourceSection{Delimiter: ' '}, "  delimiter: space\n"},
		{SourceSection{Delimiter: '#'}, "  delimiter: '#'\n"},
	} {
		f := &File{Source: tc.source, Fields: []Field{{Attribute: Email, Columns: []string{"Column B"}}}}
		text, err := f.Format()
		if err != nil {
			t.Fatal(err)
		}
		if want := "version: 1\nsource:\n" + tc.want + "fields:\n  email: Column B\n"; string(text) != want {
			t.Errorf("%+v is written as\n%swant\n%s", tc.source, text, want)
		}
		again, err := Parse("x.yaml", text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, again, ignoreLines); diff != "" {
			t.Errorf("written and read again, it differs:\n%s", diff)
		}
	}
}

// FuzzParse: nothing makes Parse panic, and what it takes can be written and
// read again without a change.
func FuzzParse(f *testing.F) {
	f.Add([]byte(wholeFile))
	f.Add([]byte("version: 1\nfields: {email: \"\\x7f\\u0080\\ufffe\\ufeff\\uffff\\U0001f600 \\t\"}\n"))
	f.Add([]byte("version: 1\nfields: {email: \"a\\u2028b\\u0085\\0\"}\n"))
	f.Add([]byte("version: 1\nfields:\n  email: |\n    # a\n\n     b: c\n  city: {column: [? , - ], values: {a: b}}\n"))
	f.Add([]byte("version: 1\nfields: {email: &a A, city: *a}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Parse("x.yaml", data)
		if err != nil {
			return
		}
		text, err := first.Format()
		if err != nil {
			t.Fatalf("cannot write %+v: %v", first, err)
		}
		second, err := Parse("x.yaml", text)
		if err != nil {
			t.Fatalf("cannot read what was written:\n%s\n%v", text, err)
		}
		if diff := cmp.Diff(first, second, ignoreLines); diff != "" {
			t.Fatalf("written and read again, it differs:\n%s\n%s", diff, text)
		}
	})
}
