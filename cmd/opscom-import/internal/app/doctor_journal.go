package app

import (
	"context"
	"fmt"
	"strings"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
)

// examineJournal looks at a journal in PostgreSQL: its keys, the database a step at a time,
// and, if nothing is wrong with these, what is in it.
func (e Env) examineJournal(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, 3*stepLimit) // of some ten questions
	defer cancel()
	keys := Finding{What: "journal keys"}
	found, err := e.Settings.FindJournalKeys(ctx)
	if keys.Err = err; err == nil {
		names := found.Names()
		keys.Detail = fmt.Sprintf("from %s; %q encrypts", found.From, names[0])
		if found.File != "" {
			keys.Detail = fmt.Sprintf("from %s%s; %q encrypts", found.From, permissions(found.File), names[0])
		}
		if len(names) > 1 {
			keys.Detail += ", and these decrypt too: " + strings.Join(names[1:], ", ")
		}
		if found.Warning != "" {
			keys.Note = "; " + found.Warning
		}
	}
	findings := []Finding{keys}
	sound := keys.Err == nil
	for _, f := range postgres.Examine(ctx, e.Settings.Journal.Reveal(), e.postgresOptions()) {
		findings = append(findings, Finding(f))
		sound = sound && f.Err == nil
	}
	if sound {
		findings = append(findings, e.examineContent(ctx))
	}
	return findings
}

// examineContent says what is in the journal, and whether it can be read.
func (e Env) examineContent(ctx context.Context) Finding {
	f := Finding{What: "journal", Detail: "no run yet"}
	f.Err = e.withSilentJournal(ctx, func(j journal.Journal) error {
		content, err := e.describeJournal(ctx, j)
		if err != nil {
			return err
		}
		if content != "" {
			f.Detail = content
		}
		return j.Check(ctx)
	})
	return f
}
