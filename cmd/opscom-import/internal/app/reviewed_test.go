package app

import (
	"errors"
	"os"
	"testing"

	"opscom-import/importer"
	"opscom-import/report"
)

// What is pushed is what was seen in the inspection, or nothing is.
func TestPushSendsWhatWasReviewed(t *testing.T) {
	people := "unique_id,login_source,first_name,last_name\n1,SSO,Ann,Lee\n2,SSO,Bo,Ng\n3,SSO,Cy,Roy\n"
	const other = "unique_id,login_source,first_name,last_name\n1,SSO,Ann,Lee\n2,SSO,Bo,Ng\n3,SSO,Cyd,Roy\n"
	write := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	push := func(env Env, path string) (receipt report.Receipt, err error) {
		err = Push(t.Context(), t.Context(), env, []string{path}, func(r report.Receipt) error {
			receipt = r
			return nil
		})
		return receipt, err
	}
	for name, tc := range map[string]struct {
		arguments []string
		before    func(t *testing.T, env Env, path string)                    // before the review
		change    func(t *testing.T, env *Env, path string, seen *Inspection) // between review and push
		refused   bool
		held      int // reasons in the error
		sent      int
	}{
		"nothing changed": {sent: 3},
		"a name in the file": {
			change:  func(t *testing.T, _ *Env, path string, _ *Inspection) { write(t, path, other) },
			refused: true,
		},
		"a correction": {
			change: func(_ *testing.T, env *Env, _ string, _ *Inspection) {
				env.Corrections = []importer.Correction{{Row: 4, Column: 2, Old: "Cy", New: "Cyd"}}
			},
			refused: true,
		},
		"another target": {
			change:  func(_ *testing.T, _ *Env, _ string, seen *Inspection) { seen.Digest = "of another target" },
			refused: true,
		},
		"people who are up to date by now": {
			arguments: []string{"--only-changes"},
			change: func(t *testing.T, env *Env, path string, _ *Inspection) {
				if _, err := push(*env, path); err != nil {
					t.Fatal(err)
				}
			},
			refused: true,
		},
		"people who are up to date by now, and everybody is sent": {
			change: func(t *testing.T, env *Env, path string, _ *Inspection) {
				if _, err := push(*env, path); err != nil {
					t.Fatal(err)
				}
			},
			sent: 3,
		},
		"only what is new": {
			arguments: []string{"--only-changes"},
			before: func(t *testing.T, env Env, path string) {
				if _, err := push(env, path); err != nil {
					t.Fatal(err)
				}
				write(t, path, other)
			},
			sent: 1,
		},
		"a reason to hold that was seen": {arguments: []string{"--min-rows", "4"}, sent: 3},
		"a reason to hold that was not seen": {
			arguments: []string{"--min-rows", "4"},
			change:    func(_ *testing.T, _ *Env, _ string, seen *Inspection) { seen.Receipt.Held = nil },
			refused:   true, held: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := newEnv(t, append([]string{"--sandbox", "--rate", "0"}, tc.arguments...)...)
			path := t.TempDir() + "/people.csv"
			write(t, path, people)
			if tc.before != nil {
				tc.before(t, env, path)
			}
			seen := inspected(t, env, path)
			if tc.change != nil {
				tc.change(t, &env, path, seen)
			}
			before, err := Runs(t.Context(), env)
			if err != nil {
				t.Fatal(err)
			}
			reviewed := env
			reviewed.Reviewed = &Reviewed{Digest: seen.Digest, Held: seen.Receipt.Held}
			receipt, err := push(reviewed, path)
			var changed *ChangedError
			if errors.As(err, &changed) != tc.refused || !tc.refused && err != nil {
				t.Fatalf("the push: %v", err)
			}
			after, listErr := Runs(t.Context(), env)
			if listErr != nil {
				t.Fatal(listErr)
			}
			if tc.refused {
				if receipt.Run != 0 || len(after) != len(before) || len(changed.Held) != tc.held {
					t.Errorf("receipt %+v, %d runs more, held %q", receipt, len(after)-len(before), changed.Held)
				}
				return
			}
			if receipt.Counts[importer.StatusPushed] != tc.sent || len(after) != len(before)+1 {
				t.Errorf("counts %v, %d runs more; want %d pushed and one run", receipt.Counts, len(after)-len(before), tc.sent)
			}
		})
	}
}

// A run that was not finished is replaced by what was reviewed, not continued.
func TestReviewedReplacesUnfinishedRuns(t *testing.T) {
	env := newEnv(t, "--sandbox", "--rate", "0", "--min-rows", "4")
	path := t.TempDir() + "/people.csv"
	if err := os.WriteFile(path, []byte("unique_id,login_source,first_name,last_name\n1,SSO,Ann,Lee\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ignore := func(report.Receipt) error { return nil }
	if err := Push(t.Context(), t.Context(), env, []string{path}, ignore); err != nil {
		t.Fatal(err)
	}
	seen := inspected(t, env, path)
	env.Reviewed = &Reviewed{Digest: seen.Digest, Held: seen.Receipt.Held}
	if err := Push(t.Context(), t.Context(), env, []string{path}, ignore); err != nil {
		t.Fatal(err)
	}
	runs, err := Runs(t.Context(), env)
	if err != nil || len(runs) != 2 || runs[0].State != importer.RunFinished || runs[1].State != importer.RunSuperseded {
		t.Errorf("runs %+v, %v; want one finished, and the held one before it replaced", runs, err)
	}
}
