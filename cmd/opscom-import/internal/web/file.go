package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// fileStep is the body of the step File.
type fileStep struct {
	ID         int            // of the draft
	Asks       sheet.Question // what is to be said before anything else
	Problem    string         // why the file cannot be read, for the person at the page
	InDoubt    bool           // something is to be confirmed
	NoPeople   bool           // there are no rows below the names
	Unnamed    bool           // no row has the names of the columns, as a person said
	HeaderRow  int            // 0 for none, or while it is in doubt
	Joined     []int          // rows above it that belong to it
	Letters    []string
	Rows       []shownRow
	Sheets     []shownSheet
	Delimiters []reading // to choose from
	Encodings  []reading
	Changes    answers.Changes // what is different in the file from the one that was there before
	IsText     bool
	HasAlike   bool // other sheets look like lists of people too
}

// shownRow is one of the first rows of the file.
type shownRow struct {
	Number   int
	Cells    []string
	IsHeader bool // it has the names, or a part of them
	IsBlank  bool
}

type shownSheet struct {
	Name             string
	IsHidden, IsRead bool
}

// reading is one of the ways in which a text can be read.
type reading struct {
	Value, Label string
	Rows         []shownRow
	IsRead       bool
}

func shownRows(rows []importer.Row) (list []shownRow) {
	for _, row := range rows {
		list = append(list, shown(row.Number, row.Cells, false))
	}
	return list
}

// How much of a file the step shows.
const (
	shownColumns = 40
	shownChars   = 60
	fewestRows   = 12
)

// previewed is the preview of one revision of a draft.
type previewed struct {
	revision int
	uploaded time.Time
	*sheet.Preview
}

// preview returns how the draft's file would be read. It is found out once for each
// revision of the draft.
func (s *Server) preview(ctx context.Context, d draft.Draft) (*sheet.Preview, error) {
	s.mu.Lock()
	known, ok := s.previews[d.ID]
	s.mu.Unlock()
	if ok && known.revision == d.Revision && known.uploaded.Equal(d.Uploaded) {
		return known.Preview, nil
	}
	env := s.quiet(d)
	env.Settings.Mapping = ""
	p, err := app.Preview(ctx, env, d.Path())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.previews[d.ID] = previewed{d.Revision, d.Uploaded, p}
	return p, nil
}

// isInDoubt reports whether a person should say how the file is to be read.
func isInDoubt(p *sheet.Preview) bool {
	return p.Problem != nil || !p.Sure || len(p.Alike) > 0 || !p.HasRows
}

func (s *Server) showFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	p, err := s.preview(r.Context(), d)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	body := s.fileStep(language(r), d, p)
	if p.Problem == nil {
		table, err := s.columnsOf(r.Context(), d)
		switch {
		case err == nil && len(d.Answers.Headers) > 0 && !d.Answers.IsFor(table.Header):
			_, body.Changes = d.Answers.Fit(table)
		case err == nil:
			err = s.foundLater(d)
		}
		var problem *sheet.FileError
		if errors.As(err, &problem) {
			body.Problem = s.fileProblem(language(r), problem)
		}
	}
	s.showStep(w, r, d, stepFile, body)
}

// foundLater returns what the check of the draft has found in the file below the rows that
// this step reads; nil when there is nothing, or no check.
func (s *Server) foundLater(d draft.Draft) error {
	s.mu.Lock()
	v := s.verdicts[d.ID]
	s.mu.Unlock()
	if v == nil || v.revision != d.Revision {
		return nil
	}
	select {
	case <-v.done:
		return v.Err
	default:
		return nil
	}
}

