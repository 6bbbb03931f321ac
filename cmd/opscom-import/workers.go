package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/fleet"
)

func workersCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "workers",
		Short: "List the workers of a journal in PostgreSQL, and what they do",
		Long: `workers lists the processes that work on the runs of a journal in PostgreSQL: where
they run, since when, whether they are idle, working or stopping, how many of their
slots are in use, and for which runs. A worker that died stays in the list for a day;
others have taken over its rows.`,
		Args: noArgument,
		RunE: withoutState(s, func(ctx context.Context, ss *session, _ []string) error {
			list, notes, err := app.Workers(ctx, ss.Env)
			if err != nil {
				return err
			}
			if err := ss.printWorkers(list); err != nil {
				return err
			}
			for _, note := range notes {
				ss.say("%s", note)
			}
			return nil
		}),
	}
}

func (s *session) printWorkers(list []fleet.Process) error {
	if s.Settings.JSON {
		return writeWorkers(s.stdout, list)
	}
	if len(list) == 0 {
		s.say("There are no workers.")
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tPROCESS\tVERSION\tSTARTED\tSTATE\tSLOTS\tROWS/S\tRUNS")
	for _, p := range list {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%d of %d\t%s\t%s\n", p.Host, p.Process, p.Version, p.Started.Local().Format("2006-01-02 15:04"), stateOf(p), len(p.Lanes), p.Slots, speedOf(p), runsOf(p))
	}
	return w.Flush()
}

func stateOf(p fleet.Process) string {
	if p.State() == fleet.Silent {
		return "not seen since " + p.Seen.Local().Format(time.DateTime)
	}
	return string(p.State())
}

// speedOf returns the rows a second of a worker that has lanes, "-" otherwise.
func speedOf(p fleet.Process) string {
	if !p.Alive || len(p.Lanes) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", p.Speed)
}

// shownRuns is how many runs of a worker its line has.
const shownRuns = 4

// runsOf returns the runs that a worker works on: "17 OC_TOMA, 18 OC_WEST and 3 more".
func runsOf(p fleet.Process) string {
	var runs []string
	last := int64(0)
	for _, lane := range p.Lanes {
		if lane.Run != last {
			last = lane.Run
			runs = append(runs, fmt.Sprintf("%d %s", lane.Run, lane.Client))
		}
	}
	if more := len(runs) - shownRuns; more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(runs[:shownRuns], ", "), more)
	}
	return strings.Join(runs, ", ")
}

// writeWorkers writes the workers as one JSON array.
func writeWorkers(w io.Writer, list []fleet.Process) error {
	type lane struct {
		Run    int64  `json:"run"`
		Client string `json:"client"`
		Lane   int    `json:"lane"`
	}
	type line struct {
		Worker    string             `json:"worker"`
		Host      string             `json:"host"`
		Process   int                `json:"process"`
		Version   string             `json:"version"`
		URL       string             `json:"url"` // that it pushes to
		State     fleet.ProcessState `json:"state"`
		Slots     int                `json:"slots"`
		Speed     float64            `json:"rows_per_second"`
		StartedAt time.Time          `json:"started_at"`
		SeenAt    time.Time          `json:"seen_at"`
		Lanes     []lane             `json:"lanes"`
	}
	lines := make([]line, len(list))
	for i, p := range list {
		lines[i] = line{p.ID, p.Host, p.Process, p.Version, p.Controller, p.State(), p.Slots, math.Round(p.Speed*10) / 10, p.Started.UTC(), p.Seen.UTC(), []lane{}}
		for _, l := range p.Lanes {
			lines[i].Lanes = append(lines[i].Lanes, lane(l))
		}
	}
	return json.NewEncoder(w).Encode(lines)
}
