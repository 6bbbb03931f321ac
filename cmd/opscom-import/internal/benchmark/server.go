package benchmark

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// client is the client code under which the server answers.
const client = "bench"

// Serve answers as the Controller does, and numbers the profiles. It answers each
// profile after latency, and every hundredth after slow if that is set. It writes its
// address to out as a line, and returns when in ends.
func Serve(latency, slow time.Duration, in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var count atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/"+client+"/v1/profiles/types/list", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"status":"success","user_types":[{"id":"1","type_name":"Full Time Student","ext_info":"Student"}]}`)
	})
	mux.HandleFunc("POST /api/"+client+"/v1/profiles/push", func(w http.ResponseWriter, r *http.Request) {
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

// Server is a server in another process, so that it shares no memory with what is
// measured.
type Server struct {
	URL     string
	command *exec.Cmd
	stdin   io.Closer
}

// StartServer starts a command that calls [Serve] with its standard input and output.
func StartServer(command *exec.Cmd) (*Server, error) {
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
	s := &Server{command: command, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.URL = strings.TrimSpace(line)
	return s, nil
}

// PushURL returns the URL to which profiles are pushed.
func (s *Server) PushURL() string { return s.URL + "/api/" + client + "/v1/profiles/push" }

// Close stops the server.
func (s *Server) Close() error { return errors.Join(s.stdin.Close(), s.command.Wait()) }

// PushArguments returns the command line that pushes a file to the server without a
// rate limit, with its own state folder. The caller puts [Token] into the environment.
func (s *Server) PushArguments(file, state string, workers int) []string {
	return []string{
		"push", "--url", s.URL, "--client", client, "--state", state, "--rate", "0",
		"--workers", strconv.Itoa(workers), "--json", "--no-progress", file,
	}
}
