package main

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
)

// controllerCommands returns the commands about the Controller that a script runs:
//
//	controller [TROUBLE...]    starts one, as newTroubledController has it, and sets the environment to push to it
//	fix                       ends its trouble
//	vanish                     ends it: nothing listens at its address
//	held N                     waits until N answers are held back
//	arrived N                  waits until at least N pushes have come to it
//	sent N                     so many pushes have come to it so far
//	people N                   so many people are known to it
//	accounted RESULTS          the results and the Controller's request log agree, person by person
//	once RESULTS               what was pushed by these results was sent exactly once
//	proxy [CODE]               starts a proxy before it, as proxyCommand has it
func controllerCommands() map[string]scriptCommand {
	return map[string]scriptCommand{
		"controller": func(ts *testscript.TestScript, _ bool, args []string) {
			c, err := newTroubledController(ts.MkAbs("token"), args)
			ts.Check(err)
			ts.Defer(func() { ts.Check(c.close()) })
			runOf(ts).controller = c
			ts.Setenv("OPSCOM_URL", c.server.URL)
			ts.Setenv("OPSCOM_CLIENT", scriptClient)
			ts.Setenv("OPSCOM_API_TOKEN", scriptToken)
		},
		"proxy":  proxyCommand,
		"fix":    func(ts *testscript.TestScript, _ bool, _ []string) { controllerOf(ts).fix() },
		"vanish": func(ts *testscript.TestScript, _ bool, _ []string) { controllerOf(ts).vanish() },
		"held": func(ts *testscript.TestScript, _ bool, args []string) {
			until(ts, args[0]+" answers are held", func() bool { return controllerOf(ts).held.Load() == int64(number(ts, args[0])) })
		},
		"arrived": func(ts *testscript.TestScript, _ bool, args []string) {
			until(ts, args[0]+" pushes have arrived", func() bool { return controllerOf(ts).pushes.Load() >= int64(number(ts, args[0])) })
		},
		"sent": func(ts *testscript.TestScript, _ bool, args []string) {
			if got := controllerOf(ts).sent(); got != number(ts, args[0]) {
				ts.Fatalf("%d pushes were sent, want %s", got, args[0])
			}
		},
		"people": func(ts *testscript.TestScript, _ bool, args []string) {
			if got := controllerOf(ts).box.People(); got != number(ts, args[0]) {
				ts.Fatalf("the Controller knows %d people, want %s", got, args[0])
			}
		},
		"accounted": func(ts *testscript.TestScript, _ bool, args []string) {
			checkAccount(ts, readResults(ts, args[0]), controllerOf(ts).applied())
		},
		"once": func(ts *testscript.TestScript, _ bool, args []string) {
			applied := controllerOf(ts).applied()
			for _, r := range readResults(ts, args[0]) {
				if n := len(applied[r.key()]); r["status"] == string(importer.StatusPushed) && n != 1 {
					ts.Fatalf("row %s was sent %d times", r["row"], n)
				}
			}
		},
	}
}

// checkAccount fails unless every pushed row has the reference id that the
// Controller gave, and everybody else whom it accepted is in a row that says so
// or that may have been sent.
func checkAccount(ts *testscript.TestScript, results []result, applied map[sandbox.Key][]sandbox.Entry) {
	seen := make(map[sandbox.Key]bool)
	for _, r := range results {
		entries := applied[r.key()]
		switch status := importer.Status(r["status"]); {
		case status == importer.StatusPushed || status == importer.StatusUnchanged:
			if len(entries) == 0 || r["reference_id"] != strconv.Itoa(entries[len(entries)-1].ReferenceID) {
				ts.Fatalf("row %s is %s with reference id %q; the request log has %v", r["row"], status, r["reference_id"], entries)
			}
			seen[r.key()] = true
		case status == importer.StatusUnknown || status == importer.StatusDuplicate || status == importer.StatusFailed:
			seen[r.key()] = true
		}
	}
	for key := range applied {
		if !seen[key] {
			ts.Fatalf("%v was accepted, and no row says so", key)
		}
	}
}

