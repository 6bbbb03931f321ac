package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"opscom-import/importer/journal/postgres/pgtest"
)

// BenchmarkPushInPostgreSQL runs the whole program with its journal in a state folder, and in PostgreSQL, in turn and
// against a server that answers after 20 ms: push, and submit with one worker that pushes. Read ratio, the rows a second
// with PostgreSQL of those without. The file has 20,000 rows, or as many as OPSCOM_BENCH_ROWS says.
//
//	go test -run '^$' -bench PushInPostgreSQL -benchtime 3x ./cmd/opscom-import
func BenchmarkPushInPostgreSQL(b *testing.B) {
	rows := 20_000
	if testing.Short() {
		rows = 1_000
	}
	if n, err := strconv.Atoi(os.Getenv("OPSCOM_BENCH_ROWS")); err == nil {
		rows = n
	}
	b.Setenv("OPSCOM_API_TOKEN", benchToken)
	b.Setenv("OPSCOM_JOURNAL_KEY", "bench c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00")
	journal := pgtest.Start(b, pgtest.Options{FSync: true}).SocketURL("postgres")
	runProgram(b, "migrate", "--journal", journal)
	for _, command := range []string{"push", "submit"} {
		b.Run(command, func(b *testing.B) {
			server := startBenchServer(b, "20ms", "0s")
			folder := b.TempDir()
			if command == "submit" {
				tokens := filepath.Join(folder, "tokens")
				if err := errors.Join(os.Mkdir(tokens, 0o700), os.WriteFile(filepath.Join(tokens, benchClient), []byte(benchToken), 0o600)); err != nil {
					b.Fatal(err)
				}
				worker := exec.Command(os.Args[0])
				worker.Args = []string{"opscom-import", "worker", "--journal", journal, "--url", server.url, "--workers", strconv.Itoa(benchWorkers), "--token-folder", tokens, "--state", filepath.Join(folder, "worker")}
				if err := worker.Start(); err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() {
					_ = worker.Process.Signal(os.Interrupt) // its end is not measured
					_ = worker.Wait()
				})
			}
			var without, with usage
			b.ResetTimer()
			for i := range b.N {
				file := filepath.Join(folder, fmt.Sprintf("students-%d.csv", i))
				if err := writeProfiles(file, rows); err != nil {
					b.Fatal(err)
				}
				without.add(runProgram(b, server.pushArguments(file, filepath.Join(folder, "state"+strconv.Itoa(i)), benchWorkers)...))
				arguments := append([]string{command}, server.pushArguments(file, filepath.Join(folder, "state"), benchWorkers)[1:]...)
				if command == "submit" {
					arguments = append(arguments, "--wait")
				}
				with.add(runProgram(b, append(arguments, "--journal", journal)...))
			}
			pushed := rows * b.N
			b.ReportMetric(without.perSecond(pushed), "without-rows/s")
			b.ReportMetric(with.perSecond(pushed), "with-rows/s")
			b.ReportMetric(without.wall.Seconds()/with.wall.Seconds(), "ratio")
			b.ReportMetric(without.microseconds(pushed), "without-CPU-µs/row")
			b.ReportMetric(with.microseconds(pushed), "with-CPU-µs/row")
			b.ReportMetric(0, "ns/op")
		})
	}
}
