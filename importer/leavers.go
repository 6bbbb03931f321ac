package importer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"opscom-import/mapping"
)

// Leavers says whom a run took for people who left: those whom the last complete run of
// the same source had, and whose file does not have them any more.
type Leavers struct {
	Mode     string    `json:"mode"`                // as it was set: "report" or "type:NAME"
	UserType string    `json:"user_type,omitempty"` // id of the type that they get; "" when they are only reported
	Run      int64     `json:"run,omitempty"`       // that was compared with; 0 when there was none
	At       time.Time `json:"at,omitzero"`         // when it finished
	Source   string    `json:"source,omitempty"`    // its file: absolute path, or "-"
	Rows     int       `json:"rows,omitempty"`      // its rows
	People   int       `json:"people,omitempty"`    // its people
	Found    int       `json:"found,omitempty"`     // leavers; each is a row of the run
	Sent     int       `json:"sent,omitempty"`      // of these, how many the plan sends
	Alike    int       `json:"alike,omitempty"`     // of these, who may be in the file under another key, and are not sent
	Unnamed  int       `json:"unnamed,omitempty"`   // of these, whose ids are not kept although those of others are; they are not sent
	Why      string    `json:"why,omitempty"`       // why nobody was looked for, or why some may not have left, so that nobody is sent; a clause
}

// Compared reports whether there was a run to compare with. Without one nothing is known
// of leavers: there may be any number.
func (l *Leavers) Compared() bool { return l != nil && l.Run != 0 }

// Rows returns how many rows of the run are leavers; they are not in the file.
func (l *Leavers) rows() int {
	if l == nil {
		return 0
	}
	return l.Found
}

// AllRows returns how many rows a run has with that many rows in its file.
func (l *Leavers) AllRows(inFile int) int { return inFile + l.rows() }

// Leaver is a person of an earlier run who is not in the file.
type Leaver struct {
	Key         Digest
	UniqueID    string       // "" when only digests are kept
	LoginSource string       // likewise
	ReferenceID string       // as the Controller last accepted the person; "" when that is not known
	Hash        Digest       // of the profile that it last accepted; zero when that is not known, or in doubt
	Unique      UniqueValues // as far as they are known
}

// Roster is the people of the last complete run. It is for one goroutine at a time.
type Roster interface {
	// See says that a person is in the file, and reports whether the roster has them.
	See(key Digest) (known bool)
	// Missing returns those whom the Controller has, or may have, and who were not seen,
	// in the order of their rows, and how many more another source has.
	Missing(ctx context.Context) (missing []Leaver, elsewhere int, err error)
}

// LeaverSearch lets a plan look for leavers.
type LeaverSearch struct {
	Leavers              // what is known before: all but Found, Sent and Why
	Roster   Roster      // nil: there is none, and Why says so
	Accepted Acceptances // tells who was pushed as a leaver and is back; nil: nobody is
	HasKeys  bool        // the roster knows unique ids and login sources, and not only digests
	Limit    Limit       // leavers that may be sent, and rows that the file may have fewer than the run
	IsCut    func() bool // whether the file ends in the middle of a row; asked after the last one
}

// Shrank reports whether a file with that many rows has so many fewer than the run that
// was compared with that it may have been cut short.
func (l *Leavers) Shrank(limit Limit, rows int) bool {
	return l.Compared() && limit.ExceededBy(l.Rows-rows, l.Rows)
}

// doubt returns why the file may not have all people whom it should, "" when it has. A row
// whose key is not known may be anyone.
func (s *LeaverSearch) doubt(rows, keyless int) string {
	switch {
	case s.IsCut():
		return "the file may end in the middle of a row"
	case s.Shrank(s.Limit, rows):
		return fmt.Sprintf("the file has %d rows and the one of run %d had %d, a larger difference than max-leavers (%s)", rows, s.Run, s.Rows, s.Limit)
	case keyless > 0:
		return fmt.Sprintf("the file has rows whose unique id or login source cannot be relied on (%d), and they may be about these people", keyless)
	case !s.HasKeys && s.UserType != "":
		return fmt.Sprintf("only digests of the people of run %d are kept (keep_keys), and no ids", s.Run)
	}
	return ""
}

// leaverPlan is the part of a plan's making that looks for leavers.
type leaverPlan struct {
	*LeaverSearch
	returners int           // who keep the leavers' user type
	keyless   map[int]bool  // sequences of rows whose key cannot be relied on
	traces    []UniqueValue // of people who are in the file, sorted once it is read
}

