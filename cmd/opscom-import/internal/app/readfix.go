package app

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
	"opscom-import/report"
)

// WrongWorkbookError says why a workbook cannot be taken back. It holds no value of a row.
type WrongWorkbookError struct {
	File   string // the workbook
	Reason string // a sentence
}

func (e *WrongWorkbookError) Error() string {
	return fmt.Sprintf("%s was not taken: %s", e.File, e.Reason)
}

// ReadFix reads a workbook that WriteFix has written and somebody has edited, and returns
// what was changed in it as corrections, in the order of the rows. A cell that still has
// what the workbook showed is not one, even if it was corrected elsewhere since, and a row
// that is not in the workbook stays as it is. The error is a [*WrongWorkbookError] when it
// is not the workbook of this file, and a *sheet.FileError when it cannot be read.
func (i *Inspection) ReadFix(path string) (corrections []importer.Correction, err error) {
	t, err := sheet.Open(path, sheet.Options{FitsHeader: func(row []string) bool { return slices.Contains(row, report.AdviceHeader) }})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	wrong := func(reason string, args ...any) error {
		return &WrongWorkbookError{filepath.Base(path), fmt.Sprintf(reason, args...)}
	}
	if reason := i.otherHeader(t.Header().Names); reason != "" {
		return nil, wrong("%s", reason)
	}
	advice := slices.Index(t.Header().Names, report.AdviceHeader)
	earlier := map[cellPlace][]string{}
	for _, c := range i.corrections {
		earlier[cellPlace{c.Row, c.Column}] = append(earlier[cellPlace{c.Row, c.Column}], c.Old)
	}
	seen := map[int]bool{}
	strangers := 0
	fault := eachRow(t, func(fixed *importer.Row) (more bool) {
		texts := make([]string, max(len(fixed.Cells), len(t.Header().Names)))
		for c, cell := range fixed.Cells {
			texts[c] = cell.Text
		}
		number, ok := report.AdvisedRow(texts[advice])
		if !ok {
			err = wrong("its row %d does not say which row of the file it is. The text in the column %q begins with it, as in \"Row 17:\"; download the workbook again if that text is lost.", fixed.Number, report.AdviceHeader)
			return false
		}
		row, ok, readErr := i.Row(number)
		switch {
		case readErr != nil:
			err = readErr
		case !ok:
			err = wrong("it has a row %d, which %s does not have. It is the workbook of another file.", number, i.Receipt.File)
		case seen[number]:
			err = wrong("it has the row %d twice. Delete one of the two.", number)
		}
		if err != nil {
			return false
		}
		seen[number] = true
		more, notMoved := i.readFixed(&row, texts, advice, earlier, &corrections, &strangers)
		if notMoved {
			err = wrong("some values of its row %d are still to the right of the column %q. Move each into its column.", fixed.Number, report.AdviceHeader)
		}
		return more
	})
	if err = cmp.Or(err, fault); err != nil {
		return nil, err
	}
	if 2*strangers > len(seen) {
		return nil, wrong("its rows are about other people than those of %s. It is the workbook of another file.", i.Receipt.File)
	}
	return corrections, nil
}

// cellPlace is where a cell is in the file.
type cellPlace struct{ row, column int }

// otherHeader says how the header of a workbook differs from that of the file, "" when it
// does not.
func (i *Inspection) otherHeader(names []string) string {
	if !slices.Contains(names, report.AdviceHeader) {
		return fmt.Sprintf("it has no column %q. Choose the workbook of rows to fix that was downloaded here.", report.AdviceHeader)
	}
	want := i.Header.Names
	if !slices.Contains(want, report.AdviceHeader) {
		want = append(slices.Clone(want), report.AdviceHeader)
	}
	for c := range max(len(names), len(want)) {
		name, wanted := "", ""
		if c < len(names) {
			name = strings.TrimSpace(names[c])
		}
		if c < len(want) {
			wanted = strings.TrimSpace(want[c])
		}
		if name != wanted {
			return fmt.Sprintf("its column %s is called %q, and that of %s %q. It is the workbook of another file, or its columns were moved.", mapping.ColumnLetter(c), name, i.Receipt.File, wanted)
		}
	}
	return ""
}

// readFixed adds the corrections that make the row what stands in the workbook, and counts
// a row that is about somebody else. notMoved is whether values were left where the
// workbook puts them so that nothing is sent by mistake, beside others that were moved.
func (i *Inspection) readFixed(row *InspectedRow, texts []string, advice int, earlier map[cellPlace][]string, corrections *[]importer.Correction, strangers *int) (more, notMoved bool) {
	shown, moved := report.FixCells(i.fixSheet(), i.fixRow(row))
	add := func(column int, text string) {
		*corrections = append(*corrections, row.Correct(column, text))
	}
	columns := min(len(i.Header.Names), len(texts))
	if moved {
		hasText := func(text string) bool { return strings.TrimSpace(text) != "" }
		isMoved := slices.ContainsFunc(texts[:advice], hasText)
		switch left := slices.ContainsFunc(texts[advice+1:], hasText); {
		case left && isMoved:
			return false, true
		case left || !isMoved:
			return true, false
		}
		for c := range columns {
			if text := texts[c]; text != row.Cell(c) {
				add(c, text)
			}
		}
		*corrections = append(*corrections, row.Whole(importer.AsItStands))
		return true, false
	}
	filled, same := 0, 0
	for c := range columns {
		text, before := strings.TrimSpace(texts[c]), strings.TrimSpace(shown[c])
		if c == advice {
			continue
		}
		was := earlier[cellPlace{row.Number, c}]
		isSame := text == before || was != nil && text == "" || slices.ContainsFunc(was, func(old string) bool {
			return text == strings.TrimSpace(old) || text == strings.TrimSpace(i.isoDate(row, c, old))
		})
		if before != "" {
			filled++
		}
		if isSame && before != "" {
			same++
		}
		if !isSame {
			add(c, texts[c])
		}
	}
	hasID := slices.ContainsFunc(i.Columns[mapping.UniqueID], func(id int) bool {
		return shown[id] == "" || strings.TrimSpace(texts[id]) == strings.TrimSpace(shown[id])
	})
	if !hasID && 2*same < filled {
		*strangers++
	}
	return true, false
}

// isoDate returns how the workbook shows a date that stands in the column.
func (i *Inspection) isoDate(row *InspectedRow, column int, text string) string {
	cells := slices.Clone(row.Cells)
	cells[column] = mapping.Cell{Text: text}
	return i.mapper.WithISODates(cells)[column].Text
}
