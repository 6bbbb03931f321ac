package report

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/mapping"
)

const (
	// resultsTitle is the title in the properties of a workbook of results, by which it
	// is told from an export.
	resultsTitle = programName + " results"

	resultsSheet = "Results"
)

// resultColumns are the columns of the workbook. Their names are those of the CSV file
// in words.
var resultColumns = []struct {
	name  string
	width float64
}{
	{"Row", 8},
	{"Unique ID", 18},
	{"Login Source", 14},
	{"Status", 12},
	{"Reference ID", 18},
	{"Error Code", 12},
	{"Field", 18},
	{"Message", 60},
	{"Warnings", 40},
	{"Attempts", 10},
	{"Finished At", 20},
}

// WriteResultsWorkbook writes the results as a workbook for people: what WriteResults
// writes as CSV for programs, with ids as text, so that their zeros stay, and the times
// in the time zone of this machine. No cell is a formula. Nothing is written to w before
// all results were read.
//
// The error is [ErrTooLarge] when there are more results than a workbook has rows.
func WriteResultsWorkbook(w io.Writer, results iter.Seq2[importer.Result, error]) (err error) {
	b, err := newWorkbook(resultsSheet, resultsTitle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	number, err := b.file.NewStyle(&excelize.Style{Alignment: &excelize.Alignment{Vertical: "top"}})
	if err != nil {
		return fmt.Errorf("prepare the workbook: %w", err)
	}
	rows, err := b.writeResults(results, number)
	if err != nil {
		return err
	}
	last := fmt.Sprintf("%s%d", mapping.ColumnLetter(len(resultColumns)-1), rows)
	if err := b.file.AutoFilter(resultsSheet, "A1:"+last, nil); err != nil {
		return fmt.Errorf("complete the workbook: %w", err)
	}
	if err := b.writeTo(w); err != nil {
		return fmt.Errorf("complete the workbook: %w", err)
	}
	return nil
}

// writeResults writes header and rows, and returns how many these are.
func (b *workbook) writeResults(results iter.Seq2[importer.Result, error], number int) (rows int, err error) {
	stream, err := b.file.NewStreamWriter(resultsSheet)
	if err != nil {
		return 0, fmt.Errorf("prepare the workbook: %w", err)
	}
	var names []string
	for i, column := range resultColumns {
		names = append(names, column.name)
		if err := stream.SetColWidth(i+1, i+1, column.width); err != nil {
			return 0, err
		}
	}
	if err := stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return 0, err
	}
	rows = 1
	if err := stream.SetRow("A1", styled(b.header, names...)); err != nil {
		return 0, err
	}
	for result, err := range results {
		if err != nil {
			return 0, err
		}
		if rows++; rows > excelize.TotalRows {
			return 0, fmt.Errorf("more than %s rows: %w", thousands(rows-2), ErrTooLarge)
		}
		if err := stream.SetRow("A"+strconv.Itoa(rows), b.resultCells(result, number)); err != nil {
			return 0, fmt.Errorf("row %d: %w", result.Row, err)
		}
	}
	if err := b.textsAreRight(resultsSheet, len(resultColumns), rows); err != nil {
		return 0, err
	}
	return rows, stream.Flush()
}

// resultCells returns the cells of one result: counts as numbers, all else as text.
func (b *workbook) resultCells(r importer.Result, number int) []any {
	finished := ""
	if !r.FinishedAt.IsZero() {
		finished = r.FinishedAt.Local().Format(time.DateTime)
	}
	cells := styled(b.text, "", r.UniqueID, r.LoginSource, r.Status.Label(), r.ReferenceID, r.ErrorCode, r.Field, r.Message, r.Warnings, "", finished)
	cells[0] = excelize.Cell{StyleID: number, Value: r.Row}
	cells[9] = excelize.Cell{StyleID: number, Value: r.Attempts}
	return cells
}
