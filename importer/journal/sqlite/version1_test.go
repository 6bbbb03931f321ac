package sqlite

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/importer"
	"opscom-import/mapping"
)

const version1Target = "OC_TEST at http://127.0.0.1:18480"

// openVersion1 opens a journal that the program with version 1 of the schema made:
// run 1 is finished, and run 2 of the changed file was stopped when two rows in a row
// had failed. testdata has it as SQL.
func openVersion1(t *testing.T) *Journal {
	t.Helper()
	dir := t.TempDir()
	version1(t, dir)
	return openTest(t, dir)
}

// version1 makes that journal in the folder.
func version1(t *testing.T, dir string) {
	t.Helper()
	must(t, os.Mkdir(filepath.Join(dir, payloadsName), 0o700))
	text, err := os.ReadFile("testdata/version1/payloads-2.hex")
	must(t, err)
	payloads, err := hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, payloadsName, "2"), payloads, 0o600))
	statements, err := os.ReadFile("testdata/version1/journal.sql")
	must(t, err)
	db, err := sql.Open("sqlite", filepath.Join(dir, databaseName))
	must(t, err)
	_, err = db.Exec(string(statements))
	must(t, err)
	must(t, db.Close())
}

func TestVersion1ResultsAreReadable(t *testing.T) {
	j := openVersion1(t)
	lines := func(id int64) (lines []string, results []importer.Result) {
		r, err := j.run(t.Context(), id)
		must(t, err)
		results = collected(t, r.Results(t.Context()))
		for _, l := range results {
			lines = append(lines, fmt.Sprintf("%d %s %s %q %s %d %s | %s", l.Row, l.UniqueID, l.Status, l.ReferenceID, l.Field, l.Attempts, l.Message, l.Warnings))
		}
		return lines, results
	}
	const (
		contradiction = "Number (column A): The same person has other values in row %d. Keep the right row and delete the others."
		bad           = `7 004 invalid "" email 0 Mail (column C): Email "di at example" is not an e-mail address. Write it as name@example.ca. | `
		cleaned       = `Given (column B): First Name "E\u200bd" held spaces of an unusual kind or characters that nobody can see; it is sent as "Ed".`
		failed        = "No usable answer in 1 attempt: the Controller answered 503 Service Unavailable. Push the row again later: a row that did arrive is only updated."
	)
	first, results := lines(1)
	diff(t, "run 1", first, []string{
		`2 001 pushed "1001"  1  | `, `3 002 pushed "1002"  1  | `, `4 002 duplicate ""  0 The same as row 3. | `,
		`5 003 invalid "" unique_id 0 ` + fmt.Sprintf(contradiction, 6) + " | ", `6 003 invalid "" unique_id 0 ` + fmt.Sprintf(contradiction, 5) + " | ",
		bad, `8 005 pushed "1003"  1  | ` + cleaned, `9 006 skipped ""  0  | `,
	})
	diff(t, "the warning of row 8", results[6].Problems, []importer.RowProblem{{Row: 8, Header: "Given", Problem: mapping.Problem{
		Rule: mapping.RuleCleanedText, Severity: mapping.SeverityWarning, Attribute: mapping.FirstName, Column: 1, Value: "E\u200bd",
		Message: strings.TrimPrefix(cleaned, "Given (column B): "),
	}}})
	second, _ := lines(2)
	diff(t, "run 2", second, []string{
		`2 001 failed ""  1 ` + failed + " | ", `3 002 unchanged "1002"  0  | `, `4 002 duplicate "1002"  0 The same as row 3. | `,
		`5 003 invalid "" unique_id 0 ` + fmt.Sprintf(contradiction, 6) + " | ", `6 003 invalid "" unique_id 0 ` + fmt.Sprintf(contradiction, 5) + " | ",
		bad, `8 005 unchanged "1003"  0  | ` + cleaned, `9 006 skipped ""  0  | `, `10 007 failed ""  1 ` + failed + " | ",
		`11 008 not_sent ""  0 The run was stopped before this row was sent. Go on with the run to send it. | `,
	})
}

// What the Controller accepted follows from the outcomes that version 1 stored, those
// included that nobody had asked for yet.
func TestVersion1AcceptancesAreKept(t *testing.T) {
	j := openVersion1(t)
	digester := importer.NewDigester(j.Salt())
	references := func() map[string]string {
		t.Helper()
		found := map[string]string{}
		for _, id := range []string{"001", "002", "003", "004", "005", "007"} {
			key := digester.Key("SSO", id)
			accepted, err := j.Acceptances().Accepted(t.Context(), version1Target, []importer.Digest{key})
			must(t, err)
			if a, ok := accepted[key]; ok {
				found[id] = a.ReferenceID
			}
		}
		return found
	}
	want := map[string]string{"002": "1002", "005": "1003"} // the last push of 001 failed
	diff(t, "accepted", references(), want)
	stored, err := loadTargets(t.Context(), j.reader, version1Target)
	must(t, err)
	stored[0].foldedTo = 0
	must(t, stored[0].saveFolded(t.Context(), j.writer))
	_, err = j.writer.Exec("DELETE FROM acceptance")
	must(t, err)
	diff(t, "accepted, worked out from the start", references(), want)
}

func TestVersion1RunIsResumed(t *testing.T) {
	j := openVersion1(t)
	must(t, j.Recover(t.Context(), version1Target))
	runs, err := j.Unfinished(t.Context(), version1Target, testSource)
	must(t, err)
	if len(runs) != 1 || runs[0].ID != 2 || runs[0].State != importer.RunStopped {
		t.Fatalf("unfinished: %+v", runs)
	}
	r, err := j.run(t.Context(), 2)
	must(t, err)
	must(t, r.Start(t.Context()))
	jobs, err := r.Claim(t.Context(), 100)
	must(t, err)
	sent := map[int]string{}
	var outcomes []importer.Outcome
	for _, job := range jobs {
		var profile map[string]string
		must(t, json.Unmarshal(job.Payload, &profile))
		sent[job.Row] = profile["unique_id"]
		outcomes = append(outcomes, pushed(job.Row))
	}
	diff(t, "pushed", sent, map[int]string{2: "001", 10: "007", 11: "008"})
	must(t, r.Record(t.Context(), outcomes))
	must(t, r.Finish(t.Context(), testTime))
	counts, attempts, err := r.Counts(t.Context())
	must(t, err)
	diff(t, "counts", counts, importer.Counts{
		importer.StatusPushed: 3, importer.StatusUnchanged: 2, importer.StatusDuplicate: 1, importer.StatusInvalid: 3, importer.StatusSkipped: 1,
	})
	if attempts != 5 {
		t.Errorf("%d attempts, want 5", attempts)
	}
}
