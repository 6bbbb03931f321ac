package audit

import (
	"opscom-import/importer"
	"opscom-import/importer/sandbox"
)

// checkCrash compares the journal after a crash with the requests until then, and
// with everything that followed.
func (a *auditor) checkCrash(crash *Crash, record string) {
	if crash.Journal == nil {
		a.checkNothingSent(crash, record)
		return
	}
	a.checkRows(record, crash.Journal)
	a.checkLines(record, crash.Journal, crash.Sequence)
	final := make(map[int]*importer.Result, len(a.Journal))
	for i := range a.Journal {
		final[a.Journal[i].Row] = &a.Journal[i]
	}
	for i := range crash.Journal {
		line := &crash.Journal[i]
		row := a.rows[line.Row]
		if line.Status != importer.StatusPushed || row == nil {
			continue
		}
		if all := a.requests[row.Key]; len(all) > 0 && all[len(all)-1].Sequence > crash.Sequence {
			a.report(NoRepeat, line.Row, "%s has its acceptance, but request %d came later", record, all[len(all)-1].Sequence)
		}
		if end := final[line.Row]; end != nil && (end.Status != line.Status || end.ReferenceID != line.ReferenceID) {
			a.report(NoRepeat, line.Row, "%s calls it pushed with reference id %q, but in the end it is %s with %q",
				record, line.ReferenceID, end.Status, end.ReferenceID)
		}
	}
}

// checkNothingSent checks that no request was sent before the plan was stored.
func (a *auditor) checkNothingSent(crash *Crash, record string) {
	for _, entry := range a.Requests {
		if entry.Call == sandbox.PushCall && entry.Sequence > a.Since && entry.Sequence <= crash.Sequence {
			a.report(NoGuessing, 0, "%s has no plan, but request %d had arrived", record, entry.Sequence)
			return
		}
	}
}
