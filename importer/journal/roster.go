package journal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// The people of a complete run are read from its rows, which are there until it is
// forgotten. Then those of the last complete run of each source are kept apart, in a
// record of some 20 bytes a person, or twice as much with ids:
//
//	as JSON in a text: the run; then for each person flags, key, and if they are kept unique id and login source as texts

// Roster is the people of a complete run, an importer.Roster. It holds 17 bytes for each.
type Roster struct {
	CompleteRun
	People  int  // of the run, without those whom the mapping's where excluded
	HasKeys bool // it knows ids, and not only digests

	history History
	target  string
	later   []int64           // newer runs of the source that are not complete: whom they pushed is there too
	earlier []int64           // complete runs before, from the last one that looked for leavers on
	keys    []importer.Digest // of everybody, in their order
	seen    []bool            // by the same index
}

// Roster returns the people of a complete run to the target.
func (e Earlier) Roster(ctx context.Context, target string, run *CompleteRun) (*Roster, error) {
	past, err := e.history.PastOf(ctx, target)
	if err != nil {
		return nil, err
	}
	r := &Roster{CompleteRun: *run, history: e.history, target: target, keys: make([]importer.Digest, 0, run.Rows)}
	r.HasKeys = run.stored == nil || run.stored.HasKeys
	r.findLater(past)
	r.findEarlier(past)
	var skipped []importer.Digest
	err = r.each(ctx, func(e *format.Person) error {
		if e.Flags&format.FlagSkipped != 0 {
			skipped = append(skipped, e.Key)
		} else {
			r.keys = append(r.keys, e.Key)
		}
		return nil
	})
	r.keys = format.Distinct(r.keys)
	r.People = len(r.keys)
	if len(skipped) > 0 {
		r.keys = format.Distinct(append(r.keys, skipped...))
	}
	r.seen = make([]bool, len(r.keys))
	return r, err
}

// findLater finds the newer runs of the source that are not complete.
func (r *Roster) findLater(past Past) {
	for i := range past.Runs {
		run := &past.Runs[i]
		isOver := run.State == importer.RunStopped || run.State == importer.RunSuperseded || run.State == importer.RunFinished
		if run.ID > r.ID && isOver && importer.SeriesOf(run.Source) == importer.SeriesOf(r.Source) && !IsComplete(run) {
			r.later = append(r.later, run.ID)
		}
	}
	slices.Sort(r.later)
}

// findEarlier finds the runs whose people nobody has looked for since: where the run did
// not look for leavers, those back to the last one that did. Where none did, people who left
// before are not looked for at all.
func (r *Roster) findEarlier(past Past) {
	complete, restored := past.complete()
	var passed []int64
	for i := 0; !r.looked && i < len(complete); i++ {
		c := &complete[i]
		if c.ID >= r.ID || c.ID <= restored || importer.SeriesOf(c.Source) != importer.SeriesOf(r.Source) || c.stored != nil {
			continue
		}
		if passed = append(passed, c.ID); c.looked {
			r.earlier = passed
			break
		}
	}
}

// See says that a person is in the file, and reports whether they were in the run.
func (r *Roster) See(key importer.Digest) (known bool) {
	i, known := r.find(key)
	if known {
		r.seen[i] = true
	}
	return known
}

func (r *Roster) find(key importer.Digest) (i int, known bool) {
	return slices.BinarySearchFunc(r.keys, key, format.CompareKeys)
}

// Missing returns the leavers: the people who were not seen and whom the Controller has,
// or may have, and who are in the last complete run of no other source; elsewhere is how
// many are.
func (r *Roster) Missing(ctx context.Context) (missing []importer.Leaver, elsewhere int, err error) {
	if !slices.Contains(r.seen, false) {
		return nil, 0, nil
	}
	accepted := r.history.Acceptances()
	if err := accepted.hold(ctx, r.target); err != nil { // before a connection to a database is busy with the people
		return nil, 0, err
	}
	err = r.each(ctx, func(e *format.Person) error {
		i, isKnown := r.find(e.Key)
		if !isKnown || r.seen[i] {
			return nil
		}
		found, err := accepted.Accepted(ctx, r.target, []importer.Digest{e.Key})
		last, isAccepted := found[e.Key]
		if err != nil || !isAccepted && e.Flags&format.FlagHad == 0 {
			return err
		}
		r.seen[i] = true // a run may have several rows of one person
		if last.IsDoubted {
			last.Hash = importer.Digest{}
		}
		missing = append(missing, importer.Leaver{
			Key: e.Key, UniqueID: e.UniqueID, LoginSource: e.LoginSource, ReferenceID: last.ReferenceID, Hash: last.Hash, Unique: last.Unique.Over(e.Unique),
		})
		return nil
	})
	if err != nil || len(missing) == 0 {
		return nil, 0, err
	}
	return r.withoutOthers(ctx, missing)
}

