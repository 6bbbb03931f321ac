package app

import (
	"context"
	"errors"
	"fmt"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/sqlite"
)

// withJournal calls f with the journal, which f may change, and closes it.
func (e Env) withJournal(ctx context.Context, f func(journal.Journal) error) error {
	return e.withJournalTo(ctx, postgres.ToPlan(), f)
}

// withJournalTo is withJournal for what needs other rights in PostgreSQL than a planner's.
func (e Env) withJournalTo(ctx context.Context, duty postgres.Duty, f func(journal.Journal) error) error {
	j, err := e.openJournal(ctx)
	if err != nil {
		return err
	}
	if shared, ok := j.(*postgres.Journal); ok {
		if err := shared.CheckRights(ctx, duty); err != nil {
			return errors.Join(err, j.Close())
		}
	}
	j.KeepKeys(e.Settings.KeepKeys)
	return errors.Join(f(j), j.Close())
}

// openJournal opens the journal that the settings name. The one in the state folder is made
// if there is none.
func (e Env) openJournal(ctx context.Context) (journal.Journal, error) {
	if !e.Settings.Journal.IsZero() {
		return e.openPostgres(ctx)
	}
	if wrong := onNetwork(fileSystemOf(e.Settings.State)); wrong != "" {
		e.notify("The state folder %s %s.", e.Settings.State, wrong)
	}
	j, err := sqlite.Open(ctx, e.Settings.State)
	if err != nil {
		return nil, err
	}
	return j, nil
}

// readJournal returns the journal if there is one, else nil, for a command that only
// reads it. The state folder need not be writable.
func (e Env) readJournal(ctx context.Context) (journal.Journal, error) {
	exists, err := e.hasJournal()
	switch {
	case err != nil || !exists:
		return nil, err
	case !e.Settings.Journal.IsZero():
		return e.openPostgres(ctx)
	}
	j, err := sqlite.OpenToRead(ctx, e.Settings.State)
	if err != nil {
		return nil, err
	}
	return j, nil
}

// hasJournal reports whether there is a journal. Of one in PostgreSQL that shows when it is
// opened.
func (e Env) hasJournal() (bool, error) {
	if !e.Settings.Journal.IsZero() {
		return true, nil
	}
	return sqlite.Exists(e.Settings.State)
}

func (e Env) openPostgres(ctx context.Context) (journal.Journal, error) {
	options, err := e.journalOptions(ctx)
	if err != nil {
		return nil, err
	}
	j, err := postgres.Open(ctx, e.Settings.Journal.Reveal(), options)
	if err != nil {
		return nil, err
	}
	return j, nil
}

// journalOptions says how to open a journal in PostgreSQL, with its keys, and with workers that push its runs.
func (e Env) journalOptions(ctx context.Context) (postgres.Options, error) {
	keys, err := e.Settings.FindJournalKeys(ctx)
	if err != nil {
		return postgres.Options{}, &keysError{err}
	}
	if keys.Warning != "" {
		e.notify("%s", keys.Warning)
	}
	options := e.postgresOptions()
	options.Keys = keys.Ring
	options.Say = func(note string) { e.notify("%s", note) }
	if e.Progress != nil {
		options.Away = func(err error) { e.Progress.Away(err != nil, postgres.IsFull(err)) }
	}
	options.Enqueue, err = e.enqueuer()
	return options, err
}

// keysError is why there are no keys to a journal in PostgreSQL.
type keysError struct{ err error }

func (e *keysError) Error() string { return e.err.Error() }
func (e *keysError) Unwrap() error { return e.err }

// JournalPlace names where the journal is: its folder, or the address of its database.
func (e Env) JournalPlace() string {
	if !e.Settings.Journal.IsZero() {
		return e.Settings.Journal.String()
	}
	return e.Settings.State
}

// onlyEmbedded refuses a command for the journal of a state folder where the journal is in
// PostgreSQL, and says what does its work there.
func (e Env) onlyEmbedded(instead string) error {
	if e.Settings.Journal.IsZero() {
		return nil
	}
	return fmt.Errorf("the journal is in PostgreSQL, at %s, and this command is for one in a state folder: %s", e.Settings.Journal, instead)
}
