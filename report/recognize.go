package report

import (
	"archive/zip"
	"bufio"
	"bytes"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"opscom-import/importer"
)

// maxHeader is the number of bytes in which a report's header must end.
const maxHeader = 4096

// Recognize returns [KindResults], [KindProblems] or [KindLeavers] if the regular file at path has the
// header of that report, or is the results as a workbook, and "" for any other file, or if
// it cannot be read.
func Recognize(path string) Kind {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "" // to read a pipe would empty it
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close() // only read
	if kind := kindByHeader(file); kind != "" || !isResultsWorkbook(file, info.Size()) {
		return kind
	}
	return KindResults
}

// isResultsWorkbook reports whether a file is a workbook of WriteResultsWorkbook: other
// programs that save it keep its title.
func isResultsWorkbook(file io.ReaderAt, size int64) bool {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return false
	}
	var core struct {
		Creator string `xml:"creator"`
		Title   string `xml:"title"`
	}
	readPart(archive, "docProps/core.xml", &core)
	return core.Creator == programName && core.Title == resultsTitle
}

// kindByHeader does so for the text of a file. The header may have been saved by a
// spreadsheet: with another delimiter, in another order, without its byte order mark.
func kindByHeader(file io.Reader) Kind {
	line, err := bufio.NewReader(io.LimitReader(file, maxHeader)).ReadString('\n')
	if err != nil && err != io.EOF {
		return ""
	}
	switch words := headerWords(line); {
	case slices.Equal(words, wordsOf[resultLine]()):
		return KindResults
	case slices.Equal(words, wordsOf[problemLine]()):
		return KindProblems
	case slices.Equal(words, wordsOf[leaverLine]()):
		return KindLeavers
	default:
		return ""
	}
}

// wordsOf returns the words of the header that writeCSV writes for L.
func wordsOf[L csvLine]() []string {
	var header bytes.Buffer
	none := iter.Seq2[importer.Result, error](func(func(importer.Result, error) bool) {})
	if _, err := writeCSV(&header, none, func(importer.Result) (line L) { return line }); err != nil {
		return nil
	}
	return headerWords(header.String())
}

// headerWords returns the words of a header line, sorted.
func headerWords(line string) []string {
	words := strings.FieldsFunc(strings.TrimPrefix(line, bom), func(r rune) bool { return strings.ContainsRune(",;\t|\"\r\n ", r) })
	slices.Sort(words)
	return words
}
