package inbox

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSettled(t *testing.T) {
	folder := t.TempDir()
	b := open(t, options(folder, Settled, "*.csv"))
	path := filepath.Join(folder, "students.csv")
	write(t, path, "id\n1\n")
	setTime(t, path, noon.AddDate(-1, 0, 0)) // an upload may keep the time of the original
	found := ready(t, b, noon)
	waits(t, found, "students.csv", "it changed a short while ago; it is complete once it stays the same for 1m0s")
	if !found.Again.Equal(noon.Add(time.Minute)) {
		t.Errorf("again at %s", found.Again)
	}
	ready(t, b, noon.Add(59*time.Second))
	write(t, path, "id\n1\n2\n") // it grows, and has the same time again
	setTime(t, path, noon.AddDate(-1, 0, 0))
	ready(t, b, noon.Add(61*time.Second))
	setTime(t, path, noon.AddDate(-1, 0, 1)) // the same size, and another time
	found = ready(t, b, noon.Add(119*time.Second))
	if w := waits(t, found, "students.csv", ""); !w.Since.Equal(noon.Add(119*time.Second)) || w.Refused {
		t.Errorf("%+v", w)
	}
	ready(t, b, noon.Add(178*time.Second))
	found = ready(t, b, noon.Add(179*time.Second), "students.csv")
	if len(found.Waiting) != 0 || !found.Again.IsZero() {
		t.Errorf("%+v", found)
	}
	ready(t, b, noon.Add(time.Hour), "students.csv")
}

func TestOldestFirst(t *testing.T) {
	folder := t.TempDir()
	b := open(t, options(folder, Renamed, "*"))
	for name, age := range map[string]int{"a": 1, "b": 3, "c": 2, "e": 3, "d": 3} {
		write(t, filepath.Join(folder, name), name)
		setTime(t, filepath.Join(folder, name), noon.AddDate(0, 0, -age))
	}
	ready(t, b, noon, "b", "d", "e", "c", "a")
}

func TestMarker(t *testing.T) {
	folder := t.TempDir()
	b := open(t, options(folder, Marker, "*.csv"))
	path := filepath.Join(folder, "students.csv")
	write(t, path+".done", "") // before its file, as from an earlier upload
	waits(t, ready(t, b, noon), "students.csv", "its marker is here, and the file is not")
	write(t, path, "half")
	setTime(t, path+".done", time.Now().Add(-time.Hour))
	found := ready(t, b, noon)
	waits(t, found, "students.csv", "it is newer than its marker; it is complete once it stays the same for 1m0s")
	if !found.Again.Equal(noon.Add(time.Minute)) {
		t.Errorf("again at %s", found.Again)
	}
	write(t, path, "whole")
	if err := os.Remove(path + ".done"); err != nil {
		t.Fatal(err)
	}
	waits(t, ready(t, b, noon.Add(time.Hour)), "students.csv", "its marker students.csv.done is not here")
	write(t, path+".done", "")
	ready(t, b, noon.Add(time.Hour), "students.csv")
	// where every marker has an old time the file is not stuck
	setTime(t, path+".done", time.Now().Add(-time.Hour))
	ready(t, b, noon.Add(2*time.Hour), "students.csv")
	if err := os.Remove(path + ".done"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, path+".done"); err != nil {
		t.Fatal(err)
	}
	waits(t, ready(t, b, noon.Add(3*time.Hour)), "students.csv", "its marker students.csv.done is not a regular file")
}

func TestMarkersAreNotTaken(t *testing.T) {
	folder := t.TempDir()
	b := open(t, options(folder, Marker, "*"))
	write(t, filepath.Join(folder, "a.csv"), "x")
	write(t, filepath.Join(folder, "a.csv.done"), "")
	write(t, filepath.Join(folder, ".b.csv.done"), "")
	write(t, filepath.Join(folder, "b.csv.part.done"), "")
	found := ready(t, b, noon, "a.csv")
	if len(found.Waiting) != 0 {
		t.Errorf("%+v", found.Waiting)
	}
}

func TestRenamed(t *testing.T) {
	folder := t.TempDir()
	b := open(t, options(folder, Renamed, "*"))
	for _, name := range []string{
		"students.csv.part", "students.csv.filepart", "students.csv.PART", "students.tmp", ".students.csv.Xa12", "~$students.xlsx",
		".~lock.students.xlsx#", ".DS_Store", ".nfs000000001", "students.csv~", "x.crdownload", "Thumbs.db",
	} {
		write(t, filepath.Join(folder, name), "x")
	}
	found := ready(t, b, noon)
	if len(found.Waiting) != 0 {
		t.Errorf("%+v", found.Waiting)
	}
	if err := os.Rename(filepath.Join(folder, "students.csv.part"), filepath.Join(folder, "students.csv")); err != nil {
		t.Fatal(err)
	}
	ready(t, b, noon, "students.csv")
}