// withoutOthers leaves out whom the last complete run of another source has, however old it
// is: a file may come once a week.
func (r *Roster) withoutOthers(ctx context.Context, missing []importer.Leaver) (kept []importer.Leaver, elsewhere int, err error) {
	isElsewhere := make([]bool, len(missing))
	err = eachOther(ctx, r.history, r.target, r.Source, time.Time{}, func(_ int64, people []importer.Digest) {
		for i := range missing {
			_, isIn := slices.BinarySearchFunc(people, missing[i].Key, format.CompareKeys)
			isElsewhere[i] = isElsewhere[i] || isIn
		}
	})
	if err != nil {
		return nil, 0, err
	}
	for i, leaver := range missing {
		if isElsewhere[i] {
			elsewhere++
		} else {
			kept = append(kept, leaver)
		}
	}
	return kept, elsewhere, nil
}

// eachOther calls visit with the last complete run of each other source, and the sorted keys
// of whom its file had, if it was finished after a time.
func eachOther(ctx context.Context, h History, target, source string, after time.Time, visit func(run int64, people []importer.Digest)) error {
	past, err := h.PastOf(ctx, target)
	if err != nil {
		return err
	}
	complete, _ := past.complete()
	seen := map[string]bool{importer.SeriesOf(source): true}
	for i := range complete {
		c := &complete[i]
		series := importer.SeriesOf(c.Source)
		if seen[series] || !c.FinishedAt.After(after) {
			continue
		}
		seen[series] = true
		people, err := inFileOf(ctx, h, past, c)
		if err != nil {
			return err
		}
		visit(c.ID, people)
	}
	return nil
}

// inFileOf returns the sorted keys of whom the file of a complete run had, and whom newer
// runs of it pushed.
func inFileOf(ctx context.Context, h History, past Past, run *CompleteRun) (people []importer.Digest, err error) {
	r := &Roster{CompleteRun: *run, history: h}
	r.findLater(past)
	err = r.each(ctx, func(e *format.Person) error {
		if e.Flags&format.FlagLeaver == 0 {
			people = append(people, e.Key)
		}
		return nil
	})
	return format.Distinct(people), err
}

// MovedLeavers returns how many of the leavers whom a run is still to push another source
// has by now, and its run; 0 if none has.
func (e Earlier) MovedLeavers(ctx context.Context, id int64) (n int, by int64, err error) {
	run, waiting, err := e.waitingLeavers(ctx, id)
	if err != nil || len(waiting) == 0 {
		return 0, 0, err
	}
	err = eachOther(ctx, e.history, run.Target, run.Source, run.StartedAt, func(run int64, people []importer.Digest) {
		found := 0
		for _, key := range waiting {
			if _, isIn := slices.BinarySearchFunc(people, key, format.CompareKeys); isIn {
				found++
			}
		}
		if found > n {
			n, by = found, run
		}
	})
	return n, by, err
}

// waitingLeavers returns a run, and the keys of the leavers whom it is still to push.
func (e Earlier) waitingLeavers(ctx context.Context, id int64) (run importer.RunInfo, waiting []importer.Digest, err error) {
	err = e.history.EachChunk(ctx, "read the leavers of", id, func(r *importer.RunInfo, c *format.Chunk, _ int) error {
		run = *r
		for row := range c.All {
			if row.Plan.Leaver && row.Waits() {
				waiting = append(waiting, row.Plan.Key)
			}
		}
		return nil
	})
	return run, waiting, err
}

// eachPerson calls visit with the people of a run that is not forgotten.
func eachPerson(ctx context.Context, h History, id int64, visit func(*format.Person) error) error {
	var people *format.People
	return h.EachChunk(ctx, "read the people of", id, func(r *importer.RunInfo, c *format.Chunk, claimed int) error {
		if people == nil {
			people = format.PeopleOf(r, h.Salt())
		}
		return people.Each(c, claimed, visit)
	})
}

// each calls visit with each person of the run and of earlier ones, and whom later ones
// pushed; several times if several rows are about one.
func (r *Roster) each(ctx context.Context, visit func(*format.Person) error) error {
	if r.stored != nil {
		if err := r.history.Wrap(fmt.Sprintf("read the people of run %d", r.ID), r.stored.Each(visit)); err != nil {
			return err
		}
	} else if err := eachPerson(ctx, r.history, r.ID, visit); err != nil {
		return err
	}
	for _, id := range r.earlier {
		if err := eachPerson(ctx, r.history, id, visit); err != nil {
			return err
		}
	}
	for _, id := range r.later {
		err := eachPerson(ctx, r.history, id, func(e *format.Person) error {
			if !e.IsPushed {
				return nil
			}
			return visit(e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
