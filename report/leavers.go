package report

import (
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strconv"
	"time"

	"opscom-import/importer"
)

// leaverLine is one line of the leavers. Its tags are the columns, in order.
type leaverLine struct {
	UniqueID    string `csv:"unique_id"`
	LoginSource string `csv:"login_source"`
	ReferenceID string `csv:"reference_id"`
	Row         int    `csv:"result_row"`
	Status      string `csv:"status"`
	ErrorCode   string `csv:"error_code"`
	Message     string `csv:"message"`
}

func (l leaverLine) appendCells(cells []string) []string {
	return append(cells, l.UniqueID, l.LoginSource, l.ReferenceID, strconv.Itoa(l.Row), l.Status, l.ErrorCode, l.Message)
}

// WriteLeavers writes one line for each leaver among the results whose ids are known, in
// order, and returns their number. A file is written whole, or on any error stays as it
// was; without any leaver a file of an earlier run is removed, and standard output gets the
// header alone.
func WriteLeavers(to Destination, results iter.Seq2[importer.Result, error]) (n int, err error) {
	leavers := func(yield func(importer.Result, error) bool) {
		for r, err := range results {
			if (err != nil || r.Leaver && r.UniqueID != "") && !yield(r, err) {
				return
			}
		}
	}
	return to.writeCounted(KindLeavers, func(w io.Writer) (int, error) {
		return writeCSV(w, leavers, func(r importer.Result) leaverLine {
			return leaverLine{r.UniqueID, r.LoginSource, r.ReferenceID, r.Row, string(r.Status), r.ErrorCode, leaverMessage(&r)}
		})
	})
}

// leaverMessage returns what the Controller said of a leaver, or why the leaver is not pushed.
func leaverMessage(r *importer.Result) string {
	if r.Message != "" || len(r.Problems) == 0 {
		return r.Message
	}
	return r.Problems[0].Text()
}

// andLeavers says how many of the rows that are counted are not in the file.
func (t *receiptText) andLeavers() string {
	if !t.Leavers.Compared() || t.Leavers.Found == 0 {
		return ""
	}
	return ", and " + plural(t.Leavers.Found, "leaver")
}

// addLeavers says whom the file was compared with.
func (t *receiptText) addLeavers() {
	if t.Leavers != nil {
		t.line("\n%s", hang(Printable(LeaversInWords(t.Leavers, time.Local)), 0))
	}
}

// LeaversInWords says in sentences how many people left since when, and what becomes of
// them; or why that is not known. Times are shown in that location.
func LeaversInWords(l *importer.Leavers, at *time.Location) string {
	if !l.Compared() {
		return "Leavers are NOT looked for: " + l.Why + "."
	}
	source := "standard input"
	if l.Source != "-" {
		source = filepath.Base(l.Source)
	}
	text := fmt.Sprintf("Leavers: %s of the %s of run %d (%s, %s) are not in this file.",
		thousands(l.Found), people(l.People), l.Run, source, l.At.In(at).Format(time.DateOnly+" 15:04"))
	switch {
	case l.Found == 0:
	case l.UserType == "" && l.Why != "":
		text += " Perhaps fewer have left: " + l.Why + "."
	case l.Why != "":
		text += " They are not pushed: " + l.Why + "."
	case l.UserType != "":
		text += " They get the user type " + l.UserType + "."
	}
	if l.Alike > 0 {
		text += fmt.Sprintf(" %s of these may be in the file under another ID or login source, and are not pushed.", thousands(l.Alike))
	}
	if l.Unnamed > 0 {
		text += fmt.Sprintf(" The ids of %s are not kept (keep_keys), so that they are only counted.", thousands(l.Unnamed))
	}
	return text
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return thousands(n) + " people"
}
