package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping/internal/chars"
)

// today is the day on which the tests' dates of birth are judged.
func today() time.Time { return time.Date(2026, time.September, 1, 12, 0, 0, 0, time.UTC) }

// testOptions is a Controller with a few user types, two of one name.
func testOptions() Options {
	return Options{
		LoginSource:    "SSO",
		UserTypesKnown: true,
		Today:          today(),
		UserTypes: []UserType{
			{ID: "1", Name: "Full Time Student"}, {ID: "2", Name: "Part Time Student"}, {ID: "9", Name: "Staff"},
			{ID: "11", Name: "Visitor"}, {ID: "12", Name: "visitor"},
		},
	}
}

// parseFields reads the fields section of a mapping file, and of a source section
// where one is given.
func parseFields(t testing.TB, source, fields string) *File {
	t.Helper()
	text := "version: 1\n"
	if source != "" {
		text += "source:\n" + indent(source)
	}
	f, err := Parse("students.mapping.yaml", []byte(text+"fields:\n"+indent(fields)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func indent(lines string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(lines), "\n", "\n  ") + "\n"
}

func mustCompile(t testing.TB, f *File, header []string, options Options) *Mapper {
	t.Helper()
	m, err := Compile(f, header, options)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func texts(values ...string) []Cell {
	cells := make([]Cell, len(values))
	for i, v := range values {
		cells[i].Text = v
	}
	return cells
}

// show writes a profile and its problems as a test reads them best.
func show(t testing.TB, r *Result) string {
	t.Helper()
	payload, err := r.Profile.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := string(payload)
	if r.Skipped {
		out += " skipped"
	}
	for _, p := range r.Problems {
		out += fmt.Sprintf("\n%s %s %s %s %q: %s", p.Severity, p.Rule, p.Attribute, ColumnLetter(p.Column), p.Value, p.Text())
	}
	return out
}

func TestMapSteps(t *testing.T) {
	for _, tc := range []struct {
		name, field string
		cells       []Cell // of the columns A, B and C, headed "A", "B B" and "Ç"
		want        string // the profile without its key, and the problems
	}{
		{"short form", `first_name: A`, texts(" Zoë\u00a0"), `"first_name":"Zoë"`},
		{"invisible ends", `first_name: A`, texts("\ufeffZoë\u200b"), `"first_name":"Zoë"`},
		{"short row", `first_name: C`, nil, ``},
		{"first that is not blank", `first_name: {column: [A, b_b]}`, texts(" ", "Ann"), `"first_name":"Ann"`},
		{"first of two", `first_name: {column: [A, B B]}`, texts("Zoë", "Ann"), `"first_name":"Zoë"`},
		{"all blank", `first_name: {column: [A, B B]}`, texts("", " "), ``},
		{"constant", `city: {value: " Ottawa "}`, nil, `"city":"Ottawa"`},
		{"constant is validated", `province: {value: Québec}`, nil, `"province":"QC"`},
		{"blank constant", `city: {value: ""}`, nil, ``},
		{"cleared constant", `city: {value: "", blank: clear}`, nil, `"city":""`},
		{"expression", `street: {expr: 'trim(A + " " + col("B B"))'}`, texts(" 12 Main ", "Apt 3"), `"street":"12 Main Apt 3"`},
		{"number from expression", `street: {expr: 'int(A) * 1000000000000'}`, texts("12"), `"street":"12000000000000"`},
		{"fraction from expression", `street: {expr: 'float(A) / 4'}`, texts("1"), `"street":"0.25"`},
		{"apply in order", `city: {column: A, apply: [digits, "pad:5"]}`, texts("A-12"), `"city":"00012"`},
		{"apply leaves nothing", `city: {column: A, apply: [digits, "pad:5"], default: none}`, texts("Hull"), `"city":"none"`},
		{"values", `city: {column: A, values: {OTT: Ottawa}}`, texts(" OTT "), `"city":"Ottawa"`},
		{"values in any case", `city: {column: A, values: {OTT: Ottawa}}`, texts("ott"), `"city":"Ottawa"`},
		{"the exact value comes first", `city: {column: A, values: {OTT: Ottawa, ott: Ottawa}}`, texts("ott"), `"city":"Ottawa"`},
		{"values after apply", `city: {column: A, apply: [digits], values: {"1": Ottawa}}`, texts("no. 1"), `"city":"Ottawa"`},
		{"values leave a blank alone", `city: {column: A, values: {OTT: Ottawa}}`, texts(""), ``},
		{"unknown value", `city: {column: A, values: {OTTAWA: Ottawa}}`, texts("OTTOWA"),
			"\n" + `error unknown_value city A "OTTOWA": City "OTTOWA" is not one of the values in the mapping; the nearest is "OTTAWA". Correct the cell, or add the value to the mapping.`},
		{"otherwise keep", `city: {column: A, values: {OTT: Ottawa}, otherwise: keep}`, texts("Hull"), `"city":"Hull"`},
		{"otherwise blank", `city: {column: A, values: {OTT: Ottawa}, otherwise: blank, default: Elsewhere}`, texts("Hull"), `"city":"Elsewhere"`},
		{"otherwise a value", `city: {column: A, values: {OTT: Ottawa}, otherwise: Elsewhere}`, texts("Hull"), `"city":"Elsewhere"`},
		{"value becomes blank", `city: {column: A, values: {OTT: ""}, default: Elsewhere}`, texts("OTT"), `"city":"Elsewhere"`},
		{"default", `city: {column: A, default: Ottawa}`, texts(""), `"city":"Ottawa"`},
		{"blank omitted", `city: {column: A, blank: omit}`, texts(""), ``},
		{"blank cleared", `city: {column: A, blank: clear}`, texts(""), `"city":""`},
		{"blank refused", `city: {column: A, blank: error}`, texts(""), "\n" + `error required city A "": City is blank. Fill in the column "A".`},
		{"required", `city: {column: [A, B B], required: true}`, texts(" "), "\n" + `error required city A " ": City is blank. Fill in the column "A" or the column "B B".`},
		{"required expression", `city: {expr: 'A + col("B B")', required: true}`, nil, "\n" + `error required city  "": City is blank. Fill in the column "A" or the column "B B".`},
		{"number and truth cells", "street: A\nuser_type_id: {column: B B, values: {\"TRUE\": \"1\"}}", []Cell{{"007", NumberCell}, {"TRUE", BoolCell}}, `"street":"007","user_type_id":"1"`},
		{"error cell", `city: A`, []Cell{{"#N/A", ErrorCell}},
			"\n" + `error cell_error city A "#N/A": The cell for City shows the error "#N/A". Fix its formula, or replace it with the value.`},
		{"error saved as text", `city: A`, []Cell{{Text: " #N/A "}},
			"\n" + `error cell_error city A " #N/A ": The cell for City shows the error " #N/A ". Fix its formula, or replace it with the value.`},
		{"error cell hides nothing", `city: {column: [A, B B]}`, []Cell{{"#REF!", ErrorCell}, {Text: "Ottawa"}},
			"\n" + `error cell_error city A "#REF!": The cell for City shows the error "#REF!". Fix its formula, or replace it with the value.`},
		{"error cell after a good one", `city: {column: [A, B B]}`, []Cell{{Text: "Ottawa"}, {"#REF!", ErrorCell}}, `"city":"Ottawa"`},
		{"unsaved formula", `city: A`, []Cell{{"", NoValueCell}},
			"\n" + `error no_cached_value city A "": The cell for City holds a formula that was saved without its result. Open the file in a spreadsheet program, let it calculate, and save it again.`},
		{"error cell in an expression", `city: {expr: 'A + col("B B")'}`, []Cell{{Text: "x"}, {"#N/A", ErrorCell}},
			"\n" + `error cell_error city B "#N/A": The cell for City shows the error "#N/A". Fix its formula, or replace it with the value.`},
		{"a number that shows more, in an expression", `city: {expr: 'A + "x"'}`, []Cell{{"12", UnclearCell}},
			"\n" + `error damaged_number city A "12": The cell for City shows more than its number "12", in a way that is not known here. Write what the cell shows, in a cell that is formatted as Text.`},
		{"expression fails", `city: {expr: 'string(int(A))'}`, texts("x"),
			"\n" + `error expression_failed city A "x": City cannot be evaluated for this row: invalid operation: int(x). Correct the row, or the expression in the mapping.`},
		{"expression takes too much", `city: {expr: 'repeat(A, 90000)'}`, texts("xx"),
			"\n" + `error expression_failed city A "xx": City cannot be evaluated for this row: memory budget exceeded. Correct the row, or the expression in the mapping.`},
		{"bad date is not a blank", `date_of_birth: {column: A, default: "1990-01-01"}`, texts("soon"),
			"\n" + `error bad_date date_of_birth A "soon": Date of Birth "soon" is not a date. Write it as YYYY-MM-DD.`},
		{"time of day", `date_of_birth: A`, []Cell{{"1998-03-02T05:00:00", DateCell}}, `"date_of_birth":"1998-03-02"` +
			"\n" + `warning bad_date date_of_birth A "1998-03-02T05:00:00": Date of Birth "1998-03-02T05:00:00" has a time of day, which is dropped. Check that the date is not off by one day.`},
		{"warning", `date_of_birth: {value: "1998-03-02 05:00"}`, nil, `"date_of_birth":"1998-03-02"`},
		{"several problems", "province: A\nemail: B B", texts("Zz", "x@y"),
			"\n" + `error bad_email email B "x@y": Email "x@y" is not an e-mail address. Write it as name@example.ca.` +
				"\n" + `error bad_region province A "Zz": Province or State "Zz" is not a province or state of Canada or the USA. Write a postal abbreviation such as ON or NY, or leave the cell blank.`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := mustCompile(t, parseFields(t, "", tc.field+"\nunique_id: {value: u-1}"), []string{"A", "B B", "Ç"}, testOptions())
			var r Result
			m.Map(tc.cells, &r)
			profile, problems, _ := strings.Cut(tc.want, "\n")
			want := `{"unique_id":"u-1","login_source":"SSO"`
			if profile != "" {
				want += "," + profile
			}
			want += "}"
			if problems != "" {
				want += "\n" + problems
			}
			if diff := cmp.Diff(want, show(t, &r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMapWhere(t *testing.T) {
	m := mustCompile(t, parseFields(t, `where: 'Status in ["AS", "RE"] and int(col("Enrol Credits")) > 0'`, "unique_id: ID\nemail: Mail\nlogin_source: {column: Source, default: SSO}"),
		[]string{"ID", "Mail", "Status", "Enrol Credits", "Source"}, testOptions())
	var r Result
	for _, tc := range []struct {
		name  string
		cells []Cell
		want  string
	}{
		{"kept", texts("7", "ann@example.ca", "AS", "3"), `{"unique_id":"7","login_source":"SSO","email":"ann@example.ca"}`},
		{"skipped, named, and not judged", texts("x y", "no address", "WD", "3", "LDAP"), `{"unique_id":"x y","login_source":"LDAP"} skipped`},
		{"cannot be known", texts("7", "ann@example.ca", "AS", ""), `{"unique_id":"7","login_source":"SSO","email":"ann@example.ca"}
error expression_failed   "": The mapping's where cannot be evaluated for this row: invalid operation: int(). Correct the row, or the expression in the mapping.`},
		{"error cell", []Cell{{Text: "7"}, {}, {"#N/A", ErrorCell}, {"3", NumberCell}}, `{"unique_id":"7","login_source":"SSO"}
error cell_error  C "#N/A": The cell for the mapping's where shows the error "#N/A". Fix its formula, or replace it with the value.`},
	} {
		m.Map(tc.cells, &r)
		if diff := cmp.Diff(tc.want, show(t, &r)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// TestMapForgets maps a full row, then a blank one into the same result.
func TestMapForgets(t *testing.T) {
	m := mustCompile(t, parseFields(t, "where: 'A != \"skip\"'", "unique_id: A\ncity: B"), []string{"A", "B"}, testOptions())
	var r Result
	m.Map(texts("skip", "Ottawa"), &r)
	m.Map(texts("a b", "Ottawa"), &r)
	m.Map(texts("7"), &r)
	if got, want := show(t, &r), `{"unique_id":"7","login_source":"SSO"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// BenchmarkMap maps ten plain columns of a table of 27.
func BenchmarkMap(b *testing.B) {
	header, row := benchmarkTable()
	f := parseFields(b, "", `
unique_id: Banner ID
first_name: First Name
last_name: Last Name
email: E-mail
street: Street
city: City
province: Province
postal_code: Postal Code
phone_cell: Cell
date_of_birth: DOB`)
	m := mustCompile(b, f, header, testOptions())
	var r Result
	b.ReportAllocs()
	for b.Loop() {
		m.Map(row, &r)
	}
	if len(r.Problems) > 0 {
		b.Fatal(show(b, &r))
	}
}

// BenchmarkMapSteps maps ten columns that all need work.
func BenchmarkMapSteps(b *testing.B) {
	header, row := benchmarkTable()
	f := parseFields(b, `where: 'Status in ["AS", "RE"]'`, `
unique_id: {column: Banner ID, apply: ["pad:9"]}
first_name: {column: [Preferred, First Name], apply: [title]}
last_name: {column: Last Name, apply: [title]}
email: {column: E-mail, apply: [lower]}
street: {expr: 'trim(Street + " " + col("Banner ID"))'}
city: {column: City, apply: [title]}
province: {column: Country, apply: [province]}
postal_code: {column: Postal Code, apply: [postal_code]}
user_type_id: {column: Status, values: {AS: Full Time Student}}
date_of_birth: {column: Birth, date: DD/MM/YYYY}`)
	m := mustCompile(b, f, header, testOptions())
	var r Result
	b.ReportAllocs()
	for b.Loop() {
		m.Map(row, &r)
	}
	if len(r.Problems) > 0 {
		b.Fatal(show(b, &r))
	}
}

// BenchmarkMapPhone maps one phone number through the phone library.
func BenchmarkMapPhone(b *testing.B) {
	m := mustCompile(b, parseFields(b, "", "unique_id: {value: u-1}\nphone_cell: {column: Cell, apply: [phone]}"), []string{"Cell"}, testOptions())
	row := texts("(613) 555-0123")
	var r Result
	b.ReportAllocs()
	for b.Loop() {
		m.Map(row, &r)
	}
}

func benchmarkTable() (header []string, row []Cell) {
	header = []string{"Banner ID", "First Name", "Last Name", "E-mail", "Street", "City", "Province", "Postal Code", "Cell", "DOB", "Status", "Country", "Preferred", "Birth"}
	row = texts("900123456", "Zoë", "BEAULIEU-TREMBLAY", "Zoe.Beaulieu@students.example.ca", "1234 Rue Sainte-Catherine Ouest, app. 12", "montréal", "QC", "H3G1P1", "514-555-0123", "1998-03-02", "AS", "Québec", "", "2/3/1998")
	for len(header) < 27 {
		header = append(header, fmt.Sprint("Extra ", len(header)))
		row = append(row, Cell{Text: "something else"})
	}
	return header, row
}

// FuzzMap puts arbitrary cells through a mapping that has everything, and through
// one that has only columns. Whatever is sent is valid.
func FuzzMap(f *testing.F) {
	header := []string{"A"}
	rich := mustCompile(f, parseFields(f, `where: 'A != "skip"'`, `
unique_id: {column: A, apply: [digits, "pad:9"], default: none}
login_source: {column: A, values: {a: LDAP}, otherwise: SSO}
first_name: {column: A, apply: [title, collapse]}
last_name: {expr: 'upper(A) + (len(A) > 3 ? A[1:3] : "")'}
email: {column: A, apply: [lower]}
city: {column: A, values: {x: y}, otherwise: keep, blank: clear}
province: {column: A, apply: [province]}
postal_code: {column: A, apply: [postal_code]}
phone_cell: {column: A, apply: [phone]}
user_type_id: {column: A, values: {FT: Full Time Student}, otherwise: keep}
date_of_birth: {column: A, date: D-MMM-YY}`), header, testOptions())
	plain := "unique_id: A\nlogin_source: A"
	for _, spec := range Attributes() {
		if !spec.Required {
			plain += "\n" + spec.Attribute.String() + ": A"
		}
	}
	mappers := []*Mapper{rich, mustCompile(f, parseFields(f, "", plain), header, testOptions())}
	for _, text := range []string{"", "skip", "Zoë", "1998-03-02", "2 août 98", "613-555-0123 x12", "k1a0b1", "ann@example.ca", "N.-É.", "\u00a0\ufeff", "a\xffb\n", "VAN DER MCDONALD III"} {
		for kind := TextCell; kind <= NoValueCell; kind++ {
			f.Add(text, uint8(kind))
		}
	}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		var r Result
		for _, m := range mappers {
			m.Map([]Cell{{text, CellKind(kind) % (NoValueCell + 1)}}, &r)
			checkResult(t, &r)
		}
	})
}

// checkResult compares a result with what the Controller's page demands.
func checkResult(t *testing.T, r *Result) {
	t.Helper()
	failed := make(map[Attribute]bool)
	for _, p := range r.Problems {
		if p.Rule == "" || p.Text() == "" || !utf8.ValidString(p.Text()) {
			t.Errorf("problem without a rule, or a message that is not text: %+v", p)
		}
		if !slices.Contains(p.Rule.Spec().Severities, p.Severity) {
			t.Errorf("%s is a %s: %s", p.Rule, p.Severity, p.Text())
		}
		failed[p.Attribute] = failed[p.Attribute] || p.Severity == SeverityError
	}
	if r.Skipped && len(r.Problems) > 0 {
		t.Errorf("a skipped row has problems: %+v", r.Problems)
	}
	for _, spec := range Attributes() {
		value, sent := r.Profile.Get(spec.Attribute)
		switch {
		case !sent && spec.Required && !failed[spec.Attribute] && !r.Skipped:
			t.Errorf("%s is missing, and nothing says so", spec.Attribute)
		case !sent:
			continue
		case failed[spec.Attribute]:
			t.Errorf("%s is sent as %q in spite of an error", spec.Attribute, value)
		case !utf8.ValidString(value) || chars.Trim(value) != value:
			t.Errorf("%s is sent as %q", spec.Attribute, value)
		case spec.MaxChars > 0 && utf8.RuneCountInString(value) > spec.MaxChars:
			t.Errorf("%s is sent as %q, which is too long", spec.Attribute, value)
		case spec.Required && value == "":
			t.Errorf("%s is sent blank", spec.Attribute)
		case spec.Kind == DateKind && newBirthLimits(today()).check("", value) != nil:
			t.Errorf("%s is sent as %q", spec.Attribute, value)
		}
	}
	if _, err := r.Profile.AppendJSON(nil); err != nil {
		t.Error(err)
	}
}
