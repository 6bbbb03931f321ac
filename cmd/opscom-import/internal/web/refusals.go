package web

import (
	"context"
	"maps"
	"slices"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
)

// refusal is a row that OPS-COM refused in the last push of the draft, and that nobody
// has changed since. Only OPS-COM knows what is wrong with it.
type refusal struct {
	Row    int
	Person string
	Text   string // OPS-COM's reason
	Path   string // of the row, open
}

// refusalsShown is how many of them the step Rows lists.
const refusalsShown = 50

// refusals returns the draft's refused rows, in the file's order.
func (s *Server) refusals(ctx context.Context, l lang.Lang, d draft.Draft, i *app.Inspection) ([]refusal, error) {
	if d.Run == 0 {
		return nil, nil
	}
	run, _, err := app.ShowRun(ctx, s.env, d.Run)
	if err != nil || !run.StartedAt.After(d.Uploaded) { // the rows of another file
		return nil, err
	}
	refused, err := app.Refusals(ctx, s.env, d.Run)
	if err != nil {
		return nil, err
	}
	var list []refusal
	for _, number := range slices.Sorted(maps.Keys(refused)) {
		row, ok, err := i.Row(number)
		if err != nil {
			return nil, err
		}
		if !ok || slices.ContainsFunc(d.Corrections[min(d.Sent, len(d.Corrections)):], func(c importer.Correction) bool { return c.Row == number }) {
			continue
		}
		list = append(list, refusal{number, nameOf(i, &row), l.Engine(ofOPSCOM(refused[number].Message)), s.rowPath(d.ID, app.TabAll, number)})
	}
	return list, nil
}

// rowPath returns the address of a row that is open to be changed.
func (s *Server) rowPath(file int, tab app.Tab, row int) string {
	return s.link("/files/%d/rows?tab=%s&from=%d&row=%d#row-%d", file, tab, row, row, row)
}
