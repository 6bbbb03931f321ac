package sheet

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestFilesOfOthers reads every file of a folder of files that other people and
// programs made, where there is one: each is read or refused by name, and none
// panics. The folder is no part of this repository.
func TestFilesOfOthers(t *testing.T) {
	folder := os.Getenv("OPSCOM_CORPUS")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		t.Logf("there is no folder %s", folder)
		return
	}
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.Type().IsRegular() || !slices.Contains([]string{".csv", ".xlsx", ".xlsm", ".xls", ".ods", ".xlsb"}, filepath.Ext(path)) {
			return nil
		}
		files++
		got := readFile(t, path, Options{})
		if got.err != nil {
			fileError(t, got.err, path)
		} else if len(got.rows) == 0 && len(got.notes) == 0 {
			t.Errorf("%s: no rows, and not a word about it", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Errorf("there are no files in %s", folder)
	}
}