// fileCommands returns the commands about files; FILE may be stdout or stderr:
//
//	roster N FILE              writes N people with certain headers, in the rows from 2 on
//	birthdays N FILE           writes N people whose dates may have day and month in either order
//	replace FILE REGEXP TEXT   replaces every match in the file; $1 stands for the first group
//	beginning N SOURCE FILE    makes a file of the first N bytes of another
//	edit WORKBOOK CELL TEXT    types the text into the cell and saves the workbook as Excel does
//	nothing FOLDER             the folder is empty
//	statuses RESULTS NAME=N... the results have so many rows of each status and no others
//	cell RESULTS ROW COLUMN REGEXP  the whole cell in the row of that number matches
//	verdicts CHECK PUSH        both results judge every row alike
//	settled BEFORE AFTER       what was pushed before is pushed after, by the same request
//	json FILE KEY=VALUE...     the one line of JSON has these values
//	unpack ZIP FOLDER          unpacks it
//	nowhere TEXT               no file below the work folder has the text
func fileCommands() map[string]scriptCommand {
	return map[string]scriptCommand{
		"birthdays": func(ts *testscript.TestScript, _ bool, args []string) {
			text := "Banner ID,DOB\n"
			for i := range number(ts, args[0]) {
				text += fmt.Sprintf("%d,%02d/%02d/2001\n", 900000001+i, i%12+1, i%11+1)
			}
			ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
		},
		"roster": func(ts *testscript.TestScript, _ bool, args []string) {
			text := "unique_id,login_source,first_name,last_name,email\n"
			for i := range number(ts, args[0]) {
				name := strings.Map(func(digit rune) rune { return digit + 'a' - '0' }, strconv.Itoa(i+1))
				text += fmt.Sprintf("%09d,SSO,Ada-%[2]s,Byron-%[2]s,%[2]s@example.edu\n", i+1, name)
			}
			ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
		},
		"unpack": func(ts *testscript.TestScript, _ bool, args []string) {
			archive, err := zip.OpenReader(ts.MkAbs(args[0]))
			ts.Check(err)
			ts.Check(os.CopyFS(ts.MkAbs(args[1]), archive))
			ts.Check(archive.Close())
		},
		"replace": func(ts *testscript.TestScript, _ bool, args []string) {
			text := expression(ts, args[1]).ReplaceAllString(ts.ReadFile(args[0]), args[2])
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
		},
		"beginning": func(ts *testscript.TestScript, _ bool, args []string) {
			ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(ts.ReadFile(args[1])[:number(ts, args[0])]), 0o600))
		},
		"edit": func(ts *testscript.TestScript, _ bool, args []string) {
			book, err := excelize.OpenFile(ts.MkAbs(args[0]))
			ts.Check(err)
			ts.Check(book.SetCellStr(book.GetSheetName(0), args[1], args[2]))
			ts.Check(book.SetAppProps(&excelize.AppProperties{Application: "Microsoft Excel"}))
			ts.Check(errors.Join(book.Save(), book.Close()))
		},
		"nothing": func(ts *testscript.TestScript, _ bool, args []string) {
			entries, err := os.ReadDir(ts.MkAbs(args[0]))
			ts.Check(err)
			if len(entries) > 0 {
				ts.Fatalf("%s has %s", args[0], entries[0].Name())
			}
		},
		"statuses": func(ts *testscript.TestScript, _ bool, args []string) {
			got := make(map[string]string)
			for status, n := range countStatuses(readResults(ts, args[0])) {
				got[status] = strconv.Itoa(n)
			}
			if diff := cmp.Diff(pairs(ts, args[1:]), got); diff != "" {
				ts.Fatalf("statuses differ (-want +got):\n%s", diff)
			}
		},
		"cell": func(ts *testscript.TestScript, _ bool, args []string) {
			if len(args) != 4 {
				ts.Fatalf("usage: cell RESULTS ROW COLUMN REGEXP")
			}
			for _, r := range readResults(ts, args[0]) {
				if r["row"] != args[1] {
					continue
				}
				if text, found := r[args[2]]; !found || !expression(ts, "^(?:"+args[3]+")$").MatchString(text) {
					ts.Fatalf("row %s has %s %q", args[1], args[2], text)
				}
				return
			}
			ts.Fatalf("%s has no row %s", args[0], args[1])
		},
		"verdicts": compareVerdicts,
		"settled": func(ts *testscript.TestScript, _ bool, args []string) {
			before, after := readResults(ts, args[0]), readResults(ts, args[1])
			for i, b := range before {
				if b["status"] != string(importer.StatusPushed) {
					continue
				}
				if diff := cmp.Diff(map[string]string(b), map[string]string(after[i])); diff != "" {
					ts.Fatalf("row %s differs (-before +after):\n%s", b["row"], diff)
				}
			}
		},
		"json": func(ts *testscript.TestScript, _ bool, args []string) {
			var values map[string]json.RawMessage
			ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &values))
			got, want := make(map[string]string), pairs(ts, args[1:])
			for key := range want {
				got[key] = strings.Trim(string(values[key]), `"`)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				ts.Fatalf("values differ (-want +got):\n%s", diff)
			}
		},
		"nowhere": func(ts *testscript.TestScript, _ bool, args []string) {
			root := ts.Getenv("WORK")
			ts.Check(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
				if err != nil || !entry.Type().IsRegular() {
					return err
				}
				text, err := os.ReadFile(path)
				if bytes.Contains(text, []byte(args[0])) {
					ts.Fatalf("%s has the text", path)
				}
				return err
			}))
		},
	}
}