// see notes who is in the file. A row is about someone whom the roster has, or may be about
// anyone whose id, e-mail address or user name is in it.
func (l *leaverPlan) see(d *Digester, sequence int, row *Row, result *mapping.Result, planned *PlannedRow) {
	isSound := planned.UniqueID != "" && planned.LoginSource != "" // a value with an error is not in the profile
	isKnown := false
	if isSound {
		key := planned.Key
		if key == (Digest{}) {
			key = d.Key(planned.LoginSource, planned.UniqueID)
		}
		isKnown = l.Roster.See(key)
	}
	isSound = isSound && !slices.ContainsFunc(row.Problems, concernsKey) && !slices.ContainsFunc(result.Problems, concernsKey)
	if !isSound {
		l.doubtRow(sequence)
	}
	l.addTraces(d.similarID(planned.UniqueID), d.Unique(&result.Profile))
	if isSound && isKnown {
		return
	}
	for _, cell := range row.Cells {
		for _, text := range cellTraces(cell.Text) {
			var profile mapping.Profile
			profile.Set(mapping.Email, text)
			profile.Set(mapping.UserName, text)
			l.addTraces(d.similarID(text), d.Unique(&profile))
		}
	}
}

// cellTraces returns the text of a cell and its parts: two addresses in one cell, or one
// with a name or "mailto:" before it, may be somebody's.
func cellTraces(text string) []string {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	traces := []string{text}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" \t\n,;:|<>()[]\"'", r) }) {
		if part = strings.Trim(part, "."); part != "" && part != text {
			traces = append(traces, part)
		}
	}
	return traces
}

func (l *leaverPlan) doubtRow(sequence int) {
	if l.keyless == nil {
		l.keyless = map[int]bool{}
	}
	l.keyless[sequence] = true
}

// addTraces adds what may tell that somebody is in the file.
func (l *leaverPlan) addTraces(id UniqueValue, values UniqueValues) {
	for _, trace := range append(values[:], id) {
		if trace.IsDigest() {
			l.traces = append(l.traces, trace)
		}
	}
}

// concernsKey reports whether a problem makes it doubtful whom its row is about: an error
// of the key, or one of the row as a whole, whose values may be in the wrong columns or be
// two people's.
func concernsKey(p mapping.Problem) bool {
	return p.Severity == mapping.SeverityError && p.Attribute <= mapping.LoginSource || p.Rule == mapping.RuleBadQuotes && p.Attribute == mapping.NoAttribute
}

// review notes the rows whose key is doubtful by what the whole file shows.
func (l *leaverPlan) review(problems []mapping.ReviewProblem) {
	for i := range problems {
		if p := &problems[i]; concernsKey(p.Problem) {
			l.doubtRow(p.Sequence)
		}
	}
	slices.Sort(l.traces)
}

// mayBeInFile returns why somebody whose key is in no row may be in the file all the same,
// nil if nothing says so.
func (l *leaverPlan) mayBeInFile(d *Digester, who *Leaver) *mapping.Problem {
	for i, trace := range append(who.Unique[:], d.similarID(who.UniqueID)) {
		if _, isIn := slices.BinarySearch(l.traces, trace); isIn && trace.IsDigest() {
			return &mapping.Problem{
				Rule: mapping.RuleMayBeInFile, Severity: mapping.SeverityWarning, Column: mapping.NoColumn,
				Message: alikeTexts[i], Advice: "Look for the person in the file. If it is someone else, change the user type in OPS-COM.",
			}
		}
	}
	return nil
}

// alikeTexts say which trace of a leaver is in the file: that of each of uniqueAttributes,
// or of the id.
var alikeTexts = [...]string{
	"Not pushed as a leaver: a row of the file has this person's e-mail address under another ID or login source.",
	"Not pushed as a leaver: a row of the file has this person's user name under another ID or login source.",
	"Not pushed as a leaver: a row of the file has nearly the same ID, or the same in another column or with another login source.",
}

// plan returns the leavers as rows after the last one of the file, and sums them up.
func (l *leaverPlan) plan(ctx context.Context, d *Digester, rows, lastRow int) (planned []PlannedRow, notes []string, err error) {
	missing, elsewhere, err := l.Roster.Missing(ctx)
	if err != nil {
		return nil, nil, err
	}
	if elsewhere > 0 {
		notes = append(notes, fmt.Sprintf("Other files have people of run %d who are not in this one (%d), by the last complete run of each; they are not taken for leavers.", l.Run, elsewhere))
	}
	l.Why = l.doubt(rows, len(l.keyless))
	for i := range missing {
		row, err := l.row(d, &missing[i])
		if err != nil {
			return nil, nil, err
		}
		if row.Hash != (Digest{}) && row.Hash == missing[i].Hash {
			continue // has that type already: somebody who was pushed as a leaver before
		}
		lastRow++
		row.Row = lastRow
		for i := range row.Problems {
			row.Problems[i].Row = lastRow
		}
		planned = append(planned, row)
		l.Found++
		if len(row.Problems) > 0 {
			l.Alike++
		}
		if row.Status == StatusPending {
			l.Sent++
		}
	}
	return planned, notes, nil
}

