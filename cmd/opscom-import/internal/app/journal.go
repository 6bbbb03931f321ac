package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/sqlite"
)

// These are what the commands about the journal say.
type (
	JournalHealth   = sqlite.Health
	JournalRestored = sqlite.Restored
)

// CheckJournal reads the whole journal and says what is damaged. It is an error if there is
// none, or if it cannot be read.
func CheckJournal(ctx context.Context, env Env) (*JournalHealth, error) {
	if err := env.onlyEmbedded("pg_amcheck and the checksums of PostgreSQL find damage there"); err != nil {
		return nil, err
	}
	if err := env.requireJournal(); err != nil {
		return nil, err
	}
	return sqlite.CheckAll(ctx, env.Settings.State)
}

// BackupJournal copies the journal into a new file, and says what the copy holds.
func BackupJournal(ctx context.Context, env Env, path string) (health *JournalHealth, err error) {
	if err := env.onlyEmbedded("back it up with pg_dump, or with the backups of your database server"); err != nil {
		return nil, err
	}
	if err := env.requireJournal(); err != nil {
		return nil, err
	}
	j, err := sqlite.OpenToRead(ctx, env.Settings.State)
	if err != nil {
		return nil, err
	}
	health, err = j.Backup(ctx, path, time.Now())
	return health, errors.Join(err, j.Close())
}

// RestoreJournal makes the journal of a backup, in a state folder that has none.
func RestoreJournal(ctx context.Context, env Env, path string) (*JournalRestored, error) {
	if err := env.onlyEmbedded("restore it with pg_restore, or from the backups of your database server"); err != nil {
		return nil, err
	}
	if wrong := onNetwork(fileSystemOf(env.Settings.State)); wrong != "" {
		env.notify("The state folder %s %s.", env.Settings.State, wrong)
	}
	return sqlite.Restore(ctx, path, env.Settings.State)
}

func (e Env) requireJournal() error {
	exists, err := sqlite.Exists(e.Settings.State)
	if err == nil && !exists {
		err = fmt.Errorf("there is no journal in %s; name its folder with --state", e.Settings.State)
	}
	return err
}

// describeJournal says how large the journal is, how old, and what keep says; "" when there
// is no run in it.
func (e Env) describeJournal(ctx context.Context, j journal.Journal) (string, error) {
	stats, err := j.Stats(ctx)
	if err != nil || stats.Runs == 0 {
		return "", err
	}
	keep := "none is forgotten by itself"
	if e.Settings.Keep > 0 {
		keep = fmt.Sprintf("kept for %d days", e.Settings.Keep/(24*time.Hour))
	}
	return fmt.Sprintf("%s, %s, the oldest of %s, %d not finished; %s", humanize.Bytes(uint64(stats.Bytes)),
		english.Plural(stats.Runs, "run", ""), stats.Oldest.Local().Format(time.DateOnly), stats.Unfinished, keep), nil
}
