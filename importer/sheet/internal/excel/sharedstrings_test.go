package excel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The texts are the same in memory and on the disk, in order and at random.
func TestSharedStringsOnDisk(t *testing.T) {
	const items = 40_000
	text := func(i int) string {
		if i%7 == 0 {
			return ""
		}
		return strings.Repeat("é", i%60) + fmt.Sprint(i)
	}
	var part strings.Builder
	part.WriteString(`<sst xmlns="` + spreadsheetML + `">`)
	for i := range items {
		fmt.Fprintf(&part, `<si><t>%s</t></si>`, text(i))
	}
	part.WriteString(`</sst>`)
	dir := t.TempDir()
	tempFolder(t, dir)
	for _, most := range []int{maxStringsMemory, 2 * chunkBytes, 0} {
		s, err := scanSharedStrings(newXMLScanner(strings.NewReader(part.String())), most)
		if err != nil {
			t.Fatal(err)
		}
		if onDisk := s.file != nil; onDisk != (most < maxStringsMemory) {
			t.Errorf("with %d bytes: on the disk %v", most, onDisk)
		}
		for i := range items {
			for _, index := range []int{i, i * 7919 % items} {
				if got, err := s.get(index); err != nil || got != text(index) {
					t.Fatalf("with %d bytes, text %d: %q, error %v", most, index, got, err)
				}
			}
		}
		for _, index := range []int{-1, items} {
			if _, err := s.get(index); err != errStringIndex {
				t.Errorf("text %d: error %v", index, err)
			}
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestSharedStringsFaults(t *testing.T) {
	dir := t.TempDir()
	tempFolder(t, dir)
	for name, part := range map[string]string{
		"cut short":  `<sst><si><t>` + strings.Repeat("a", 1000) + `</t></si><si>`,
		"a long one": `<sst><si><t>` + strings.Repeat("a", chunkBytes) + `</t></si></sst>`,
	} {
		if s, err := scanSharedStrings(newXMLScanner(strings.NewReader(part)), 0); err == nil {
			t.Errorf("%s: %d texts", name, len(s.starts))
		}
	}
	tempFolder(t, filepath.Join(dir, "none"))
	if _, err := scanSharedStrings(newXMLScanner(strings.NewReader(`<sst><si><t>a</t></si></sst>`)), 0); err == nil {
		t.Error("no error for a folder that is not there")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

// BenchmarkSharedStringsOnDisk gets 60 MB of texts from the disk, in order and at random: a
// sheet that was sorted by another column.
func BenchmarkSharedStringsOnDisk(b *testing.B) {
	tempFolder(b, b.TempDir())
	const items = 2_000_000
	s := &sharedStrings{}
	for i := range items {
		if err := s.add(fmt.Appendf(nil, "student%d@college.example", i), 0); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.finishChunk(0); err != nil {
		b.Fatal(err)
	}
	for name, step := range map[string]int{"in-order": 1, "random": 1_234_577} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := s.get(i * step % items); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	if err := s.close(); err != nil {
		b.Fatal(err)
	}
}
