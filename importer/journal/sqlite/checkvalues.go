package sqlite

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

// The history of the jobs and the lists of user types have no checksums: no run depends on
// them. What cannot have been written is found by its form; another digit or letter is not.

// checkUserTypes checks the form of the lists of user types.
func (j *Journal) checkUserTypes(ctx context.Context, _ *Health) error {
	rows, err := j.reader.QueryContext(ctx, "SELECT user_types, user_types_at FROM target")
	return eachRow(rows, err, func() error {
		var list string
		var at int64
		var types []mapping.UserType
		err := rows.Scan(&list, &at)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil: // it could hold the value
			return fmt.Errorf("%w: a list is of another kind", format.ErrDamaged)
		case !utf8.ValidString(list) || !unmarshalWhole(list, &types):
			return fmt.Errorf("%w: a list cannot be read", format.ErrDamaged)
		case slices.ContainsFunc(types, func(t mapping.UserType) bool { return strings.TrimSpace(t.ID) == "" || strings.TrimSpace(t.Name) == "" }):
			return fmt.Errorf("%w: a user type has no id or no name", format.ErrDamaged)
		case !isTime(at) || at == 0 && len(types) > 0:
			return fmt.Errorf("%w: a list is of no possible time", format.ErrDamaged)
		}
		return nil
	})
}

// checkJobRuns checks the form of what the jobs did.
func (j *Journal) checkJobRuns(ctx context.Context, _ *Health) error {
	rows, err := j.reader.QueryContext(ctx, `SELECT id, job, file_hash, run, starts, exit, counts, problem, retry, told, due_at, begun_at, started_at,
		ended_at FROM job_run ORDER BY id`)
	last := int64(0)
	return eachRow(rows, err, func() error {
		var r storedJobRun
		err := rows.Scan(&r.id, &r.job, &r.hash, &r.run, &r.starts, &r.exit, &r.counts, &r.problem, &r.retry, &r.told, &r.times[0], &r.times[1], &r.times[2], &r.times[3])
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil: // it could hold the value
			return fmt.Errorf("%w: the record after record %d is of another kind", format.ErrDamaged, last)
		}
		last = r.id
		if err = r.check(); err != nil {
			return fmt.Errorf("%w: record %d: %w", format.ErrDamaged, r.id, err)
		}
		return nil
	})
}

// storedJobRun is a row of job_run.
type storedJobRun struct {
	id, run, starts, exit, retry, told int64
	job, hash, counts, problem         string
	times                              [4]int64 // due_at, begun_at, started_at, ended_at
}

// lastExit is the last of the exit codes of push.
const lastExit = 5

// check returns what cannot have been written, without its text.
func (r *storedJobRun) check() error {
	counts := importer.Counts{}
	hash, err := hex.DecodeString(r.hash)
	ended := r.times[3]
	switch {
	case r.job == "" || !utf8.ValidString(r.job) || !utf8.ValidString(r.problem):
		return errors.New("a text")
	case err != nil || len(hash) != 0 && len(hash) != 32:
		return errors.New("the checksum of the file")
	case r.run < 0 || r.starts < 1 || r.retry&^1 != 0 || r.told&^1 != 0:
		return errors.New("a number")
	case r.exit < importer.NotEnded || r.exit > lastExit:
		return errors.New("the exit code")
	case (r.exit == importer.NotEnded) != (ended == 0):
		return errors.New("the exit code and the time of its end do not fit together")
	case !unmarshalWhole(r.counts, &counts):
		return errors.New("the counts cannot be read")
	case slices.ContainsFunc(r.times[:], func(at int64) bool { return !isTime(at) }) || r.times[1] == 0 || r.times[2] == 0:
		return errors.New("a time")
	}
	for status, n := range counts {
		if n < 0 || !slices.Contains(importer.Statuses(), status) {
			return errors.New("the counts by status")
		}
	}
	return nil
}

// isTime reports whether microseconds since 1970 may be a time at which this program ran;
// 0 is none.
func isTime(micro int64) bool {
	year := time.UnixMicro(micro).UTC().Year()
	return micro == 0 || 1990 <= year && year < 2200
}

// unmarshalWhole reports whether the text is one JSON value for to, with no other members.
func unmarshalWhole(text string, to any) bool {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(to) == nil && errors.Is(d.Decode(new(any)), io.EOF)
}