// compareVerdicts compares the results of a check with those of a push: what is
// valid there is pushed, rejected or failed here, and all else is the same.
func compareVerdicts(ts *testscript.TestScript, _ bool, args []string) {
	checked, pushed := readResults(ts, args[0]), readResults(ts, args[1])
	if len(checked) == 0 || len(checked) != len(pushed) {
		ts.Fatalf("%d rows and %d rows", len(checked), len(pushed))
	}
	for i, c := range checked {
		p := maps.Clone(pushed[i])
		sent := []importer.Status{importer.StatusPushed, importer.StatusRejected, importer.StatusFailed}
		if slices.Contains(sent, importer.Status(p["status"])) {
			p["status"] = string(importer.StatusValid)
			for _, column := range []string{"reference_id", "error_code", "field", "message", "finished_at"} {
				p[column] = ""
			}
			p["attempts"] = "0"
		}
		if diff := cmp.Diff(map[string]string(c), map[string]string(p)); diff != "" {
			ts.Fatalf("row %s differs (-check +push):\n%s", c["row"], diff)
		}
	}
}

// result is one line of the results, by column.
type result map[string]string

// key returns whose row it is. The apostrophe that keeps a spreadsheet program from
// taking an id for a formula is none of the id's.
func (r result) key() sandbox.Key {
	id := r["unique_id"]
	if harmless, found := strings.CutPrefix(id, "'"); found && strings.ContainsAny(harmless[:1], "=+-@") {
		id = harmless
	}
	return sandbox.KeyOf(r["login_source"], id)
}

// readResults reads a results file, and fails unless its form is as promised: a
// byte order mark, the columns by name and order, and CRLF after every line.
func readResults(ts *testscript.TestScript, file string) []result {
	text, marked := strings.CutPrefix(ts.ReadFile(file), "\uFEFF")
	if !marked {
		ts.Fatalf("%s has no byte order mark", file)
	}
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasSuffix(text, "\r\n") {
		ts.Fatalf("%s has lines that do not end in CRLF", file)
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	ts.Check(err)
	const columns = "row,unique_id,login_source,status,reference_id,error_code,field,message,warnings,attempts,finished_at"
	if got := strings.Join(records[0], ","); got != columns {
		ts.Fatalf("%s has the columns %s", file, got)
	}
	var results []result
	for _, record := range records[1:] {
		r := make(result)
		for i, name := range records[0] {
			r[name] = record[i]
		}
		results = append(results, r)
	}
	return results
}

func countStatuses(results []result) map[string]int {
	counts := make(map[string]int)
	for _, r := range results {
		counts[r["status"]]++
	}
	return counts
}

// pairs reads words of the form NAME=VALUE.
func pairs(ts *testscript.TestScript, words []string) map[string]string {
	values := make(map[string]string)
	for _, word := range words {
		name, value, found := strings.Cut(word, "=")
		if !found {
			ts.Fatalf("%q is not of the form NAME=VALUE", word)
		}
		values[name] = value
	}
	if len(values) == 0 {
		ts.Fatalf("no NAME=VALUE is given")
	}
	return values
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func expression(ts *testscript.TestScript, text string) *regexp.Regexp {
	e, err := regexp.Compile("(?m)" + text)
	ts.Check(err)
	return e
}

// until waits for something that other processes bring about.
func until(ts *testscript.TestScript, what string, done func() bool) {
	const timeout = 2 * time.Minute // on a machine that is busy with other things
	for began := time.Now(); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > timeout {
			ts.Fatalf("%s: not within %s", what, timeout)
		}
	}
}