func (s *Server) fileStep(l lang.Lang, d draft.Draft, p *sheet.Preview) fileStep {
	body := fileStep{
		ID:      d.ID,
		InDoubt: isInDoubt(p), HeaderRow: p.Header.Row, Joined: p.Joined, IsText: p.IsText,
		Unnamed: d.Source.NoHeader, HasAlike: len(p.Alike) > 0, NoPeople: p.Problem == nil && !p.HasRows,
	}
	if p.Problem != nil {
		body.Asks = p.Problem.Question
		body.Problem = s.fileProblem(l, p.Problem)
	}
	last := 0
	for _, row := range p.Rows {
		isHeader := row.Number == p.Header.Row || slices.Contains(p.Joined, row.Number)
		body.Rows = append(body.Rows, shown(row.Number, row.Cells, isHeader))
		last = max(last, min(len(row.Cells), shownColumns))
	}
	body.Rows = body.Rows[:min(len(body.Rows), max(fewestRows, p.Header.Row+3))]
	for i := range body.Rows {
		row := &body.Rows[i]
		row.Cells = append(row.Cells, make([]string, max(0, last-len(row.Cells)))...)
	}
	for c := range last {
		body.Letters = append(body.Letters, mapping.ColumnLetter(c))
	}
	for _, one := range p.Sheets {
		body.Sheets = append(body.Sheets, shownSheet{one.Name, one.Hidden, one.Name == p.Sheet})
	}
	for _, one := range p.DelimiterReadings {
		body.Delimiters = append(body.Delimiters, reading{mapping.DelimiterName(one.Delimiter), delimiterLabel(l, one.Delimiter), shownRows(one.Rows), one.Delimiter == p.Delimiter})
	}
	if p.IsText && len(body.Delimiters) == 0 {
		for _, delimiter := range ",;\t|" {
			body.Delimiters = append(body.Delimiters, reading{mapping.DelimiterName(delimiter), delimiterLabel(l, delimiter), nil, delimiter == p.Delimiter})
		}
	}
	for _, one := range p.EncodingReadings {
		way := reading{Value: one.Encoding, Label: encodingLabel(l, one.Encoding), IsRead: one.Encoding == p.Encoding}
		for _, cell := range one.Cells {
			way.Rows = append(way.Rows, shownRow{Number: cell.Row, Cells: []string{clip(cell.Text)}})
		}
		body.Encodings = append(body.Encodings, way)
	}
	return body
}

// shown is a row as far as it is shown.
func shown(number int, cells []mapping.Cell, isHeader bool) shownRow {
	row := shownRow{Number: number, IsHeader: isHeader, IsBlank: true}
	for _, cell := range cells[:min(len(cells), shownColumns)] {
		row.Cells = append(row.Cells, clip(cell.Text))
		row.IsBlank = row.IsBlank && strings.TrimSpace(cell.Text) == ""
	}
	return row
}

// clip shortens a long text.
func clip(text string) string {
	if runes := []rune(text); len(runes) > shownChars {
		return string(runes[:shownChars-1]) + "…"
	}
	return text
}

// delimiterLabel is what separates the columns, as a person calls it.
func delimiterLabel(l lang.Lang, delimiter rune) string {
	switch delimiter {
	case ',':
		return l.T("Commas")
	case ';':
		return l.T("Semicolons")
	case '\t':
		return l.T("Tabs")
	case '|':
		return l.T("Vertical bars |")
	case ' ':
		return l.T("Spaces")
	}
	return l.T("The character %s", string(delimiter))
}

// encodingLabel is where texts in the encoding come from, as a person calls it.
func encodingLabel(l lang.Lang, encoding string) string {
	switch name := strings.ToLower(encoding); {
	case name == "windows-1252":
		return l.T("Windows")
	case name == "macintosh":
		return l.T("An older Mac")
	case strings.HasPrefix(name, "ibm"):
		return l.T("DOS, code page %s", strings.TrimPrefix(name, "ibm"))
	case strings.HasPrefix(name, "utf-"):
		return l.T("Unicode (%s)", strings.ToUpper(name))
	}
	return encoding
}

// fileProblem says for the person at the page why a file cannot be read. Questions that
// are asked beside it are left out of it.
func (s *Server) fileProblem(l lang.Lang, problem *sheet.FileError) string {
	switch problem.Question {
	case sheet.AskPassword:
		return l.T("The workbook is protected by a password.")
	case sheet.WrongPassword:
		return l.T("This password does not open the workbook. Look at capitals and spaces.")
	case sheet.AskDelimiter:
		return l.T("It is not certain what separates the columns.")
	case sheet.AskEncoding:
		return l.T("It is not certain how letters with accents are to be read.")
	}
	text := engineText(l, problem.Message)
	if problem.Row > 0 && problem.Question == sheet.AskHeader {
		return l.T("Row %d: %s", problem.Row, text)
	}
	return text
}

