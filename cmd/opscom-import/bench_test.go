package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	benchWorkers = 32
	// serverVariable makes the test binary a bare server for the benchmark, in a
	// process of its own so that it shares no memory with what is measured.
	serverVariable = "OPSCOM_BENCH_SERVER"
)

// BenchmarkPush runs the whole program - plan, journal, push, results - and a
// bare loop of requests with prepared bodies and the same connections, against
// the same server, and reports both in rows a second and the program's share of
// the bare loop. Read ratio; docs/benchmarks.md explains.
//
//	go test -run '^$' -bench Push -benchtime 3x ./cmd/opscom-import
func BenchmarkPush(b *testing.B) {
	tuneMemory() // for both: only what the program does besides is compared
	rows := 20_000
	if testing.Short() {
		rows = 1_000
	}
	for _, server := range []struct{ name, latency, slow string }{
		{"at-once", "0s", "0s"},
		{"20ms", "20ms", "0s"},
		{"20ms-1pct-takes-1s", "20ms", "1s"},
	} {
		b.Run(server.name, func(b *testing.B) {
			base := startBenchServer(b, server.latency, server.slow)
			folder := b.TempDir()
			file := filepath.Join(folder, "students.csv")
			bodies := writeBenchFile(b, file, rows)
			var bare, program time.Duration
			b.ResetTimer()
			for i := range b.N {
				bare += timeBareLoop(b, base, bodies)
				program += timeProgram(b, base, file, filepath.Join(folder, "state"+strconv.Itoa(i)))
			}
			pushed := float64(rows * b.N)
			b.ReportMetric(pushed/bare.Seconds(), "bare-rows/s")
			b.ReportMetric(pushed/program.Seconds(), "program-rows/s")
			b.ReportMetric(bare.Seconds()/program.Seconds(), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// timeBareLoop posts every body once, from as many goroutines as the program has
// workers, each answer read to its end.
func timeBareLoop(b *testing.B, base string, bodies [][]byte) time.Duration {
	b.Helper()
	transport := &http.Transport{MaxIdleConns: benchWorkers, MaxIdleConnsPerHost: benchWorkers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range benchWorkers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(bodies)); i = next.Add(1) - 1 {
				response, err := client.Post(base+"/api/bench/v1/profiles/push", "application/json", bytes.NewReader(bodies[i]))
				if err != nil {
					b.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, response.Body)
				if err = errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != http.StatusOK {
					b.Error(response.Status, err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}

// timeProgram runs one push with a journal of its own.
func timeProgram(b *testing.B, base, file, state string) time.Duration {
	b.Helper()
	b.Setenv("OPSCOM_API_TOKEN", "bench-token")
	var out, messages bytes.Buffer
	began := time.Now()
	code := run(context.Background(), []string{
		"push", "--url", base, "--client", "bench", "--state", state, "--rate", "0",
		"--workers", strconv.Itoa(benchWorkers), "--json", "--no-progress", file,
	}, streams{strings.NewReader(""), &out, &messages})
	took := time.Since(began)
	if code != exitDone {
		b.Fatalf("exit code %d\n%s%s", code, out.String(), messages.String())
	}
	return took
}

// writeBenchFile writes a file of rows with certain headers, and returns the
// bodies that a push of it sends.
func writeBenchFile(b *testing.B, path string, rows int) [][]byte {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	names := []string{"unique_id", "login_source", "first_name", "last_name", "user_name", "email", "street", "city", "province", "postal_code"}
	w := csv.NewWriter(f)
	if err := w.Write(names); err != nil {
		b.Fatal(err)
	}
	bodies := make([][]byte, rows)
	for i := range rows {
		n := strconv.Itoa(i)
		record := []string{
			fmt.Sprintf("9%08d", i), "SSO", "Zoë", "Tremblay", "user" + n, "user" + n + "@example.edu",
			n + " College Street", "Ottawa", "ON", "K1A 0B1",
		}
		if err := w.Write(record); err != nil {
			b.Fatal(err)
		}
		body := []byte(`{"apiToken":"bench-token"`)
		for c, value := range record {
			body = fmt.Appendf(body, `,%q:%q`, names[c], value)
		}
		bodies[i] = append(body, '}')
	}
	w.Flush()
	if err := errors.Join(w.Error(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return bodies
}

// startBenchServer starts this test binary as a server and returns its address.
func startBenchServer(b *testing.B, latency, slow string) string {
	b.Helper()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serverVariable+"="+latency+","+slow)
	stdin, err := server.StdinPipe() // the server ends when this is closed
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(stdin.Close(), server.Wait()); err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// benchServer accepts every profile after a latency; every hundredth answer takes
// slow instead, when that is set. It ends with its standard input.
func benchServer(settings string) {
	latencyText, slowText, _ := strings.Cut(settings, ",")
	latency, err1 := time.ParseDuration(latencyText)
	slow, err2 := time.ParseDuration(slowText)
	listener, err3 := net.Listen("tcp", "127.0.0.1:0")
	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err)
	}
	var count atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/bench/v1/profiles/types/list", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"status":"success","user_types":[{"id":"1","type_name":"Full Time Student","ext_info":"Student"}]}`)
	})
	mux.HandleFunc("POST /api/bench/v1/profiles/push", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		n := count.Add(1)
		switch {
		case slow > 0 && n%100 == 0:
			time.Sleep(slow)
		case latency > 0:
			time.Sleep(latency)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"status":"success","reference_id":%d}`, n)
	})
	fmt.Println("http://" + listener.Addr().String())
	go http.Serve(listener, mux)
	io.Copy(io.Discard, os.Stdin)
}