func TestPatternsChoose(t *testing.T) {
	folder := t.TempDir()
	b := open(t, options(folder, Renamed, "students*.csv", "staff.xlsx"))
	for _, name := range []string{"students-1.csv", "staff.xlsx", "readme.txt", "Students.csv", "in-progress.csv"} {
		write(t, filepath.Join(folder, name), "x")
		setTime(t, filepath.Join(folder, name), noon)
	}
	if err := os.Mkdir(filepath.Join(folder, "students"), 0o700); err != nil {
		t.Fatal(err)
	}
	found := ready(t, b, noon, "staff.xlsx", "students-1.csv")
	if len(found.Waiting) != 0 {
		t.Errorf("%+v", found.Waiting)
	}
}

func workbook(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, name := range []string{"[Content_Types].xml", "xl/workbook.xml"} {
		w, err := archive.Create(name)
		if err == nil {
			_, err = w.Write([]byte(strings.Repeat("<sheet/>", 500)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipped(t testing.TB, texts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, text := range texts {
		w := gzip.NewWriter(&out)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// Each file, cut off anywhere, waits; whole, it is ready.
func TestSettledFilesHaveAnEnd(t *testing.T) {
	book, one, two := workbook(t), zipped(t, "id\n1\n"), zipped(t, "id\n1\n", strings.Repeat("2\n", 999))
	for name, content := range map[string][]byte{
		"students.xlsx": book, "named wrongly.csv": book, "students.csv.gz": one, "two.csv.gz": two,
	} {
		for _, end := range []int{4, 10, len(content) / 2, len(content) - 9, len(content) - 1, len(content)} {
			if end == len(one) && name == "two.csv.gz" {
				continue
			}
			folder := t.TempDir()
			b := open(t, options(folder, Settled, "*"))
			write(t, filepath.Join(folder, name), string(content[:end]))
			ready(t, b, noon)
			if end == len(content) {
				ready(t, b, noon.Add(time.Minute), name)
				continue
			}
			found := ready(t, b, noon.Add(time.Minute))
			waits(t, found, name, "its archive has no end yet; it is taken as it is after 1h0m0s")
			if !found.Again.Equal(noon.Add(2 * time.Minute)) {
				t.Errorf("again at %s", found.Again)
			}
			ready(t, b, noon.Add(time.Hour-1))
			ready(t, b, noon.Add(time.Hour), name)
		}
	}
}

func TestSettledFilesThatAreNoArchive(t *testing.T) {
	folder := t.TempDir()
	b := open(t, options(folder, Settled, "*"))
	damaged := zipped(t, strings.Repeat("1\n", 500))
	damaged[len(damaged)-6] ^= 1 // a wrong sum is for the reader to refuse
	for name, content := range map[string]string{
		"a.xlsx": "<html>", "b.csv": "P", "c.gz": string(damaged), "d.gz": string(zipped(t, "1")) + "and more of something",
		"empty.csv": "", "reserved.csv": "\x00\x00\x00\x00\x00\x00",
	} {
		write(t, filepath.Join(folder, name), content)
		setTime(t, filepath.Join(folder, name), noon)
	}
	ready(t, b, noon)
	found := ready(t, b, noon.Add(time.Minute), "a.xlsx", "b.csv", "c.gz", "d.gz")
	waits(t, found, "empty.csv", "it is empty; it is taken as it is after 1h0m0s")
	waits(t, found, "reserved.csv", "no end")
	ready(t, b, noon.Add(time.Hour), "a.xlsx", "b.csv", "c.gz", "d.gz", "empty.csv", "reserved.csv")
}

// A file that changes while its end is looked for is judged by the next look.
func TestAnEndIsOfTheFileThatWasSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "students.xlsx")
	write(t, path, "id\n1\n")
	seen, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if isCutOff(path, seen) {
		t.Error("the file that was seen is cut off")
	}
	write(t, path, "id\n1\n2\n")
	if !isCutOff(path, seen) {
		t.Error("another file has an end")
	}
}

func TestAFolderThatIsGone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "in")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	b := open(t, options(folder, Settled, "*"))
	if err := os.Rename(folder, folder+"-away"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Look(noon); err == nil || !strings.Contains(err.Error(), "look into the folder of arriving files") {
		t.Errorf("%v", err)
	}
	if err := os.Rename(folder+"-away", folder); err != nil {
		t.Fatal(err)
	}
	ready(t, b, noon)
}
