package report

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
)

func leaverResults() []importer.Result {
	return []importer.Result{
		{Row: 2, UniqueID: "1", LoginSource: "SSO", Status: importer.StatusPushed, ReferenceID: "41"},
		{Row: 3, UniqueID: "=2", LoginSource: "SSO", Status: importer.StatusPushed, ReferenceID: "42", Leaver: true},
		{Row: 4, UniqueID: "3", LoginSource: "SSO", Status: importer.StatusRejected, ErrorCode: "9017", Message: "no name", Leaver: true},
		{Row: 5, UniqueID: "4", LoginSource: "SSO", Status: importer.StatusLeaver, Leaver: true, Problems: []importer.RowProblem{{Problem: mapping.Problem{Message: "Not pushed.", Advice: "Look."}}}},
		{Row: 6, Status: importer.StatusLeaver, Leaver: true}, // whose id is not kept
	}
}

func TestWriteLeavers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.leavers.csv")
	n, err := WriteLeavers(To(path, nil), yielding(leaverResults(), nil))
	got, readErr := os.ReadFile(path)
	const want = bom + "unique_id,login_source,reference_id,result_row,status,error_code,message\r\n" +
		"'=2,SSO,42,3,pushed,,\r\n3,SSO,,4,rejected,9017,no name\r\n4,SSO,,5,leaver,,Not pushed. Look.\r\n"
	if err := errors.Join(err, readErr); err != nil || n != 3 || string(got) != want {
		t.Errorf("%d leavers, %v\n%s", n, err, got)
	}
	if kind := Recognize(path); kind != KindLeavers {
		t.Errorf("it is recognized as %q", kind)
	}
	if err := To(path, nil).CanWrite(KindResults); err == nil || !strings.Contains(err.Error(), "is not a results file of this program") {
		t.Errorf("results may replace it: %v", err)
	}
	broken := errors.New("broken")
	if _, err := WriteLeavers(To(path, nil), yielding(leaverResults(), broken)); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if n, err := WriteLeavers(To(path, nil), yielding(leaverResults()[:1], nil)); n != 0 || err != nil {
		t.Errorf("%d leavers, %v", n, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the list of an earlier run is still there: %v", err)
	}
}

func TestLeaversInWords(t *testing.T) {
	compared := importer.Leavers{Mode: "report", Run: 11, At: time.Date(2026, 11, 28, 4, 15, 9, 0, time.UTC), Source: "/srv/students.csv", People: 1200, Found: 12}
	for want, change := range map[string]func(*importer.Leavers){
		"Leavers are NOT looked for: there is no earlier run of this file.": func(l *importer.Leavers) {
			*l = importer.Leavers{Why: "there is no earlier run of this file"}
		},
		"Leavers: 12 of the 1,200 people of run 11 (students.csv, 2026-11-28 04:15) are not in this file.":                             func(*importer.Leavers) {},
		"Leavers: 0 of the 1 person of run 11 (standard input, 2026-11-28 04:15) are not in this file.":                                func(l *importer.Leavers) { l.Found, l.People, l.Source, l.Why = 0, 1, "-", "x" },
		"Leavers: 12 of the 1,200 people of run 11 (students.csv, 2026-11-28 04:15) are not in this file. Perhaps fewer have left: x.": func(l *importer.Leavers) { l.Why = "x" },
		"Leavers: 12 of the 1,200 people of run 11 (students.csv, 2026-11-28 04:15) are not in this file. They are not pushed: x.":     func(l *importer.Leavers) { l.Why, l.UserType = "x", "7" },
		"Leavers: 12 of the 1,200 people of run 11 (students.csv, 2026-11-28 04:15) are not in this file. They get the user type 7. 2 of these may be in the file under another ID or login source, and are not pushed. The ids of 3 are not kept (keep_keys), so that they are only counted.": func(l *importer.Leavers) {
			l.UserType, l.Sent, l.Alike, l.Unnamed = "7", 7, 2, 3
		},
		"Leavers: 12 of the 1,200 people of run 11 (students.csv, 2026-11-28 04:15) are not in this file. They get the user type 7.": func(l *importer.Leavers) { l.UserType, l.Sent = "7", 12 },
	} {
		l := compared
		change(&l)
		if got := LeaversInWords(&l, time.UTC); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Rows that are not in the file are counted by status, and apart from its rows.
func TestReceiptWithLeavers(t *testing.T) {
	r := Receipt{
		Command: "push", Run: 3, File: "a.csv", Target: "the sandbox", Rows: 3,
		Counts:  importer.Counts{importer.StatusPushed: 4, importer.StatusLeaver: 1},
		Leavers: &importer.Leavers{Mode: "type:Alumni", UserType: "7", Run: 2, At: time.Unix(0, 0), Source: "/x/b.csv", People: 5, Found: 2, Sent: 1},
		Reports: importer.Reports{Leavers: "a.leavers.csv"},
	}
	var text, line bytes.Buffer
	if err := errors.Join(r.WriteText(&text, Style{}), r.WriteJSON(&line)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  4  pushed  accepted", "  1  leaver  in the last complete run, and not in this file; not sent", "  3  rows read, and 2 leavers\n",
		"\nLeavers: 2 of the 5 people of run 2 (b.csv, ", "\nEach leaver: a.leavers.csv\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the receipt lacks %q:\n%s", want, text.String())
		}
	}
	const want = `"leavers":{"mode":"type:Alumni","user_type":"7","run":2,"at":"1970-01-01T00:00:00Z","people":5,"found":2,"sent":1,"why":""},"leavers_file":"a.leavers.csv","exit":0}`
	if !strings.HasSuffix(line.String(), want+"\n") {
		t.Errorf("JSON %s", line.String())
	}
	r.Leavers = &importer.Leavers{Mode: "report", Why: "none"}
	if err := r.Check(); !errors.Is(err, ErrReceipt) {
		t.Errorf("two rows too many: %v", err)
	}
	line.Reset()
	if err := r.WriteJSON(&line); err != nil || !strings.Contains(line.String(), `"run":0,"at":null,"people":null,"found":null,"sent":null,"why":"none"}`) {
		t.Errorf("without a run: %s, %v", line.String(), err)
	}
}

func TestLeaverListWithoutIDs(t *testing.T) {
	l := LeaverList{Leavers: importer.Leavers{Run: 5, People: 9, Found: 2, Source: "/x/b.csv", At: time.Unix(0, 0)}, File: "a.csv"}
	var text, line, table bytes.Buffer
	if err := errors.Join(l.WriteText(&text), l.WriteJSON(&line), l.WriteCSV(&table)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(text.String()), " "); !strings.HasSuffix(got, "Their ids are not kept: run 5 is forgotten, and keep_keys was not set.") {
		t.Errorf("text %s", got)
	}
	if !strings.Contains(line.String(), `"found":2,"why":"","leavers":null}`) {
		t.Errorf("JSON %s", line.String())
	}
	if err := l.WriteText(&fullDisk{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v", err)
	}
}
