package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func doctorCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, token, network, Controller, state folder and clock; say what to do",
		Long: `doctor checks everything that a push needs besides the file, a step at a time:
the settings, the token, certificates, the state folder and its disk, the way to the
Controller (proxy, DNS, TCP, TLS), its answer to a call for its user types, and the
clock. It sends no profile, and waits at most five seconds for each step on the
network. FAIL says what keeps a push from working, note what to look at. Exit code
0: nothing fails; 2: something does.`,
		Args: noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error {
			findings, err := app.Doctor(ctx, ss.Env)
			for _, f := range findings {
				if f.Err != nil {
					*code = app.ExitUsage
				}
			}
			if ss.Settings.JSON {
				return errors.Join(writeFindings(s.stdout, findings), err)
			}
			for _, f := range findings {
				result, detail := judged(f)
				mark := map[string]string{"ok": ss.style.Good("ok  "), "note": "note", "fail": ss.style.Bad("FAIL")}[result]
				fmt.Fprintf(s.stdout, "%s  %-12s %s\n", mark, f.What, detail)
			}
			return err
		}),
	}
}

// judged returns what a finding is, ok, note or fail, and what to say.
func judged(f app.Finding) (result, detail string) {
	switch {
	case f.Err != nil:
		return "fail", f.Err.Error()
	case f.Note != "":
		return "note", f.Detail + f.Note
	default:
		return "ok", f.Detail
	}
}

// writeFindings writes the findings as one JSON array.
func writeFindings(w io.Writer, findings []app.Finding) error {
	type line struct {
		Check  string `json:"check"`  // what was checked
		Result string `json:"result"` // ok, note or fail
		Detail string `json:"detail"` // what was found, and what to do
	}
	lines := make([]line, len(findings))
	for i, f := range findings {
		result, detail := judged(f)
		lines[i] = line{f.What, result, detail}
	}
	return json.NewEncoder(w).Encode(lines)
}