// row returns a leaver as a row. What is sent is no more than whom it is about, and the
// user type: the Controller keeps what is not sent.
func (l *leaverPlan) row(d *Digester, who *Leaver) (PlannedRow, error) {
	row := PlannedRow{
		UniqueID: who.UniqueID, LoginSource: who.LoginSource, Key: who.Key, Status: StatusLeaver, ReferenceID: who.ReferenceID, Leaver: true,
	}
	switch alike := l.mayBeInFile(d, who); {
	case who.UniqueID == "" || who.LoginSource == "": // nobody knows who it is
		if l.HasKeys {
			l.Unnamed++
		}
		return row, nil
	case alike != nil && l.Why == "":
		row.Problems = []RowProblem{{Problem: *alike}}
	}
	if l.UserType == "" || !l.HasKeys {
		return row, nil
	}
	payload, err := l.payload(who.UniqueID, who.LoginSource)
	if err != nil {
		return row, err
	}
	row.Hash = d.Profile(payload)
	if l.Why == "" && len(row.Problems) == 0 {
		row.Status, row.Payload, row.ReferenceID = StatusPending, payload, ""
	}
	return row, nil
}

// payload returns what is sent of a leaver.
func (l *leaverPlan) payload(uniqueID, loginSource string) ([]byte, error) {
	var profile mapping.Profile
	profile.Set(mapping.UniqueID, uniqueID)
	profile.Set(mapping.LoginSource, loginSource)
	profile.Set(mapping.UserTypeID, l.UserType)
	payload, err := profile.AppendJSON(nil)
	if err != nil {
		return nil, fmt.Errorf("plan a leaver: %w", err)
	}
	return payload, nil
}

// returnNotes says how many people keep the leavers' user type.
func (l *leaverPlan) returnNotes() []string {
	if l.returners == 0 {
		return nil
	}
	return []string{fmt.Sprintf("People who were pushed as leavers are back (%d), and keep the user type of the leavers, because the file gives them none: change it in OPS-COM.", l.returners)}
}

// warnReturners warns of the batch's rows of people who were pushed as leavers and are back,
// and who keep the leavers' user type because their row gives none.
func (r *planRun) warnReturners(ctx context.Context, b *batch) error {
	l := &r.leavers
	if l.LeaverSearch == nil || l.UserType == "" || l.Accepted == nil {
		return nil
	}
	var keys []Digest
	for i := range b.rows {
		if _, isSent := b.results[i].Profile.Get(mapping.UserTypeID); b.rows[i].Status == StatusPending && !isSent {
			keys = append(keys, b.rows[i].Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	accepted, err := l.Accepted.Accepted(ctx, r.Target, keys)
	if err != nil {
		return err
	}
	for i := range b.rows {
		row := &b.rows[i]
		last, isKnown := accepted[row.Key]
		if _, isSent := b.results[i].Profile.Get(mapping.UserTypeID); row.Status != StatusPending || isSent || !isKnown {
			continue
		}
		payload, err := l.payload(row.UniqueID, row.LoginSource)
		if err != nil {
			return err
		}
		if r.digester.Profile(payload) == last.Hash {
			l.returners++
			row.Problems = append(row.Problems, r.problem(row.Row, mapping.Problem{
				Rule: mapping.RuleLeaverIsBack, Severity: mapping.SeverityWarning, Attribute: mapping.UserTypeID, Column: mapping.NoColumn,
				Message: "This person was pushed as a leaver and is back, and keeps the user type of the leavers, because the row gives none.",
				Advice:  "Change the user type in OPS-COM, or let the mapping give it.",
			}))
		}
	}
	return nil
}

// reasons returns why the limit holds a run with these leavers, whose file has that many
// rows.
func (l *Leavers) reasons(limit Limit, rows int) []string {
	switch {
	case !l.Compared() || l.UserType == "":
		return nil
	case l.Shrank(limit, rows):
		return []string{fmt.Sprintf("the file has %d rows, and the one of run %d had %d; with a larger difference than %s (max-leavers) nobody is taken for a leaver; was the export cut short? If not, push the file with a larger max-leavers",
			rows, l.Run, l.Rows, limit)}
	case limit.ExceededBy(l.Sent, l.People):
		return []string{fmt.Sprintf("%d of the %d people of run %d are not in the file; the limit (max-leavers) is %s", l.Sent, l.People, l.Run, limit)}
	}
	return nil
}
