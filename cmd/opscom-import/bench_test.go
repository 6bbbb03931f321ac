package main

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	benchWorkers = 32
	// serverVariable makes the test binary a bare server for the benchmark.
	serverVariable = "OPSCOM_BENCH_SERVER"
	// launcherVariable makes it run the program and tell what that took.
	launcherVariable = "OPSCOM_BENCH_LAUNCHER"
)

// BenchmarkPush runs the whole program in a process of its own - start, plan, journal,
// push, results - and a bare loop of requests with prepared bodies and as many
// connections, against the same server. Read ratio, the program's share of the bare
// loop's rows a second; docs/benchmarks explains.
//
//	go test -run '^$' -bench Push -benchtime 3x ./cmd/opscom-import
func BenchmarkPush(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // of the bare loop's time little should be the garbage collector's
	b.Setenv("OPSCOM_API_TOKEN", benchToken)
	for _, test := range []struct {
		name          string
		latency, slow string
		rows          int
	}{
		{"at-once", "0s", "0s", 20_000},
		{"at-once-100000", "0s", "0s", 100_000},
		{"20ms", "20ms", "0s", 20_000},
		{"20ms-1pct-takes-1s", "20ms", "1s", 20_000},
	} {
		b.Run(test.name, func(b *testing.B) {
			rows := test.rows
			if testing.Short() {
				rows = 1_000
			}
			server := startBenchServer(b, test.latency, test.slow)
			folder := b.TempDir()
			file := filepath.Join(folder, "students.csv")
			if err := writeProfiles(file, rows); err != nil {
				b.Fatal(err)
			}
			bodies := profileBodies(rows)
			var bare, program usage
			b.ResetTimer()
			for i := range b.N {
				began, used := time.Now(), cpuTime()
				if err := bareLoop(server.pushURL(), bodies, benchWorkers); err != nil {
					b.Fatal(err)
				}
				bare.add(usage{wall: time.Since(began), cpu: cpuTime() - used})
				program.add(runProgram(b, server.pushArguments(file, filepath.Join(folder, "state"+strconv.Itoa(i)), benchWorkers)...))
			}
			pushed := rows * b.N
			b.ReportMetric(bare.perSecond(pushed), "bare-rows/s")
			b.ReportMetric(program.perSecond(pushed), "program-rows/s")
			b.ReportMetric(bare.wall.Seconds()/program.wall.Seconds(), "ratio")
			b.ReportMetric(bare.microseconds(pushed), "bare-CPU-µs/row")
			b.ReportMetric(program.microseconds(pushed), "program-CPU-µs/row")
			b.ReportMetric(float64(program.peak)/(1<<20), "peak-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// usage is what something took.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // most memory at a time, in bytes
}

func (u *usage) add(v usage) {
	u.wall += v.wall
	u.cpu += v.cpu
	u.peak = max(u.peak, v.peak)
}

func (u *usage) perSecond(rows int) float64 { return float64(rows) / u.wall.Seconds() }

// microseconds returns the CPU time of a row.
func (u *usage) microseconds(rows int) float64 { return float64(u.cpu.Microseconds()) / float64(rows) }

// runProgram runs one command of the program in a process of its own. A small process
// between starts it, because the most memory that the system tells of a process includes
// what the one that started it had then.
func runProgram(b *testing.B, arguments ...string) usage {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Args = append([]string{"opscom-import"}, arguments...) // by which TestMain knows what to be
	command.Env = append(os.Environ(), launcherVariable+"=1")
	command.Stderr = new(bytes.Buffer)
	out, err := command.Output()
	if err != nil {
		b.Fatalf("%v\n%s%s", err, out, command.Stderr)
	}
	var used usage
	if _, err := fmt.Sscan(string(out), &used.wall, &used.cpu, &used.peak); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return used
}

// launchForBenchmark runs the program with the same arguments, prints what that took, and
// returns its exit code.
func launchForBenchmark() int {
	if err := os.Unsetenv(launcherVariable); err != nil {
		panic(err)
	}
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	command := exec.Command(executable)
	command.Args = os.Args
	began := time.Now()
	out, err := command.CombinedOutput()
	wall := time.Since(began)
	process := command.ProcessState
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	fmt.Println(int64(wall), int64(process.UserTime()+process.SystemTime()), peakMemory(process))
	return 0
}

// BenchmarkCheck runs a check of an export of 27 columns in a process of its own, and does
// beside it what is the least that must be done to read the file: a CSV file is cut into
// records with encoding/csv, a workbook is unpacked and looked through for its tags. Read
// ratio and CPU-ratio: how many times as long the check takes, its start included.
//
//	go test -run '^$' -bench Check -benchtime 10x ./cmd/opscom-import
func BenchmarkCheck(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // of the loop's time little should be the garbage collector's
	for _, test := range []struct {
		name  string
		write func(path string, rows int) error
		read  func(path string) error
	}{
		{"export.csv", writeExportCSV, readRecords},
		{"export.xlsx", writeExportWorkbook, readTags},
	} {
		b.Run(test.name, func(b *testing.B) {
			rows := 100_000
			if testing.Short() {
				rows = 1_000
			}
			file := filepath.Join(b.TempDir(), test.name)
			mapping := strings.TrimSuffix(file, filepath.Ext(file)) + ".mapping.yaml"
			if err := errors.Join(test.write(file, rows), writeExportMapping(mapping)); err != nil {
				b.Fatal(err)
			}
			var least, program usage
			b.ResetTimer()
			for range b.N {
				began, used := time.Now(), cpuTime()
				if err := test.read(file); err != nil {
					b.Fatal(err)
				}
				least.add(usage{wall: time.Since(began), cpu: cpuTime() - used})
				program.add(runProgram(b, "check", "--state", b.TempDir(), "--no-progress", file))
			}
			checked := rows * b.N
			b.ReportMetric(least.perSecond(checked), "least-rows/s")
			b.ReportMetric(program.perSecond(checked), "program-rows/s")
			b.ReportMetric(program.wall.Seconds()/least.wall.Seconds(), "ratio")
			b.ReportMetric(program.cpu.Seconds()/least.cpu.Seconds(), "CPU-ratio")
			b.ReportMetric(program.microseconds(checked), "program-CPU-µs/row")
			b.ReportMetric(float64(program.peak)/(1<<20), "peak-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// readRecords reads a file as encoding/csv does fastest.
func readRecords(path string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r := csv.NewReader(file)
	r.ReuseRecord = true
	for err == nil {
		_, err = r.Read()
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// readTags unpacks the parts of a workbook and finds where their tags begin.
func readTags(path string) (err error) {
	book, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	buf := make([]byte, 64<<10)
	for _, file := range book.File {
		part, err := file.Open()
		if err != nil {
			return err
		}
		for err == nil {
			var n int
			n, err = part.Read(buf)
			for rest := buf[:n]; len(rest) > 0; {
				_, rest, _ = bytes.Cut(rest, []byte("<"))
			}
		}
		if closeErr := part.Close(); err != io.EOF || closeErr != nil {
			return errors.Join(err, closeErr)
		}
	}
	return nil
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
