package audit

import (
	"opscom-import/importer"
	"opscom-import/importer/sandbox"
)

// checkCrash holds what the journal said when the program had died against what
// had come by then, and against all that came later.
func (a *auditor) checkCrash(crash *Crash, witness string) {
	if crash.Journal == nil {
		a.checkNothingSent(crash, witness)
		return
	}
	a.checkRows(witness, crash.Journal)
	a.checkLines(witness, crash.Journal, crash.Sequence)
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
			a.report(NoRepeat, line.Row, "%s has its acceptance, and request %d came later", witness, all[len(all)-1].Sequence)
		}
		if end := final[line.Row]; end != nil && (end.Status != line.Status || end.ReferenceID != line.ReferenceID) {
			a.report(NoRepeat, line.Row, "%s calls it pushed with reference id %q, and in the end it is %s with %q",
				witness, line.ReferenceID, end.Status, end.ReferenceID)
		}
	}
}

// checkNothingSent makes sure that no request went out before the plan was stored.
func (a *auditor) checkNothingSent(crash *Crash, witness string) {
	for _, entry := range a.Requests {
		if entry.Call == sandbox.PushCall && entry.Sequence > a.Since && entry.Sequence <= crash.Sequence {
			a.report(NoGuessing, 0, "%s has no plan, and request %d had come", witness, entry.Sequence)
			return
		}
	}
}
