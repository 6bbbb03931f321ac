package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// benchClient is the client code under which the server answers.
const benchClient = "bench"

// serveBench answers as the Controller does, and numbers the profiles. It answers each
// profile after latency, and every hundredth after slow if that is set. It writes its
// address to out as a line, and returns when in ends.
func serveBench(latency, slow time.Duration, in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var count atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/"+benchClient+"/v1/profiles/types/list", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"status":"success","user_types":[{"id":"1","type_name":"Full Time Student","ext_info":"Student"}]}`)
	})
	mux.HandleFunc("POST /api/"+benchClient+"/v1/profiles/push", func(w http.ResponseWriter, r *http.Request) {
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
	server := &http.Server{Handler: mux}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	_, err = fmt.Fprintln(out, "http://"+listener.Addr().String())
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	err = errors.Join(err, server.Close())
	if stopped := <-served; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	return err
}

// benchServer is a server in another process, so that it shares no memory with what is
// measured.
type benchServer struct {
	url     string
	command *exec.Cmd
	stdin   io.Closer
}

// runBenchServer starts a command that calls [serveBench] with its standard input and output.
func runBenchServer(command *exec.Cmd) (*benchServer, error) {
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &benchServer{command: command, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

// pushURL returns the URL to which profiles are pushed.
func (s *benchServer) pushURL() string { return s.url + "/api/" + benchClient + "/v1/profiles/push" }

// Close stops the server.
func (s *benchServer) Close() error { return errors.Join(s.stdin.Close(), s.command.Wait()) }

// pushArguments returns the command line that pushes a file to the server without a
// rate limit, with its own state folder. The caller puts [benchToken] into the environment.
func (s *benchServer) pushArguments(file, state string, workers int) []string {
	return []string{
		"push", "--url", s.url, "--client", benchClient, "--state", state, "--rate", "0",
		"--workers", strconv.Itoa(workers), "--json", "--no-progress", file,
	}
}

// bareLoop posts every body once, from that many goroutines and connections, and
// reads each answer to its end. It is the best that net/http can do.
func bareLoop(url string, bodies [][]byte, workers int) error {
	transport := &http.Transport{MaxIdleConns: workers, MaxIdleConnsPerHost: workers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var next atomic.Int64
	var group errgroup.Group
	for range workers {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(bodies)); i = next.Add(1) - 1 {
				if err := postBody(client, url, bodies[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func postBody(client *http.Client, url string, body []byte) error {
	response, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close() // read to its end
	if _, err = io.Copy(io.Discard, response.Body); err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server answered %s", response.Status)
	}
	return err
}

func TestBenchServerGetsWhatTheBareLoopSends(t *testing.T) {
	server := startBenchServer(t, "0s", "0s")
	if err := bareLoop(server.pushURL(), profileBodies(50), 4); err != nil {
		t.Error(err)
	}
	response, err := http.Post(server.pushURL(), "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(response.Body); err != nil || string(answer) != `{"status":"success","reference_id":51}` {
		t.Errorf("the next profile's answer is %s, %v; want that of the 51st", answer, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	if err := bareLoop(server.url+"/nowhere", profileBodies(1), 1); err == nil {
		t.Error("a request that was refused counts as one that was accepted")
	}
}
