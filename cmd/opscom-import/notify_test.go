package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/testscript"

	"opscom-import/cmd/opscom-import/internal/app"
)

// receiverCommand starts a server that takes messages:
//
//	receiver FILE [STATUS]    writes its address to FILE, and a line "PATH BODY" for each request to FILE.log
//
// With a status it answers so, with 0 never.
func receiverCommand(ts *testscript.TestScript, _ bool, args []string) {
	status := http.StatusOK
	if len(args) > 1 {
		status = number(ts, args[1])
	}
	path := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(path+".log", nil, 0o600))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = appendLine(path+".log", fmt.Sprintf("%s %q\n", r.URL.Path, body))
		}
		if err != nil {
			status = http.StatusInternalServerError
		}
		if status == 0 {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(status)
	}))
	ts.Defer(server.Close)
	ts.Check(os.WriteFile(path, []byte(server.URL+"/"+canaryHook+"\n"), 0o600))
}

// canaryHook is the secret part of a receiver's address.
const canaryHook = "Kanarie-hook-19af"

func appendLine(path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(line)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// told is everything that the targets of a trial have got.
type told struct {
	mu   sync.Mutex
	text bytes.Buffer
	hits map[string]int // by kind of target
}

func (r *told) add(kind, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hits[kind]++
	r.text.WriteString(text + "\n")
}

func (r *told) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the client is gone
	}
	r.add(strings.Split(request.URL.Path, "/")[1], string(body))
	w.WriteHeader(http.StatusOK)
}

// letterTo is a session of the mail server.
type letterTo struct{ *told }

func (s letterTo) Mail(string, *smtp.MailOptions) error { return nil }
func (s letterTo) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s letterTo) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.add("mail", string(text))
	return err
}
func (s letterTo) Reset()        {}
func (s letterTo) Logout() error { return nil }

// newMailbox starts a mail server and returns its address.
func newMailbox(t *testing.T, r *told) string {
	t.Helper()
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return letterTo{r}, nil }))
	server.Domain, server.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // until it is closed
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return listener.Addr().String()
}

// TestCanariesOfMessages lets runs end in every way there is, with a Controller that
// repeats whole requests in its answers, and looks for values and secrets in everything
// that the targets get, in the logs, in the process list and in the state folder.
func TestCanariesOfMessages(t *testing.T) {
	skipShort(t)
	t.Parallel()
	c := newCanaries(t)
	c.words = append(c.words, canaryHook)
	r := &told{hits: make(map[string]int)}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	c.writeNotify(r, server.URL, newMailbox(t, r))

	c.quiet(app.ExitDone, "notify", "test")
	c.moody.Store("refuses")
	c.quiet(app.ExitIncomplete, "push", c.file)
	c.moody.Store("fails")
	c.quiet(app.ExitIncomplete, "push", "--max-attempts", "1", "--max-failures", "1", "--fresh", c.file)
	c.quiet(app.ExitHeld, "push", "--min-rows", "1000", "--fresh", c.file)
	c.moody.Store("")
	c.quiet(app.ExitRows, "approve", "3")
	c.mistakes()

	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.text.String()
	if found := c.found(text, c.words); len(found) > 0 {
		t.Errorf("the targets are told %q", found)
	}
	for _, want := range []string{"is not complete (run 1)", "is not complete (run 2)", "is held, nothing was sent (run 3)", "to fix (run 3)", "unmapped.csv failed, nothing was sent"} {
		if !strings.Contains(text, want) {
			t.Errorf("nobody is told %q", want)
		}
	}
	for kind, least := range map[string]int{"mail": 9, "slack": 9, "teams": 9, "json": 9, "check": 13} {
		if r.hits[kind] < least {
			t.Errorf("%s: %d messages, want %d at least", kind, r.hits[kind], least)
		}
	}
	c.eachFile(func(name, text string) {
		if strings.HasPrefix(name, filepath.Join("state", "notify.json")) {
			if found := c.found(text, c.words); len(found) > 0 {
				t.Errorf("%s has %q", name, found)
			}
		}
	})
}

// writeNotify writes a config file with every kind of target. What the command gets comes
// to a file, and in the end to r.
func (c *canaries) writeNotify(r *told, hooks, mailbox string) {
	c.t.Helper()
	section := "notify:\n  - mail: {to: ops@example.edu, from: opscom@example.edu, server: '" + mailbox + "', tls: none}\n"
	files := map[string]string{"check-url": hooks + "/check/" + canaryHook}
	for _, style := range []string{"json", "slack", "teams"} {
		section += "  - webhook: {url_file: " + style + "-url, style: " + style + "}\n"
		files[style+"-url"] = hooks + "/" + style + "/" + canaryHook
	}
	section += "  - healthcheck: {url_file: check-url}\n"
	if runtime.GOOS != "windows" {
		section += "  - command: [/bin/sh, -c, '/bin/cat >> told.txt; /usr/bin/env >> told.txt']\n"
		c.t.Cleanup(func() {
			text, err := os.ReadFile(c.path("told.txt"))
			if found := c.found(string(text), c.words); err != nil || len(found) > 0 || !bytes.Contains(text, []byte("OPSCOM_IMPORT_EVENT=held\n")) {
				c.t.Errorf("the command is told %q, %v", found, err)
			}
		})
	}
	files["opscom-import.yaml"] = section
	for name, text := range files {
		if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
}
