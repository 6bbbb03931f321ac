package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping/answers"
	"opscom-import/report"
)

// verdict is the check of one revision of a draft. It is made once.
type verdict struct {
	*app.Inspection // nil when the file could not be checked
	Err             error
	Notes           []string

	revision int
	done     chan struct{} // closed when the check has ended; what is above is read after that
	stop     context.CancelFunc
	users    sync.WaitGroup
}

// environment returns what a use case works with for the draft.
func (s *Server) environment(d draft.Draft, notify func(string), progress *report.Progress) app.Env {
	env := s.env
	if d.Sandbox {
		env.Settings = env.Settings.ForSandbox()
	}
	s.mu.Lock()
	password := s.passwords[d.ID]
	s.mu.Unlock()
	env.Settings = env.Settings.WithSource(d.Source).WithPassword(password)
	if _, err := os.Stat(d.MappingPath()); err == nil {
		env.Settings.Mapping = d.MappingPath()
	}
	if env.Settings.OnlyChanges = d.OnlyChanges; !d.OnlyChanges {
		env.Settings.MaxChanged = importer.Limit{} // it counts changes
	}
	env.Settings.MinAge = 0 // an upload is whole, however young
	env.Corrections = d.Corrections
	none := ""
	env.Settings.Results, env.Settings.Problems, env.Settings.Fix = &none, &none, &none // they are downloaded
	env.Notify, env.Progress, env.Stdout = notify, progress, io.Discard
	return env
}

// quiet returns the environment for the draft when nobody looks at how it goes.
func (s *Server) quiet(d draft.Draft) app.Env {
	return s.environment(d, func(string) {}, report.NewProgress(io.Discard, report.Quiet))
}

// patience is how long a page waits for a check before it says that it is in progress.
const patience = 4 * time.Second

// checked returns the check of the draft as it is now; call release when done with it.
// It returns nil when it has answered the request itself: with the columns while the draft
// has not come as far as the step, and with a page that asks again when the check takes
// long.
func (s *Server) checked(w http.ResponseWriter, r *http.Request, d draft.Draft, step string) (v *verdict, release func()) {
	if !s.canOpen(d, step) {
		s.redirect(w, r, "/files/%d/columns", d.ID)
		return nil, nil
	}
	v = s.verdict(d)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-v.done:
		if errors.As(v.Err, new(*sheet.FileError)) { // the step File says what is wrong, and what helps
			v.users.Done()
			s.redirect(w, r, "/files/%d/file", d.ID)
			return nil, nil
		}
		return v, v.users.Done
	case <-timer.C:
		l := language(r)
		s.show(w, r, http.StatusOK, "wait.html", page{Title: l.T("Checking the file"), Steps: s.steps(l, d, step), Draft: &d})
	case <-r.Context().Done():
	}
	v.users.Done()
	return nil, nil
}

// verdict returns the verdict of the draft's revision and counts its user. It begins
// the check where none is of this revision, and ends that of an earlier one.
func (s *Server) verdict(d draft.Draft) *verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.verdicts[d.ID]
	if v == nil || v.revision != d.Revision {
		if outdated := v; outdated != nil {
			s.closing.Go(func() { _ = outdated.close() }) // what is not removed is at the next start
		}
		ctx, stop := context.WithCancel(context.Background())
		v = &verdict{revision: d.Revision, done: make(chan struct{}), stop: stop}
		s.verdicts[d.ID] = v
		s.closing.Go(func() {
			defer close(v.done)
			if v.Inspection, v.Err = app.Inspect(ctx, s.quiet(d), d.Path()); v.Inspection != nil {
				v.Notes = v.Inspection.Notes
			}
		})
	}
	v.users.Add(1)
	return v
}

// close ends the check and removes what it keeps, when nobody uses it any more.
func (v *verdict) close() error {
	v.stop()
	<-v.done
	v.users.Wait()
	if v.Inspection == nil {
		return nil
	}
	return v.Inspection.Close()
}

// forgetDraft forgets what is known of a draft besides what the store has.
func (s *Server) forgetDraft(id int) {
	s.mu.Lock()
	delete(s.passwords, id)
	s.mu.Unlock()
	s.forgetVerdict(id)
}

// forgetVerdict ends the check of a draft whose result may have changed for another
// reason than a change of the draft.
func (s *Server) forgetVerdict(id int) {
	s.mu.Lock()
	delete(s.previews, id)
	v := s.verdicts[id]
	delete(s.verdicts, id)
	delete(s.tables, id)
	s.mu.Unlock()
	if v != nil {
		_ = v.close() // what is not removed is at the next start
	}
}

// closeVerdicts ends all checks.
func (s *Server) closeVerdicts() error {
	s.mu.Lock()
	all := s.verdicts
	s.verdicts = map[int]*verdict{}
	s.mu.Unlock()
	var errs []error
	for _, v := range all {
		errs = append(errs, v.close())
	}
	s.closing.Wait()
	return errors.Join(errs...)
}

// readColumns reads what the columns of the draft's file seem to be, and carries over
// what was said about them before. What it says of the file is in the error.
func (s *Server) readColumns(ctx context.Context, d draft.Draft) (draft.Draft, error) {
	table, err := s.columnsOf(ctx, d)
	if err != nil {
		return d, err
	}
	return s.drafts.Change(d.ID, func(d *draft.Draft) error {
		if len(d.Answers.Headers) == 0 {
			d.Answers = answers.New(table)
		} else {
			d.Answers, _ = d.Answers.Fit(table)
		}
		return nil
	})
}
