package sheet

import (
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/importer/sheet/internal/text"
	"opscom-import/mapping"
)

// Preview is how a file would be read, for a person who can say how it should be. It has
// as much as could be found out, whether or not the file can be read as things are.
type Preview struct {
	Problem *FileError // why the file cannot be read as things are, and what would help; nil when it can

	Rows    []importer.Row  // the first of the sheet as they are, blank ones too as far as the file has them
	Header  importer.Header // nothing in it while it is in doubt
	Joined  []int           // numbers of the rows whose names precede those in the header's row
	Sure    bool            // the header is one, or a person has said so
	HasRows bool            // there are rows below the header

	Sheets []SheetInfo // nil for a file without sheets
	Sheet  string      // the one that is read; "" while none is chosen
	Alike  []string    // others that look like lists of people as much

	IsText            bool               // the delimiter and the encoding mean something
	Delimiter         rune               // 0 while it is in doubt
	DelimiterReadings []DelimiterReading // nil when there is no doubt about it
	Encoding          string             // standard name; "" while it is in doubt
	EncodingReadings  []EncodingReading  // nil when the text is UTF-8 or shows its encoding
}

// SheetInfo is a sheet that can be read.
type SheetInfo struct {
	Name   string
	Hidden bool
}

// DelimiterReading is how the first rows read with a delimiter.
type DelimiterReading struct {
	Delimiter rune
	Rows      []importer.Row
}

// EncodingReading is how cells with letters beyond ASCII read in an encoding.
type EncodingReading struct {
	Encoding string // standard name
	Cells    []PlacedText
}

// PlacedText is the text of a cell, and the number of its row.
type PlacedText struct {
	Row  int
	Text string
}

// How much a preview shows.
const (
	previewedRows = 30
	readingRows   = 5
	readingCells  = 6
	maxReadingRow = 200_000 // as far as letters are looked for
)

// ReadPreview reads the beginning of the file at path as [Open] does, and a text to its end
// for its encoding. The error is that of closing the file.
func ReadPreview(path string, o Options) (*Preview, error) {
	t := &Table{path: path, preview: &Preview{}}
	p := t.preview
	if err := t.openPath(o, time.Now); err != nil {
		errors.As(t.located(err), &p.Problem)
	} else {
		p.Header, p.Sure, p.Joined = t.header, t.sure, t.joined
		var row importer.Row
		p.HasRows = t.Next(&row) == nil
	}
	p.Sheet, p.Alike = t.sheet, t.alike
	if r, ok := t.rows.(*recorder); ok {
		p.Rows = r.first
	}
	return p, t.Close()
}

// recorder keeps the first rows of a sheet.
type recorder struct {
	rows.Source
	first []importer.Row
}

func (r *recorder) Next(row *importer.Row) error {
	err := r.Source.Next(row)
	if err == nil && len(r.first) < previewedRows {
		r.first = append(r.first, cloneRow(row))
	}
	return err
}

// Merges returns the merged cells of the sheet, where the reader knows any.
func (r *recorder) Merges(first, last int) ([]rows.Range, error) {
	if source, ok := r.Source.(merger); ok {
		return source.Merges(first, last)
	}
	return nil, nil
}

// recorded returns the source, whose first rows are kept where a preview needs them.
func (t *Table) recorded(source rows.Source, err error) (rows.Source, error) {
	if t.preview == nil || err != nil {
		return source, err
	}
	return &recorder{Source: source}, nil
}

// previewText finds the encoding and the delimiter of a text, and how it reads in others.
// The error is the question which it is.
func (p *Preview) previewText(content archive.Content, o Options) error {
	p.IsText = true
	found, candidates, err := text.FindEncoding(content.Open)
	for _, name := range candidates {
		cells, err := lettersIn(content, text.Options{Delimiter: o.Delimiter, Encoding: name})
		if err != nil {
			return err
		}
		standard, err := EncodingName(name)
		if err != nil {
			return err
		}
		p.EncodingReadings = append(p.EncodingReadings, EncodingReading{standard, cells})
	}
	switch {
	case o.Encoding != "":
		p.Encoding = o.Encoding
	case err != nil:
		return err
	default:
		p.Encoding = found
	}
	question := errorAsking(AskDelimiter, opens(content, text.Options{Encoding: o.Encoding}))
	if question == nil {
		return nil
	}
	for _, name := range question.Choices {
		delimiter, err := mapping.ParseDelimiter(name)
		if err != nil {
			return err
		}
		first, err := firstTextRows(content, text.Options{Delimiter: delimiter, Encoding: o.Encoding})
		if err != nil {
			return err
		}
		p.DelimiterReadings = append(p.DelimiterReadings, DelimiterReading{delimiter, first})
	}
	return nil
}

// errorAsking returns err if it is the question, nil otherwise.
func errorAsking(q Question, err error) *FileError {
	var fe *FileError
	if errors.As(err, &fe) && fe.Question == q {
		return fe
	}
	return nil
}

// opens returns what keeps the text from being read.
func opens(content archive.Content, o text.Options) error {
	source, err := text.Open(content.Open, o)
	if err != nil {
		return err
	}
	return source.Close()
}

// firstTextRows returns the first rows of the text that are not blank.
func firstTextRows(content archive.Content, o text.Options) (first []importer.Row, err error) {
	err = eachTextRow(content, o, func(row *importer.Row) (more bool) {
		if !rows.IsBlank(row) {
			first = append(first, cloneRow(row))
		}
		return len(first) < readingRows
	})
	return first, err
}

// lettersIn returns cells of the text with letters beyond ASCII.
func lettersIn(content archive.Content, o text.Options) (cells []PlacedText, err error) {
	if question := errorAsking(AskDelimiter, opens(content, o)); question != nil { // of which any will do here
		if o.Delimiter, err = mapping.ParseDelimiter(question.Choices[0]); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	err = eachTextRow(content, o, func(row *importer.Row) (more bool) {
		for _, cell := range row.Cells {
			isASCII := !strings.ContainsFunc(cell.Text, func(r rune) bool { return r >= utf8.RuneSelf })
			if !isASCII && !seen[cell.Text] && len(cells) < readingCells {
				seen[cell.Text] = true
				cells = append(cells, PlacedText{row.Number, cell.Text})
			}
		}
		return len(cells) < readingCells && row.Number < maxReadingRow
	})
	return cells, err
}

// eachTextRow gives the rows of a text to f as long as it wants more.
func eachTextRow(content archive.Content, o text.Options, f func(*importer.Row) (more bool)) (err error) {
	source, err := text.Open(content.Open, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	for row := new(importer.Row); ; {
		if err := source.Next(row); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if !f(row) {
			return nil
		}
	}
}
