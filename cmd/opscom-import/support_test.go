package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"opscom-import/cmd/opscom-import/internal/app"
)

// TestCanariesInSupport plants a word in everything that a support bundle is made from: cells,
// names of files, folders and sheets, the token, the environment, constants and values of the
// mapping, addresses of notify, what the Controller said, and the first row of a file without a
// header. None is in the bundle, nor in what is said of it.
func TestCanariesInSupport(t *testing.T) {
	skipShort(t)
	t.Parallel()
	c := newCanaries(t)
	c.moody.Store("refuses")
	c.quiet(app.ExitIncomplete, "push", "--json", c.file)
	c.moody.Store("fails")
	c.quiet(app.ExitIncomplete, "push", "--json", "--max-attempts", "1", "--max-failures", "1", "--fresh", c.file)
	c.moody.Store("")
	c.quiet(app.ExitRows, "push", "--json", "--fresh", c.file)
	folder := c.path("kanarie-folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	people, err := os.ReadFile(c.path(c.file))
	if err != nil {
		t.Fatal(err)
	}
	_, rows, _ := strings.Cut(string(people), "\n")
	files := []string{
		c.file, write("kanarie-copy.csv", string(people)), write("kanarie-rows.csv", rows), // without its header
		write("kanarie-open.csv", "unique_id,login_source,first_name\nkanarie-id,SSO,\"kanarie-open\n"),
		c.kanarieBook(filepath.Join(folder, "kanarie-book.xlsx")),
		write("kanarie-mapped.csv", "Kanarie Header 4711,kanarie@example.edu,Banner ID,Last Name,First Name,Email\n"+strings.Repeat("kanarie-a,kanarie-b,N1,Kanarie,Kanarie,kanarie@example.edu\n", 12)),
	}
	write("kanarie-mapped.mapping.yaml", `version: 1
fields:
  unique_id: Banner ID
  login_source: {value: Kanarie-con}
  last_name: Last Name
  first_name: {expr: 'col("First Name") + "kanarie-expr"'}
  user_type_id: {column: "Kanarie Header 4711", values: {kanarie-a: 1, kanarie-c: 2}}
`)
	settings := write("kanarie.yaml", `login_source: kanarie-login
sheet: ""
results: kanarie-results.csv
notify:
  - webhook: {url_file: kanarie-hook}
  - mail: {to: kanarie@example.edu, from: kanarie-from@example.edu, server: kanarie.example.edu, user: kanarie, password_file: kanarie-password}
  - command: [kanarie-program, kanarie-argument]
jobs:
  kanarie-job: {folder: kanarie-inbox, files: "kanarie-*.csv", sheet: Kanarie, mapping: kanarie-mapping.yaml, client: OC_OTHER}
  kanarie-other: {file: kanarie-file.csv, at: "15 4 * * *", login_source: Kanarie}
`)
	write("kanarie-hook", "https://hooks.example.edu/kanarie-secret\n")
	write("kanarie-password", "kanarie-password\n")
	for i, file := range files {
		for _, run := range []string{"0", "1", "2", "3"} {
			bundle := c.path(fmt.Sprintf("bundle-%d-%s.zip", i, run))
			process := c.canaryCommand("support", file, "--run", run, "--yes", "--config", settings, "--output", bundle)
			process.Env = append(process.Env, "KANARIE=kanarie-variable", "OPSCOM_SHEET=kanarie-sheet", "HTTPS_PROXY=http://kanarie:kanarie@proxy.example:1", "USER=kanarie")
			if strings.HasSuffix(file, "xlsx") {
				process.Env = append(process.Env, "OPSCOM_SHEET=Kanarie Sheet")
			}
			end := c.run(process)
			if end.code != app.ExitDone {
				t.Errorf("%s: %+v", file, end)
				continue
			}
			packed, err := os.ReadFile(bundle)
			if err != nil {
				t.Fatal(err)
			}
			text, err := unzipped(packed)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.ReplaceAll(end.stdout+end.stderr, bundle, "")
			for where, text := range map[string]string{"the bundle": string(text), "its names": string(packed), "the output": said} {
				found := c.found(text, c.words)
				if at := strings.Index(strings.ToLower(text), "kanarie"); at >= 0 {
					found = append(found, text[max(0, at-40):min(len(text), at+40)])
				}
				if len(found) > 0 {
					t.Errorf("%s, run %s: %s has %q", file, run, where, found)
				}
			}
			if info, err := os.Stat(bundle); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
		}
	}
}

// kanarieBook writes a workbook whose sheets have names of their own.
func (c *canaries) kanarieBook(path string) string {
	c.t.Helper()
	book := excelize.NewFile()
	for _, err := range []error{
		book.SetSheetName("Sheet1", "Kanarie Sheet"),
		book.SetSheetRow("Kanarie Sheet", "A1", &[]string{"Banner ID", "Last Name", "First Name", "Kanarie@Header"}),
		book.SetSheetRow("Kanarie Sheet", "A2", &[]string{"kanarie-id", "Kanarie", "Kanarie", "kanarie"}),
		book.SaveAs(path), book.Close(),
	} {
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return path
}
