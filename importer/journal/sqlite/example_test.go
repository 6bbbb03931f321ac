package sqlite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/sqlite"
	"opscom-import/mapping"
)

// A plan goes in, rows are claimed, one is pushed, and the run is stopped.
func Example() {
	if err := pushOne(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// push row 2: {"unique_id":"A1","login_source":"SSO"}
	// row 2 pushed 1
	// row 3 invalid 0
	// row 4 not_sent 0
}

func pushOne(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "journal-example-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	j, err := sqlite.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer j.Close()

	run, err := j.Begin(ctx, importer.RunInfo{Target: "https://controller.example/OC_TEST", Source: "/data/students.csv", StartedAt: time.Now()})
	if err != nil {
		return err
	}
	err = run.Append(ctx, []importer.PlannedRow{
		{Row: 2, UniqueID: "A1", LoginSource: "SSO", Status: importer.StatusPending, Payload: []byte(`{"unique_id":"A1","login_source":"SSO"}`)},
		{Row: 3, Status: importer.StatusInvalid, Problems: []importer.RowProblem{{Row: 3, Problem: mapping.Problem{Rule: mapping.RuleRequired, Message: "Unique ID is missing."}}}},
		{Row: 4, UniqueID: "A3", LoginSource: "SSO", Status: importer.StatusPending, Payload: []byte(`{"unique_id":"A3","login_source":"SSO"}`)},
	})
	if err != nil {
		return err
	}
	if err := run.Seal(ctx, importer.RunPushing, 3, nil); err != nil {
		return err
	}
	jobs, err := run.Claim(ctx, 1)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		fmt.Printf("push row %d: %s\n", job.Row, job.Payload)
		outcome := importer.Outcome{Row: job.Row, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: "44", Attempts: 1}, FinishedAt: time.Now()}
		if err := run.Record(ctx, []importer.Outcome{outcome}); err != nil {
			return err
		}
	}
	if err := run.Stop(ctx); err != nil {
		return err
	}
	for result, err := range run.Results(ctx) {
		if err != nil {
			return err
		}
		fmt.Println("row", result.Row, result.Status, result.Attempts)
	}
	return nil
}
