package sheet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The corpus is a folder of files that other people and programs made, with what
// a good importer does with each. It is not part of this repository:
//
//	OPSCOM_CORPUS=/some/folder go test -run Corpus -v ./importer/sheet
//
// prints the score. INDEX.tsv in it has the columns file, verdict and oracle (a
// file whose cells are the right ones). Where this project judges otherwise,
// testdata/judged-otherwise.tsv says what it does instead, and why.

// expectation is what a good importer does with a file.
type expectation string

const (
	accept     expectation = "ACCEPT"      // reads it; the cells are those of the oracle
	rowErrors  expectation = "ROW-ERRORS"  // reads it; names the faulty rows; the others are unharmed
	warnOrAsk  expectation = "WARN-OR-ASK" // says what is odd, or asks
	refuseFile expectation = "REFUSE-FILE" // says what the file is and what to do
	bounded    expectation = "BOUNDED"     // answers within the bounds of time and memory
	noCrash    expectation = "NO-CRASH"    // answers
	oracle     expectation = "ORACLE"      // the cells of each sheet are those that Excel itself saved
)

// specimen is one file of the corpus.
type specimen struct {
	path     string
	file     string // as INDEX.tsv names it
	expected expectation
	oracle   string    // path of the file with the right cells; "" for none
	reason   string    // why it is judged otherwise than in INDEX.tsv; "" where it is not
	indexed  *specimen // as INDEX.tsv judges it, where that is otherwise; else nil
	trouble  *trouble  // what is wrong with it; nil where that is not known
}

// trouble is what must be said of a file, as testdata/troubles.tsv knows it.
type trouble struct {
	rows  []int    // at fault: these and no others
	words []string // one of them must be said
}

// What must be right.
const (
	leastShare = 0.98  // of an expectation's files
	leastEqual = 0.995 // of the text cells that Excel saved
)

// TestCorpus prints how many files of the corpus are read as they should be, and
// fails when they are too few.
func TestCorpus(t *testing.T) {
	folder := corpusFolder(t)
	if folder == "" {
		t.Log("There is no corpus. Set OPSCOM_CORPUS to its folder. The test reads the specimens that it makes itself.")
		folder = madeCorpus(t)
	}
	ours, indexed := score{}, score{}
	for _, s := range readIndex(t, folder) {
		t.Run(s.file, func(t *testing.T) {
			fault, counts := ours.add(t, s)
			switch {
			case fault != "":
				t.Logf("%s: %s", s.expected, fault)
			case s.reason != "":
				counts.otherwise++
			}
			asIndexed := s
			if s.indexed != nil {
				asIndexed = *s.indexed
			}
			if fault, _ := indexed.add(t, asIndexed); fault == "" && s.reason != "" {
				t.Errorf("it is read as the index says, and yet a reason is told why not: %s", s.reason)
			}
		})
	}
	t.Log("\n" + ours.table() + "\nby the index alone, the reasons of this project left aside:\n" + indexed.table())
	for expected, counts := range ours {
		if !counts.enough() {
			t.Errorf("%s: %d of %d files are read as they should be", expected, counts.right, counts.files)
		}
	}
}

// score is the tally of each expectation.
type score map[expectation]*tally

// add assesses the specimen.
func (c score) add(t *testing.T, s specimen) (fault string, counts *tally) {
	if counts = c[s.expected]; counts == nil {
		counts = &tally{}
		c[s.expected] = counts
	}
	counts.files++
	if fault = s.assess(t, counts); fault == "" {
		counts.right++
	}
	return fault, counts
}

