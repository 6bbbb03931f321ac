package main

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func manPagesOfAllCommands(t *testing.T) map[string][]byte {
	t.Helper()
	root, _ := newRoot(streams{})
	date := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	pages, err := manPages(root, &date)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestEveryCommandHasAManPage(t *testing.T) {
	root, _ := newRoot(streams{})
	pages := manPagesOfAllCommands(t)
	want := []string{"opscom-import.1"}
	for name, c := range commands(root) {
		if !c.IsAvailableCommand() {
			continue
		}
		file := "opscom-import-" + strings.ReplaceAll(name, " ", "-") + ".1"
		want = append(want, file)
		page := withoutEscapes(pages[file])
		if !strings.Contains(page, c.Short) {
			t.Errorf("%s does not say what the command is for: %q", file, c.Short)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, "--"+f.Name) {
				t.Errorf("%s does not explain --%s", file, f.Name)
			}
		})
	}
	sameWords(t, "manual pages", slices.Collect(maps.Keys(pages)), want)
}

// withoutEscapes returns the text of a manual page without most of its markup.
func withoutEscapes(page []byte) string {
	return strings.NewReplacer(`\-`, "-", `\fB`, "", `\fR`, "", `\fP`, "", `\&`, "", `\(aq`, "'", `\[rs]`, `\`).Replace(string(page))
}

func TestManPagesAreTheSameOnEveryMachine(t *testing.T) {
	first := manPagesOfAllCommands(t)
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("XDG_STATE_HOME", "/home/somebody/state")
	t.Setenv("OPSCOM_CLIENT", "OC_SOMEBODY")
	t.Chdir(t.TempDir())
	if diff := cmp.Diff(first, manPagesOfAllCommands(t)); diff != "" {
		t.Error(diff)
	}
	for name, page := range first {
		if !bytes.Contains(page, []byte(`"Sep 2026"`)) {
			t.Errorf("%s does not have the date of the commit", name)
		}
		for _, word := range []string{"/home/", "Auto generated"} {
			if bytes.Contains(page, []byte(word)) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
}

func TestManPageShowsValuesAsTheHelpDoes(t *testing.T) {
	page := withoutEscapes(manPagesOfAllCommands(t)["opscom-import-push.1"])
	for _, want := range []string{"--rate=RATE", "(default 10/s)", "--config=PATH", "--only-changes"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of push lacks %q", want)
		}
	}
	if i, j := strings.Index(page, "--url="), strings.Index(page, "--burst="); i < 0 || j < i {
		t.Error("the settings are not in the order of the help")
	}
}

func TestManPageHasEveryExitCode(t *testing.T) {
	page := withoutEscapes(manPagesOfAllCommands(t)["opscom-import.1"])
	var shown []string
	for _, code := range exitCodes() {
		shown = append(shown, strconv.Itoa(code.number))
		if !strings.Contains(page, code.meaning) {
			t.Errorf("the page does not explain the exit code %d", code.number)
		}
	}
	sameWords(t, "opscom-import.1, exit codes", shown, codesInSource(t))
}
