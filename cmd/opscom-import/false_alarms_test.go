package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

var (
	goodSeed   = flag.Uint64("good-seed", 1, "seed of TestFalseAlarms' files")
	goodPeople = flag.Int("good-people", 40_000, "how many people TestFalseAlarms' files have")
)

// comparedPeople is the most people that a file may have to be pushed, and compared
// with what arrives. Larger ones are only checked.
const comparedPeople = 60

// TestFalseAlarms measures how often files without a fault are doubted: names, towns
// and streets of 49 languages, and what looks like trouble and is none. Nothing may be
// said of any value, nothing asked, and every value must arrive as it is.
func TestFalseAlarms(t *testing.T) {
	people := *goodPeople
	if testing.Short() {
		people /= 10
	}
	desk := newCaseDesk(t)
	var judged, alarms, questions atomic.Int64
	t.Run("file", func(t *testing.T) {
		for number, left := uint64(1), people; left > 0; number++ {
			f := newGoodFile(*goodSeed, number, left)
			left -= len(f.people)
			t.Run(f.name(), func(t *testing.T) {
				t.Parallel()
				problems, question := desk.doubts(t, f)
				judged.Add(int64(len(f.people)))
				alarms.Add(int64(len(problems)))
				if question != "" {
					questions.Add(1)
					t.Error(question)
				}
				if len(problems) > 0 {
					t.Errorf("%d problems:\n%s", len(problems), strings.Join(problems[:min(len(problems), 20)], "\n"))
				}
			})
		}
	})
	t.Logf("%d people of seed %d: %d problems, and %d files with a question", judged.Load(), *goodSeed, alarms.Load(), questions.Load())
}

// TestFalseAlarmsInSamples checks the samples that have nothing wrong.
func TestFalseAlarmsInSamples(t *testing.T) {
	desk := newCaseDesk(t)
	for _, name := range []string{"term-start.csv", "term-start.xlsx"} {
		folder := t.TempDir()
		for _, file := range []string{name, "term-start.mapping.yaml"} {
			writeText(t, filepath.Join(folder, file), readText(t, filepath.Join(moduleRoot, "samples", file)))
		}
		problems, question := desk.check(t, filepath.Join(folder, name), 1200)
		if len(problems) > 0 || question != "" {
			t.Errorf("%s: %q, %s", name, problems, question)
		}
	}
}

// doubts returns what is said of the values of a file, and what is asked about it or
// not done with it; "" for nothing.
func (d *caseDesk) doubts(t *testing.T, f *goodFile) (problems []string, question string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people."+f.format)
	f.write(t, path)
	if problems, question = d.check(t, path, len(f.people)); question != "" || len(problems) > 0 || len(f.people) > comparedPeople {
		return problems, question
	}
	client, state := f.name(), filepath.Join(t.TempDir(), "state")
	d.copyState(t, state)
	output, messages, exit := runCommand(t, d.pushArguments(client, state, path)...)
	if exit != 0 {
		return append(problems, fmt.Sprintf("push: exit code %d\n%s%s", exit, output, messages)), ""
	}
	received := make(map[any]map[string]any)
	for _, profile := range d.controller.received(client) {
		received[profile["unique_id"]] = profile
	}
	for _, person := range f.people {
		got := received[person.sent["unique_id"]]
		for _, name := range slices.Sorted(maps.Keys(person.sent)) {
			if want := person.sent[name]; want != "" && got[name] != want {
				problems = append(problems, fmt.Sprintf("%s is sent as %q in place of %q", name, got[name], want))
			}
		}
	}
	return problems, ""
}

// check checks a file of so many people, and returns what is said of its values, and
// what is asked about it.
func (d *caseDesk) check(t *testing.T, path string, people int) (problems []string, question string) {
	t.Helper()
	list := filepath.Join(t.TempDir(), "problems.csv")
	output, messages, exit := runCommand(t, "check", "--json", "--problems", list, "--state", filepath.Join(t.TempDir(), "none"), "--login-source", "SSO", path)
	for _, record := range reportRecords(t, list) {
		if record["rule"] == "unusual_character" && strings.Contains(record["value"], "@") {
			continue // documented: an id with anything but letters, digits and dashes is said
		}
		problems = append(problems, record["message"])
	}
	var receipt struct{ Rows, Valid, Skipped int }
	if err := json.Unmarshal([]byte(output), &receipt); err != nil {
		return problems, fmt.Sprintf("check: exit code %d\n%s", exit, strings.ReplaceAll(messages, filepath.Dir(path), ""))
	}
	if receipt.Rows != people || receipt.Valid+receipt.Skipped+len(problems) < people {
		question = fmt.Sprintf("%d people, and of %d rows %d valid\n%s", people, receipt.Rows, receipt.Valid, messages)
	}
	return problems, question
}

// write writes the file and the mapping beside it.
func (f *goodFile) write(t *testing.T, path string) {
	t.Helper()
	if f.mapping != "" {
		writeText(t, strings.TrimSuffix(path, filepath.Ext(path))+".mapping.yaml", f.mapping)
	}
	if f.format == "xlsx" {
		if err := f.writeWorkbook(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	var text strings.Builder
	for _, record := range f.records() {
		for i, value := range record {
			if i > 0 {
				text.WriteRune(f.delimiter)
			}
			if f.quoted || strings.ContainsAny(value, "\"\n"+string(f.delimiter)) {
				value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
			}
			text.WriteString(value)
		}
		text.WriteString(f.lineEnd)
	}
	content := []byte(text.String())
	encoder := encoding.Nop.NewEncoder()
	switch {
	case f.wide:
		encoder = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder()
	case f.windows1252():
		encoder = charmap.Windows1252.NewEncoder()
	case f.mark:
		encoder = unicode.UTF8BOM.NewEncoder()
	}
	content, err := encoder.Bytes(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// windows1252 reports whether the file is written in that encoding, which has no
// letters beyond those of western Europe.
func (f *goodFile) windows1252() bool {
	if !f.western {
		return false
	}
	for _, record := range f.records() {
		if _, err := charmap.Windows1252.NewEncoder().String(strings.Join(record, "")); err != nil {
			return false
		}
	}
	return true
}

// writeWorkbook writes dates as dates, and if the file has numbers, ids and phones of
// nothing but digits as numbers, with their zeros by a number format.
func (f *goodFile) writeWorkbook(path string) error {
	book := excelize.NewFile()
	dates, err := book.NewStyle(&excelize.Style{CustomNumFmt: &f.dateFormat})
	if err != nil {
		return err
	}
	stream, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	zeros := make(map[int]int) // style by the number of digits
	for i, record := range f.records() {
		cells := make([]any, len(record))
		for c, text := range record {
			cells[c] = text
			number, err := strconv.Atoi(text)
			switch {
			case i == 0 || text == "":
			case f.fields[c] == "date_of_birth":
				cells[c] = excelize.Cell{StyleID: dates, Value: f.people[i-1].born}
			case !f.numbers || err != nil || text[0] == '+' || len(text) > 15 || !slices.Contains([]string{"unique_id", "phone_cell", "student_phone"}, f.fields[c]):
			case text[0] != '0':
				cells[c] = number
			default:
				format := strings.Repeat("0", len(text))
				if zeros[len(text)] == 0 {
					if zeros[len(text)], err = book.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
						return err
					}
				}
				cells[c] = excelize.Cell{StyleID: zeros[len(text)], Value: number}
			}
		}
		if err := stream.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return err
		}
	}
	return errors.Join(stream.Flush(), book.SaveAs(path), book.Close())
}