// TestMadeCorpus holds the checks against specimens whose nature is known: what
// is right passes, and what is wrong does not.
func TestMadeCorpus(t *testing.T) {
	for _, s := range readIndex(t, madeCorpus(t)) {
		var counts tally
		if fault := s.assess(t, &counts); fault != "" {
			t.Errorf("%s, %s: %s", s.file, s.expected, fault)
		}
	}
	plain := writeFile(t, "plain.csv", "unique_id,name\n1,Ann\n")
	ragged := writeFile(t, "ragged.csv", "id,name\n1,Ann\n2\n3,Cy\n")
	missing := writeFile(t, "missing.xlsx", zipOf(t, workbookParts(sheetXML(`<row r="1"><c t="s"><v>0</v></c></row>`))))
	if err := os.WriteFile(missing+".0.csv", []byte("one,two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []specimen{
		{path: missing, expected: oracle},
		{path: plain, expected: accept, oracle: writeFile(t, "other.csv", "unique_id,name\n1,Bob\n")},
		{path: plain, expected: accept, oracle: writeFile(t, "longer.csv", "unique_id,name\n1,Ann\n2,Bob\n")},
		{path: plain, expected: rowErrors}, {path: plain, expected: warnOrAsk}, {path: plain, expected: refuseFile},
		{path: plain, expected: accept, oracle: writeFile(t, "zeros.csv", "unique_id,name\n01,Ann\n")},
		{path: writeFile(t, "half.csv", "id,name\n1\n2\n3,Bob\n"), expected: accept},
		{path: ragged, expected: accept, oracle: writeFile(t, "blank.csv", "id,name\n1,Ann\n2,\n3,Cy\n")},
		{path: ragged, expected: rowErrors, oracle: writeFile(t, "two.csv", "id,name\n1,Ann\n2,Bo\n3,Cyd\n")},
		{path: ragged, expected: rowErrors, oracle: writeFile(t, "fewer.csv", "id,name\n1,Ann\n2,Bo\n")},
		{path: ragged, expected: rowErrors, trouble: &trouble{rows: []int{3, 4}}},
		{path: ragged, expected: rowErrors, trouble: &trouble{rows: []int{2}}},
		{path: ragged, expected: warnOrAsk, trouble: &trouble{words: []string{"second table"}}},
	} {
		var counts tally
		if s.assess(t, &counts) == "" {
			t.Errorf("%s passes for %s", filepath.Base(s.path), s.expected)
		}
	}
}

// tally counts the files of one expectation.
type tally struct {
	files, right, otherwise int
	asked                   int // right, as the program asks for a mapping, and for no other reason
	unknown                 int // files whose trouble is not known: any word is taken for the one that is due
	cells, equal            int // text cells held against what Excel saved
}

// enough reports whether the files, or the cells where these are counted, are
// read as they should be.
func (c *tally) enough() bool {
	if c.cells > 0 { // each sheet that differs has a reason
		return c.right == c.files && share(c.equal, c.cells) >= leastEqual
	}
	return share(c.right, c.files) >= leastShare
}

func share(part, whole int) float64 { return float64(part) / float64(whole) }

func (c score) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %6s %6s %7s  %s\n", "verdict", "files", "right", "share", "judged otherwise")
	for _, v := range []expectation{accept, rowErrors, warnOrAsk, refuseFile, bounded, noCrash, oracle} {
		counts := c[v]
		if counts == nil {
			continue
		}
		fmt.Fprintf(&b, "%-12s %6d %6d %6.1f%%  %d", v, counts.files, counts.right, 100*share(counts.right, counts.files), counts.otherwise)
		if counts.asked > 0 {
			fmt.Fprintf(&b, "   asked for a mapping: %d", counts.asked)
		}
		if counts.unknown > 0 {
			fmt.Fprintf(&b, "   trouble not known: %d", counts.unknown)
		}
		if counts.cells > 0 {
			fmt.Fprintf(&b, "   text cells equal: %d of %d, %.2f%%", counts.equal, counts.cells, 100*share(counts.equal, counts.cells))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// corpusFolder returns the folder of the corpus, "" when there is none.
func corpusFolder(t *testing.T) string {
	folder := os.Getenv("OPSCOM_CORPUS")
	asked := folder != ""
	if !asked {
		folder = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	_, err := os.Stat(filepath.Join(folder, "INDEX.tsv"))
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// readIndex returns the files that INDEX.tsv names, each with the expectation that
// this project stands for.
func readIndex(t *testing.T, folder string) []specimen {
	t.Helper()
	judged := map[string][]string{}
	for _, line := range readTSV(t, filepath.Join("testdata", "judged-otherwise.tsv")) {
		judged[line[0]] = line
	}
	known := readTroubles(t, filepath.Join("testdata", "troubles.tsv"))
	lines := readTSV(t, filepath.Join(folder, "INDEX.tsv"))
	column := func(name string) int {
		i := slices.Index(lines[0], name)
		if i < 0 {
			t.Fatalf("INDEX.tsv has no column %q", name)
		}
		return i
	}
	file, says, right := column("file"), column("verdict"), column("oracle")
	var specimens []specimen
	for _, line := range lines[1:] {
		s := specimen{path: filepath.Join(folder, line[file]), file: line[file], expected: expectation(line[says]), trouble: known[line[file]]}
		if line[right] != "" {
			s.oracle = filepath.Join(folder, strings.SplitN(line[right], " HPI-", 2)[0])
			if _, err := os.Stat(s.oracle); err != nil {
				s.oracle = "" // named, and not there
			}
		}
		if other, ok := judged[s.file]; ok {
			indexed := s
			s.expected, s.oracle, s.reason, s.indexed = expectation(other[1]), "", other[2], &indexed
		}
		specimens = append(specimens, s)
	}
	return specimens
}

// readTroubles returns what is known of the files.
func readTroubles(t *testing.T, path string) map[string]*trouble {
	t.Helper()
	known := map[string]*trouble{}
	for _, line := range readTSV(t, path)[1:] {
		var w trouble
		for _, number := range strings.Fields(line[1]) {
			row, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			w.rows = append(w.rows, row)
		}
		if line[2] != "" {
			w.words = strings.Split(line[2], "|")
		}
		known[line[0]] = &w
	}
	return known
}

// readTSV returns the lines of a file of tab-separated values, in which quotes
// mean nothing and # begins a comment.
func readTSV(t *testing.T, path string) [][]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	for line := range strings.Lines(string(content)) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.Split(strings.TrimRight(line, "\r\n"), "\t"))
		}
	}
	return lines
}

// madeCorpus writes a corpus of files whose right answer follows from how they
// are made, one or two for each expectation.
func madeCorpus(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	index := "file\tverdict\toracle\n"
	for _, s := range []struct{ file, expected, oracle, content string }{
		{"plain.csv", "ACCEPT", "plain.json", "id,name\n1,Ann\n2,Bob\n"},
		{"plain.json", "", "", `[{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}]`},
		{"quoted.csv", "ACCEPT", "quoted.json", "id,name\n1,\"O'Neil, \"\"Ann\"\"\"\n"},
		{"quoted.json", "", "", `[["id", "name"], ["1", "O'Neil, \"Ann\""]]`},
		{"ragged.csv", "ROW-ERRORS", "ragged.clean.csv", "id,name\n1,Ann\n2\n3,Cy\n"},
		{"ragged.clean.csv", "", "", "id,name\n1,Ann\n2,Bo\n3,Cy\n"},
		{"no rows.csv", "WARN-OR-ASK", "", "id,name\n"},
		{"nothing.csv", "REFUSE-FILE", "", ""},
		{"quote.csv", "NO-CRASH", "", "\"" + strings.Repeat("a\"b\n", 1000)},
		{"long.csv", "BOUNDED", "", "id,name\n1," + strings.Repeat("x", 4<<20)},
		{"book.xlsx", "ORACLE", "", zipOf(t, workbookParts(sheetXML(`<row r="1"><c t="s"><v>0</v></c></row><row r="3"><c r="B3" t="s"><v>1</v></c></row>`)))},
		{"book.xlsx.0.csv", "", "", "one,\n,\n,two\n"},
	} {
		if err := os.WriteFile(filepath.Join(folder, s.file), []byte(s.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if s.expected != "" {
			index += s.file + "\t" + s.expected + "\t" + s.oracle + "\n"
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "INDEX.tsv"), []byte(index), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}
