package app

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/report"
)

// pushed pushes the file to a Controller with these faults, and returns the run.
func pushed(t testing.TB, env Env, text string) int64 {
	t.Helper()
	path := t.TempDir() + "/people.csv"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var run int64
	err := Push(t.Context(), t.Context(), env, []string{path}, func(r report.Receipt) error {
		run = r.Run
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestResultsByTab(t *testing.T) {
	env := newEnv(t, "--sandbox", "--rate", "0")
	var b strings.Builder
	b.WriteString("unique_id,login_source,first_name,last_name,email\n")
	for i := range 300 {
		fmt.Fprintf(&b, "%d,SSO,Ann,Lee,p%d@example.ca\n", 900000+i, i)
	}
	b.WriteString(",SSO,No,Id,x@example.ca\n900000,SSO,Ann,Lee,p0@example.ca\n")
	id := pushed(t, env, b.String())
	for _, tc := range []struct {
		tab           ResultTab
		offset, n     int
		count, length int
		first         int // row
	}{
		{ResultsAll, 0, 100, 302, 100, 2},
		{ResultsAll, 300, 100, 302, 2, 302},
		{ResultsPushed, 250, 100, 300, 50, 252},
		{ResultsToFix, 0, 100, 1, 1, 302},
		{ResultsLeft, 0, 100, 1, 1, 303},
		{ResultsAgain, 0, 100, 0, 0, 0},
		{ResultsToFix, 100, 100, 1, 0, 0},
	} {
		page, err := Results(t.Context(), env, id, tc.tab, tc.offset, tc.n)
		if err != nil {
			t.Fatal(err)
		}
		if page.Count(tc.tab) != tc.count || len(page.Rows) != tc.length || page.Counts.Sum() != 302 || page.State != importer.RunFinished {
			t.Errorf("%s from %d: %d of %d, counts %v", tc.tab, tc.offset, len(page.Rows), page.Count(tc.tab), page.Counts)
		} else if tc.length > 0 && page.Rows[0].Row != tc.first {
			t.Errorf("%s from %d begins with row %d, want %d", tc.tab, tc.offset, page.Rows[0].Row, tc.first)
		}
	}
}

// The Controller's own words for each refusal can be had by row.
func TestRefusals(t *testing.T) {
	faults, err := sandbox.ParseFaults("require=city")
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Config{Client: "TOMA", Token: "t", Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	server, err := box.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	token := t.TempDir() + "/token"
	if err := os.WriteFile(token, []byte("t"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := newEnv(t, "--rate", "0", "--url", server.URL, "--client", "TOMA", "--token-file", token)
	id := pushed(t, env, "unique_id,login_source,first_name,last_name,city\n1,SSO,Ann,Lee,Hull\n2,SSO,Bo,Ng,\n")
	refusals, err := Refusals(t.Context(), env, id)
	if err != nil || len(refusals) != 1 || !strings.Contains(refusals[3].Message, "A value is required") {
		t.Errorf("refusals %+v, %v; want one of row 3, in the words of the Controller", refusals, err)
	}
}

func BenchmarkResults(b *testing.B) {
	env := newEnv(b, "--sandbox", "--rate", "0")
	var text strings.Builder
	text.WriteString("unique_id,login_source,first_name,last_name,email\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "%d,SSO,Ann,Lee,p%d@example.ca\n", 900000+i, i)
	}
	id := pushed(b, env, text.String())
	for b.Loop() {
		if _, err := Results(b.Context(), env, id, ResultsAll, 99_900, 100); err != nil {
			b.Fatal(err)
		}
	}
}
