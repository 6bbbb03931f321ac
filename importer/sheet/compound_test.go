package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"opscom-import/importer/sheet/internal/archive"
)

// nestedCompound returns a compound file with so many entries, each in the one before.
func nestedCompound(entries int) string {
	const sector, none, end, fat = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
	directories := (entries + 3) / 4
	tables := 1
	for tables*128 < tables+directories {
		tables++
	}
	file := make([]byte, sector*(1+tables+directories))
	copy(file, compoundFile("Workbook")[:sector])
	le := binary.LittleEndian
	le.PutUint32(file[44:], uint32(tables))
	le.PutUint32(file[48:], uint32(tables))
	for i := range tables {
		le.PutUint32(file[76+4*i:], uint32(i))
		le.PutUint32(file[sector+4*i:], fat)
	}
	for i := range directories {
		next := uint32(tables + i + 1)
		if i == directories-1 {
			next = end
		}
		le.PutUint32(file[sector+4*(tables+i):], next)
	}
	for i := range entries {
		at := file[sector*(1+tables)+128*i:]
		for j, u := range utf16.Encode([]rune("Storage")) {
			le.PutUint16(at[2*j:], u)
		}
		at[64], at[66] = 16, 1
		child := uint32(i + 1)
		if i == entries-1 {
			child = none
		}
		le.PutUint32(at[68:], none)
		le.PutUint32(at[72:], none)
		le.PutUint32(at[76:], child)
	}
	return string(file)
}

// A directory without end must be refused before it fills the memory.
func TestHostileDirectories(t *testing.T) {
	var manyParts bytes.Buffer
	w := zip.NewWriter(&manyParts)
	for i := range 60_000 {
		if _, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("xl/%060d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		content, message string
		tooLarge         bool
	}{
		"entries in entries":      {nestedCompound(8000), "damaged", true},
		"a few entries in others": {nestedCompound(50), "not a workbook", false},
		"parts without end":       {manyParts.String(), "damaged", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := specimen{path: writeFile(t, "people.xls", tt.content), expected: bounded}
			if fault := s.assess(t, &tally{}); fault != "" {
				t.Error(fault)
			}
			fe := fileError(t, readFile(t, s.path, Options{}).err, s.path)
			if !strings.Contains(fe.Message, tt.message) || strings.Contains(fmt.Sprint(fe.Unwrap()), archive.ErrDirectoryLarge.Error()) != tt.tooLarge {
				t.Errorf("%s (%v)\nwant %q", fe.Message, fe.Unwrap(), tt.message)
			}
		})
	}
}
