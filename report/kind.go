package report

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Kind is one of the reports, as a person knows it.
type Kind string

// The reports.
const (
	KindResults  Kind = "results"
	KindProblems Kind = "problems"
	KindFix      Kind = "fix workbook"
	KindSummary  Kind = "summary"
	KindLeavers  Kind = "leavers"
)

// origin is whose work a file is.
type origin int

const (
	foreign origin = iota // not a report of that kind
	ours                  // this program can write it again
	edited                // a report that somebody has changed since
)

// editedSuffix is in the name of a fix workbook that was kept: students.fix-edited.xlsx.
const editedSuffix = "-edited"

// originOf returns whose work the regular file target is. An empty file is nobody's, and
// ours to fill.
func (k Kind) originOf(target string) (_ origin, err error) {
	file, err := os.Open(target)
	if err != nil {
		return foreign, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return foreign, err
	}
	isOurs := false
	switch {
	case info.Size() == 0:
		isOurs = true
	case k == KindResults, k == KindProblems, k == KindLeavers:
		isOurs = kindByHeader(file) == k
	case k == KindFix:
		return originOfWorkbook(file, info.Size())
	case k == KindSummary:
		isOurs, err = isSummary(file, info.Size())
	}
	if isOurs {
		return ours, err
	}
	return foreign, err
}

// check returns an error if there is a file at target, which path names, that must not
// be replaced by a report of this kind.
func (k Kind) check(path, target string) (origin, error) {
	found, err := k.originOf(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ours, nil
	case err != nil:
		return foreign, fmt.Errorf("cannot tell whether %s is a %s of this program, which may be replaced: %w; move it away, or choose another path", path, k.noun(), cause(err))
	case found == foreign && k == "":
		return foreign, fmt.Errorf("%s exists already and was not changed; choose another path, or remove it first", path)
	case found == foreign:
		return foreign, fmt.Errorf("the %s cannot replace %s: that file is not a %s of this program; move it away, or choose another path", k, path, k.noun())
	}
	return found, nil
}

// noun is the kind as one file: "results file" for the results.
func (k Kind) noun() string {
	if k == KindResults || k == KindProblems || k == KindLeavers {
		return string(k) + " file"
	}
	return string(k)
}

// makeWay makes room for a report of this kind at target, which path names. It is an
// error if there is a file that this program did not write. A fix workbook that somebody
// has edited is kept under the name that is returned, else "".
func (k Kind) makeWay(path, target string) (kept string, err error) {
	found, err := k.check(path, target)
	if err != nil || found != edited {
		return "", err
	}
	if kept, err = keep(target); err != nil {
		return "", fmt.Errorf("keep %s, which was edited: %w", path, cause(err))
	}
	return kept, nil
}

// keep renames the file to a name that is not taken, and returns it.
func keep(target string) (string, error) {
	extension := filepath.Ext(target)
	base := strings.TrimSuffix(target, extension) + editedSuffix
	for i := 1; ; i++ {
		name := base + extension
		if i > 1 {
			name = fmt.Sprintf("%s-%d%s", base, i, extension)
		}
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // so that nobody else takes the name
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = file.Close()
		}
		if err != nil {
			return "", err
		}
		if err := os.Rename(target, name); err != nil {
			return "", errors.Join(err, os.Remove(name))
		}
		return name, nil
	}
}

// isSummary reports whether the file ends as a summary does.
func isSummary(file io.ReaderAt, size int64) (bool, error) {
	const footer, end = "<footer>Written by " + programName + " ", 1024
	tail, err := io.ReadAll(io.NewSectionReader(file, max(0, size-end), end))
	return bytes.Contains(tail, []byte(footer)), err
}

// maxPart is the number of bytes of a workbook that are searched for the header of the
// advice.
const maxPart = 64 << 20

// originOfWorkbook recognizes a fix workbook by its creator, which Excel and LibreOffice
// keep, or by the header of its advice, which all programs keep. It was edited if it was
// saved by another program than wrote it: that puts its own name into the workbook.
func originOfWorkbook(file io.ReaderAt, size int64) (origin, error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return foreign, nil // not a workbook
	}
	var core struct {
		Creator string `xml:"creator"`
	}
	var app struct {
		Application string
	}
	readPart(archive, "docProps/core.xml", &core)
	readPart(archive, "docProps/app.xml", &app)
	switch {
	case core.Creator == programName && app.Application == fixApplication:
		return ours, nil
	case core.Creator == programName, hasAdvice(archive):
		return edited, nil
	default:
		return foreign, nil
	}
}

// readPart reads a small part of a workbook; without it, or if it is damaged, v stays
// as it is.
func readPart(archive *zip.Reader, name string, v any) {
	const maxProperties = 1 << 20
	part, err := archive.Open(name)
	if err != nil {
		return
	}
	defer part.Close() // only read
	_ = xml.NewDecoder(io.LimitReader(part, maxProperties)).Decode(v)
}

// hasAdvice reports whether a cell of the workbook has the header of the advice.
func hasAdvice(archive *zip.Reader) bool {
	budget := int64(maxPart)
	for _, part := range archive.File {
		if part.Name != "xl/sharedStrings.xml" && !strings.HasPrefix(part.Name, "xl/worksheets/sheet") {
			continue
		}
		content, err := part.Open()
		if err != nil {
			continue
		}
		text := &io.LimitedReader{R: content, N: budget}
		found := contains(text, AdviceHeader)
		budget = text.N
		content.Close() // only read
		if found {
			return true
		}
	}
	return false
}

// contains reports whether the text is in what r gives before it ends or fails.
func contains(r io.Reader, text string) bool {
	buffer := make([]byte, 0, 1<<16)
	for {
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if bytes.Contains(buffer, []byte(text)) {
			return true
		}
		if err != nil {
			return false
		}
		kept := min(len(buffer), len(text)-1)
		buffer = buffer[:copy(buffer, buffer[len(buffer)-kept:])]
	}
}
