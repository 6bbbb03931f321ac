package sheet

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// lockedWorkbook returns a workbook with the password "s3cret", as excelize writes
// it.
func lockedWorkbook(t testing.TB, p parts) string {
	t.Helper()
	locked, err := excelize.Encrypt([]byte(largeZipOf(t, p)), &excelize.Options{Password: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	return string(locked)
}

// largeZipOf writes the parts as a zip archive of more than 4096 bytes: smaller streams
// of a compound file lie elsewhere, where excelize does not find what it writes.
func largeZipOf(t testing.TB, p parts) string {
	t.Helper()
	filler := make([]byte, 8<<10)
	rand.NewChaCha8([32]byte{}).Read(filler)
	p["docProps/thumbnail.jpeg"] = string(filler)
	return zipOf(t, p)
}

func TestPassword(t *testing.T) {
	dir := tempFolder(t)
	for name, content := range map[string]string{
		"as until 2010": lockedWorkbook(t, workbookParts(sheetXML(twoRows))),
		"as since 2010": agileWorkbook(t, workbookParts(sheetXML(twoRows)), "s3cret", 1000),
	} {
		path := writeFile(t, "people.xlsx", content)
		for _, format := range []Format{Auto, XLSX} {
			got := readFile(t, path, Options{Format: format, Password: "s3cret"})
			if got.err != nil || len(got.rows) != 1 || got.rows[0] != "2: n1" {
				t.Errorf("%s: rows %q, error %v, %v", name, got.rows, got.err, errors.Unwrap(got.err))
			}
		}
		for password, want := range map[string]string{"": "--password-file", "secret": "password is wrong"} {
			fe := fileError(t, readFile(t, path, Options{Password: password}).err, path)
			if !strings.Contains(fe.Message, want) || strings.Contains(fe.Message, "secret") {
				t.Errorf("%s: %s\nwant %q", name, fe.Message, want)
			}
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestPasswordFaults(t *testing.T) {
	locked := lockedWorkbook(t, workbookParts(sheetXML(twoRows)))
	for name, content := range map[string]string{
		"half of it":      locked[:len(locked)/2],
		"a Word document": lockedWorkbook(t, parts{"_rels/.rels": "", "word/document.xml": ""}),
		"no workbook":     lockedWorkbook(t, parts{"_rels/.rels": "and nothing that is a workbook"}),
		"no key":          compoundFile("EncryptedPackage"),
		"no encryption":   strings.ReplaceAll(locked, "AES", "XYZ")[:len(locked)-600],
	} {
		path := writeFile(t, "people.xlsx", content)
		if fe := fileError(t, readFile(t, path, Options{Password: "s3cret"}).err, path); strings.Contains(fe.Message, "s3cret") {
			t.Errorf("%s: %s", name, fe.Message)
		}
	}
}

// A password that would take minutes to try is refused before it is tried.
func TestAbsurdSpins(t *testing.T) {
	locked := agileWorkbook(t, workbookParts(sheetXML(twoRows)), "s3cret", 1000)
	path := writeFile(t, "people.xlsx", strings.Replace(locked, `spinCount="1000"`, `spinCount="9999999"`, 1))
	if fe := fileError(t, readFile(t, path, Options{Password: "s3cret"}).err, path); !strings.Contains(fe.Message, "too long to try") {
		t.Error(fe)
	}
}