// readAs says in a line how the draft's file is read; "" when that is not known.
func (s *Server) readAs(r *http.Request, l lang.Lang, d draft.Draft) string {
	p, err := s.preview(r.Context(), d)
	if err != nil || p.Problem != nil {
		return ""
	}
	var parts []string
	if len(p.Sheets) > 1 {
		parts = append(parts, l.T("Sheet “%s”.", p.Sheet))
	}
	if p.Header.Row > 0 {
		parts = append(parts, l.T("Row %d has the names of the columns.", p.Header.Row))
	} else {
		parts = append(parts, l.T("No row has the names of the columns."))
	}
	if p.IsText && p.Delimiter != ',' {
		parts = append(parts, l.T("%s separate the columns.", delimiterLabel(l, p.Delimiter)))
	}
	if len(p.EncodingReadings) > 0 {
		parts = append(parts, l.T("Letters with accents are read as %s.", encodingLabel(l, p.Encoding)))
	}
	return strings.Join(parts, " ")
}

// answerFile takes how the file is to be read, or a corrected file in its place.
func (s *Server) answerFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		s.replaceFile(w, r, d)
		return
	}
	here := s.link("/files/%d/file", d.ID)
	switch {
	case r.PostFormValue("password") != "":
		s.mu.Lock()
		s.passwords[d.ID] = r.PostFormValue("password")
		s.mu.Unlock()
		d, err := s.drafts.Change(d.ID, func(*draft.Draft) error { return nil }) // a check with the password is another one
		if err != nil {
			s.fail(w, r, http.StatusConflict, s.explain(language(r), err))
			return
		}
		s.toColumns(w, r, d)
	case r.PostForm.Has("sheet"):
		s.change(w, r, d, here, func(d *draft.Draft) error {
			d.Source.Sheet, d.Source.HeaderRow, d.Source.NoHeader = r.PostFormValue("sheet"), 0, false
			return nil
		})
	case r.PostForm.Has("delimiter"):
		s.change(w, r, d, here, func(d *draft.Draft) (err error) {
			d.Source.HeaderRow, d.Source.NoHeader = 0, false
			d.Source.Delimiter, err = mapping.ParseDelimiter(r.PostFormValue("delimiter"))
			return err
		})
	case r.PostForm.Has("encoding"):
		s.change(w, r, d, here, func(d *draft.Draft) (err error) {
			d.Source.Encoding, err = sheet.EncodingName(r.PostFormValue("encoding"))
			return err
		})
	default:
		s.chooseHeader(w, r, d)
	}
}

// chooseHeader takes which row has the names of the columns, and leads to the columns. What
// was found stays found: the next file of the kind may have another title.
func (s *Server) chooseHeader(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	l := language(r)
	p, err := s.preview(r.Context(), d)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	chosen := r.PostFormValue("header")
	row, err := strconv.Atoi(chosen)
	if chosen != mapping.NoHeaderRow && (err != nil || row < 1) {
		s.fail(w, r, http.StatusUnprocessableEntity, l.T("Choose the row with the names of the columns, or say that there is none."))
		return
	}
	d, err = s.drafts.Change(d.ID, func(d *draft.Draft) error {
		isAsFound := p.Problem == nil && p.Sure && row == p.Header.Row && d.Source.HeaderRow == 0 && !d.Source.NoHeader
		if !isAsFound {
			d.Source.HeaderRow, d.Source.NoHeader = row, chosen == mapping.NoHeaderRow
		}
		if len(p.Alike) > 0 || len(p.Sheets) > 1 && !isAsFound {
			d.Source.Sheet = p.Sheet
		}
		return nil
	})
	if err == nil {
		p, err = s.preview(r.Context(), d)
	}
	if err != nil {
		s.fail(w, r, http.StatusConflict, s.explain(l, err))
		return
	}
	if p.Problem != nil {
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	if _, err := s.readColumns(r.Context(), d); err != nil { // which the step says
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	s.redirect(w, r, "/files/%d/columns", d.ID)
}

// replaceFile takes a corrected file in the place of the draft's.
func (s *Server) replaceFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	arrived, err := s.receive(r)
	if err == nil {
		d, err = s.drafts.Replace(d.ID, arrived, func(d *draft.Draft) error {
			d.Run = 0 // of the file that was there before
			return nil
		})
		err = errors.Join(err, arrived.Discard())
	}
	if err != nil {
		s.fail(w, r, http.StatusUnprocessableEntity, s.explain(language(r), err))
		return
	}
	s.toColumns(w, r, d)
}
