package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
)

const (
	benchWorkers = 32
	// serverVariable makes the test binary a bare server for the benchmark.
	serverVariable = "OPSCOM_BENCH_SERVER"
)

// BenchmarkPush runs the whole program - plan, journal, push, results - and a
// bare loop of requests with prepared bodies and the same connections, against
// the same server, and reports both in rows a second and the program's share of
// the bare loop. Read ratio; docs/benchmarks explains.
//
//	go test -run '^$' -bench Push -benchtime 3x ./cmd/opscom-import
func BenchmarkPush(b *testing.B) {
	tuneMemory() // for both: only what the program does besides is compared
	b.Setenv("OPSCOM_API_TOKEN", benchToken)
	rows := 20_000
	if testing.Short() {
		rows = 1_000
	}
	for _, answers := range []struct{ name, latency, slow string }{
		{"at-once", "0s", "0s"},
		{"20ms", "20ms", "0s"},
		{"20ms-1pct-takes-1s", "20ms", "1s"},
	} {
		b.Run(answers.name, func(b *testing.B) {
			server := startBenchServer(b, answers.latency, answers.slow)
			folder := b.TempDir()
			file := filepath.Join(folder, "students.csv")
			if err := writeProfiles(file, rows); err != nil {
				b.Fatal(err)
			}
			bodies := profileBodies(rows)
			var bare, program time.Duration
			b.ResetTimer()
			for i := range b.N {
				began := time.Now()
				if err := bareLoop(server.pushURL(), bodies, benchWorkers); err != nil {
					b.Fatal(err)
				}
				bare += time.Since(began)
				program += timeProgram(b, server.pushArguments(file, filepath.Join(folder, "state"+strconv.Itoa(i)), benchWorkers)...)
			}
			pushed := float64(rows * b.N)
			b.ReportMetric(pushed/bare.Seconds(), "bare-rows/s")
			b.ReportMetric(pushed/program.Seconds(), "program-rows/s")
			b.ReportMetric(bare.Seconds()/program.Seconds(), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkCheck runs a check of an export of 27 columns, and cuts the same file
// into records with encoding/csv, which is all that must be done to read it. Read
// ratio: how many times as long the check takes.
//
//	go test -run '^$' -bench Check -benchtime 10x ./cmd/opscom-import
func BenchmarkCheck(b *testing.B) {
	tuneMemory()
	rows := 100_000
	if testing.Short() {
		rows = 1_000
	}
	file := filepath.Join(b.TempDir(), "export.csv")
	if err := errors.Join(writeExportCSV(file, rows), writeExportMapping(strings.TrimSuffix(file, ".csv")+".mapping.yaml")); err != nil {
		b.Fatal(err)
	}
	var records, program time.Duration
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		readRecords(b, file)
		records += time.Since(began)
		program += timeProgram(b, "check", "--state", b.TempDir(), "--no-progress", file)
	}
	checked := float64(rows * b.N)
	b.ReportMetric(checked/records.Seconds(), "record-rows/s")
	b.ReportMetric(checked/program.Seconds(), "program-rows/s")
	b.ReportMetric(program.Seconds()/records.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

// readRecords reads a file as encoding/csv does fastest.
func readRecords(b *testing.B, path string) {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	r := csv.NewReader(file)
	r.ReuseRecord = true
	for err == nil {
		_, err = r.Read()
	}
	if err = errors.Join(err, file.Close()); !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
}

// timeProgram runs one command of the program.
func timeProgram(b *testing.B, arguments ...string) time.Duration {
	b.Helper()
	var out, messages bytes.Buffer
	began := time.Now()
	code := run(context.Background(), arguments, streams{strings.NewReader(""), &out, &messages})
	took := time.Since(began)
	if code != app.ExitDone {
		b.Fatalf("exit code %d\n%s%s", code, out.String(), messages.String())
	}
	return took
}

// startBenchServer starts this test binary as a server.
func startBenchServer(b testing.TB, latency, slow string) *benchServer {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), serverVariable+"="+latency+","+slow)
	server, err := runBenchServer(command)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Close(); err != nil {
			b.Error(err)
		}
	})
	return server
}

// serveForBenchmark makes the test binary the server of the benchmark.
func serveForBenchmark(settings string) {
	latencyText, slowText, _ := strings.Cut(settings, ",")
	latency, err1 := time.ParseDuration(latencyText)
	slow, err2 := time.ParseDuration(slowText)
	if err := errors.Join(err1, err2); err != nil {
		panic(err)
	}
	if err := serveBench(latency, slow, os.Stdin, os.Stdout); err != nil {
		panic(err)
	}
}
