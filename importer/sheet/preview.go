package sheet

import (
	"slices"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// preview is the first rows of a sheet that are not blank, by which its header is found.
type preview struct {
	source rows.Source
	rows   []importer.Row
	shapes []rowShape
	err    error // what came in place of one more row; nil when there are more

	knownNames map[int]int // by row, as far as they were asked for
}

// How much of a sheet is looked at to find its header.
const (
	previewRows  = 60
	previewCells = 200_000
)

// readPreview reads the first rows of a sheet, those above from left out.
func readPreview(source rows.Source, from int) *preview {
	p := &preview{source: source, knownNames: map[int]int{}}
	for cells := 0; len(p.rows) < previewRows && cells < previewCells; {
		var row importer.Row
		if p.err = source.Next(&row); p.err != nil {
			break
		}
		if row.Number < from || rows.IsBlank(&row) {
			continue
		}
		row.Cells = slices.Clip(row.Cells)
		cells += len(row.Cells)
		p.rows = append(p.rows, row)
		p.shapes = append(p.shapes, shapeOf(&row))
	}
	return p
}

// rowQueue returns rows that were read ahead before those that are still to be read.
type rowQueue struct {
	rows.Source
	ahead []importer.Row
	err   error // of the source, which returned it early
}

func (q *rowQueue) Next(row *importer.Row) error {
	if len(q.ahead) > 0 {
		first := q.ahead[0]
		q.ahead = q.ahead[1:]
		row.Number, row.Cells, row.Problems = first.Number, append(row.Cells[:0], first.Cells...), first.Problems
		return nil
	}
	if q.err == nil {
		q.err = q.Source.Next(row)
	}
	return q.err
}

// peek returns the row that comes next, nil when none does.
func (q *rowQueue) peek() *importer.Row {
	if len(q.ahead) == 0 {
		var row importer.Row
		if q.Next(&row) != nil {
			return nil
		}
		q.ahead = []importer.Row{row}
	}
	return &q.ahead[0]
}

// upcoming returns the rows that come next, as many as asked for or as there are.
func (q *rowQueue) upcoming(n int) []importer.Row {
	for len(q.ahead) < n && q.err == nil {
		var row importer.Row
		if q.err = q.Source.Next(&row); q.err == nil {
			q.ahead = append(q.ahead, row)
		}
	}
	return q.ahead[:min(n, len(q.ahead))]
}

// cloneRow copies a row whose cells will be used again.
func cloneRow(row *importer.Row) importer.Row {
	return importer.Row{Number: row.Number, Cells: append([]mapping.Cell(nil), row.Cells...), Problems: row.Problems}
}
