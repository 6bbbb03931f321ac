package sheet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDialectsAreFound(t *testing.T) {
	tests := map[string]struct {
		content string
		options Options
		header  []string
		rows    []string
		note    string
	}{
		"semicolons": {
			content: "id;name\n1;Ann\n2;Bob\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann", "3: 2|Bob"}, note: "semicolons",
		},
		"tabs, with commas in prose": {
			content: "id\tname\n1\tTremblay, Ann\n2\tGagnon, Bob\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Tremblay, Ann", "3: 2|Gagnon, Bob"}, note: "tabs",
		},
		"pipes": {
			content: "id|name\n1|Ann\n2|\"B|b\"\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann", "3: 2|B|b"}, note: "pipes",
		},
		"semicolons, with commas in every name and in the header": {
			content: "id;last, first;city\n1;Tremblay, Ann;Hull\n2;Gagnon, Bob;Hull\n",
			header:  []string{"id", "last, first", "city"}, rows: []string{"2: 1|Tremblay, Ann|Hull", "3: 2|Gagnon, Bob|Hull"}, note: "semicolons",
		},
		"semicolons, with decimal commas": {
			content: "id;amount;rate\n1;5,00;0,5\n2;7,25;1,5\n3;8,10;2,5\n",
			header:  []string{"id", "amount", "rate"}, rows: []string{"2: 1|5,00|0,5", "3: 2|7,25|1,5", "4: 3|8,10|2,5"}, note: "semicolons",
		},
		"commas, with semicolons in some cells": {
			content: "id,courses\n1,MAT;PHY\n2,CHM\n3,MAT;CHM\n",
			header:  []string{"id", "courses"}, rows: []string{"2: 1|MAT;PHY", "3: 2|CHM", "4: 3|MAT;CHM"},
		},
		"quoted delimiters do not count": {
			content: "id;name;note\n1;\"a,b,c\";\"x;y\"\n2;\"d,e,f\";z\n",
			header:  []string{"id", "name", "note"}, rows: []string{"2: 1|a,b,c|x;y", "3: 2|d,e,f|z"}, note: "semicolons",
		},
		"a line that names the delimiter": {
			content: "sep=;\r\nid;name\r\n1;Ann\r\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann"}, note: "semicolons",
		},
		"a line that names a rare delimiter, in quotes after a mark": {
			content: "\uFEFF" + "\"SEP=^\"\nid^name\n1^Ann\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann"}, note: `'^'`,
		},
		"a delimiter that was asked for wins over the line that names one": {
			content: "sep=;\nid,name\n1,Ann;Bob\n", options: Options{Delimiter: ','},
			header: []string{"id", "name"}, rows: []string{"2: 1|Ann;Bob"},
		},
		"spaces, with quotes where they are not the delimiter": {
			content: "id name city at\n1 \"Ann Lee\" Hull 10:00\n2 Bob \"Trois Rivières\" 11:00\n",
			header:  []string{"id", "name", "city", "at"}, rows: []string{"2: 1|Ann Lee|Hull|10:00", "3: 2|Bob|Trois Rivières|11:00"}, note: "spaces",
		},
		"a rare delimiter that cuts every row alike": {
			content: "id~name~city~at\n1~Ann, Lee~Hull~10:00\n2~Bob~Laval~11:00\n",
			header:  []string{"id", "name", "city", "at"}, rows: []string{"2: 1|Ann, Lee|Hull|10:00", "3: 2|Bob|Laval|11:00"}, note: "~",
		},
		"a rare sign that does not cut every row alike": {
			content: "id~name~city~at\n1~Ann~Hull~10:00\n2~Bob\n",
			header:  []string{"id~name~city~at"}, rows: []string{"2: 1~Ann~Hull~10:00", "3: 2~Bob"}, note: guessed,
		},
		"commas, with rare signs in every row": {
			content: "id~a~b~c,name\n1~x~y~z,Ann\n2~x~y~z,Bob\n",
			header:  []string{"id~a~b~c", "name"}, rows: []string{"2: 1~x~y~z|Ann", "3: 2~x~y~z|Bob"}, note: guessed,
		},
		"a nickname in quotes": {
			content: "full student name\nRobert \"Bob\" Smith\nAnne \"Nan\" Lee\n",
			header:  []string{"full student name"}, rows: []string{"2: Robert \"Bob\" Smith !bad_quotes", "3: Anne \"Nan\" Lee !bad_quotes"}, note: guessed,
		},
		"words that stand side by side are not cells": {
			content: "the full name said\nAnn of Green Gables\nBob von der Heide\n",
			header:  []string{"the full name said"}, rows: []string{"2: Ann of Green Gables", "3: Bob von der Heide"}, note: "Row 1 was used as the header",
		},
		"spaces after the delimiter": {
			content: "id, name, note\n1, \"Tremblay, Ann\" , x\n2, Bob, \"y\"\n",
			header:  []string{"id", "name", "note"}, rows: []string{"2: 1|Tremblay, Ann|x", "3: 2|Bob|y"}, note: "spaces",
		},
		"single quotes, with apostrophes": {
			content: "id,name,note\n1,'Tremblay, Ann','it''s'\n2,O'Brien,'Men's'\n3,'Cy',''\n",
			header:  []string{"id", "name", "note"}, rows: []string{"2: 1|Tremblay, Ann|it's", "3: 2|O'Brien|Men's", "4: 3|Cy|"}, note: "single quotes",
		},
		"names with apostrophes are not in single quotes": {
			content: "id,name\n1,'t Hooft\n2,O'Brien\n3,D'Arcy\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|'t Hooft", "3: 2|O'Brien", "4: 3|D'Arcy"},
		},
		"backslashes before quotes": {
			content: "id,note\n1,\"a \\\"b\\\", c\"\n2,\"C:\\\\dir\"\n",
			header:  []string{"id", "note"}, rows: []string{"2: 1|a \"b\", c", "3: 2|C:\\dir"}, note: `\"`,
		},
		"a backslash at the end of a quoted value": {
			content: "id,note\n1,\"C:\\\"\n2,\"D:\\\"\n",
			header:  []string{"id", "note"}, rows: []string{"2: 1|C:\\", "3: 2|D:\\"},
		},
		"tabs, and quotes that mean nothing": {
			content: "id\tnote\n1\t5\" pipe\n2\t\"big\" one\n",
			header:  []string{"id", "note"}, rows: []string{"2: 1|5\" pipe", "3: 2|\"big\" one"}, note: "quotes are part",
		},
		"comments": {
			content: "# made by hand\n# it's a test\nid;name\n1;Ann\n# more\n2;Bob\n#3;Cy\n",
			header:  []string{"id", "name"}, rows: []string{"4: 1|Ann", "6: 2|Bob", "7: #3|Cy"}, note: "3 lines that begin with # were treated as comments and skipped, the first in row 1.",
		},
		"LF, CR LF and CR in one file": {
			content: "id,name\n1,Ann\r\n2,Bob\r3,\"C\ry\"\r\n4,Dee\r",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann", "3: 2|Bob", "4: 3|C\ry", "5: 4|Dee"},
		},
		"one column": {
			content: "name\nAnn\nBob\n", options: Options{HeaderRow: 1},
			header: []string{"name"}, rows: []string{"2: Ann", "3: Bob"},
		},
		"a column of prose": {
			content: "note\nwell, yes\nno\nmaybe\nnever\n", options: Options{HeaderRow: 1},
			header: []string{"note"}, rows: []string{"2: well| yes !ragged_row", "3: no", "4: maybe", "5: never"},
		},
		"a first value as long as the sample": {
			content: "id;note\n1;\"" + strings.Repeat("ab\n", firstRows/3) + "\"\n2;b\n3;c\n",
			header:  []string{"id", "note"}, rows: []string{"2: 1|" + strings.Repeat("ab\n", firstRows/3), fmt.Sprintf("%d: 2|b", 3), "4: 3|c"}, note: "semicolons",
		},
		"a header as long as the sample": {
			content: "id;" + strings.Repeat("x", firstRows) + "\n1;a\n", options: Options{HeaderRow: 1},
			header: []string{"id", strings.Repeat("x", firstRows)}, rows: []string{"2: 1|a"}, note: "semicolons",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", tt.content), tt.options)
			if got.err != nil {
				t.Fatal(got.err)
			}
			if diff := cmp.Diff(tt.header, got.header.Names); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.rows, got.rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if notes := strings.Join(got.notes, " "); !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("notes %q do not say %q", notes, tt.note)
			}
		})
	}
}

func TestTiesAreAsked(t *testing.T) {
	path := writeFile(t, "people.csv", "id,code;name\n1,A;Ann\n2,B;Bob\n")
	fe := fileError(t, readFile(t, path, Options{}).err, path)
	for _, want := range []string{"--delimiter comma", "--delimiter semicolon"} {
		if !strings.Contains(fe.Message, want) {
			t.Errorf("%s\ndoes not say %q", fe.Message, want)
		}
	}
	got := readFile(t, path, Options{Delimiter: ';'})
	if diff := cmp.Diff([]string{"2: 1,A|Ann", "3: 2,B|Bob"}, got.rows); got.err != nil || diff != "" {
		t.Errorf("error %v, rows (-want +got):\n%s", got.err, diff)
	}
}
