package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"opscom-import/importer/journal"
)

func doctorCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, token, Controller, state folder and clock; say what to do",
		Long: `doctor checks everything that a push needs besides the file: the settings, the
token, the Controller's answer to a call for its user types, the state folder and
the clock. It sends no profile. Exit code 0: all is well; 2: something is not.`,
		Args: noArgument,
		RunE: func(c *cobra.Command, _ []string) error {
			return withSession(c, s, func(ss *session) error {
				if !ss.examine(c.Context()) {
					*code = exitUsage
				}
				return nil
			})
		},
	}
}

// finding is what one of doctor's checks found.
type finding struct {
	what   string // what was checked
	detail string // what was found
	err    error  // what is wrong, and what to do; nil when nothing is
}

// examine runs every check, prints what it found, and reports whether all is well.
func (s *session) examine(ctx context.Context) bool {
	checks := []func(context.Context) finding{s.examineSettings, s.examineToken, s.examineState, s.examineController, s.examineClock}
	well := true
	for _, check := range checks {
		f := check(ctx)
		mark := s.style.Good("ok")
		if f.err != nil {
			mark, f.detail, well = s.style.Bad("no"), f.err.Error(), false
		}
		fmt.Fprintf(s.stdout, "%s  %-12s %s\n", mark, f.what, f.detail)
	}
	return well
}

func (s *session) examineSettings(context.Context) finding {
	f := finding{what: "settings", detail: "no config file; flags and environment only"}
	if s.settings.ConfigFile != "" {
		f.detail = "from " + s.settings.ConfigFile
	}
	if s.settings.Client == "" && !s.settings.Sandbox {
		f.err = errors.New("no client code: give --client CODE, or set OPSCOM_CLIENT")
	}
	return f
}

func (s *session) examineToken(context.Context) finding {
	if s.settings.Sandbox {
		return finding{what: "token", detail: "the sandbox has its own"}
	}
	found, err := s.settings.FindToken()
	if err == nil && found.Warning != "" {
		err = errors.New(found.Warning)
	}
	return finding{what: "token", detail: "from " + found.From, err: err}
}

func (s *session) examineState(ctx context.Context) finding {
	f := finding{what: "state folder", detail: s.settings.State}
	if err := os.MkdirAll(s.settings.State, 0o700); err != nil {
		f.err = err
		return f
	}
	j, err := journal.Open(ctx, s.settings.State)
	if err != nil {
		f.err = err
		return f
	}
	f.err = j.Close()
	return f
}

func (s *session) examineController(ctx context.Context) finding {
	f := finding{what: "Controller"}
	if err := s.connect(); err != nil {
		f.err = err
		return f
	}
	list, err := s.controller.UserTypes(ctx)
	f.detail, f.err = fmt.Sprintf("%s answers, and has %d user types", s.host(), len(list)), err
	return f
}

// clockTolerance is how far this machine's clock may be from the Controller's:
// Retry-After dates and the times in reports depend on it.
const clockTolerance = 2 * time.Minute

// examineClock compares this machine's clock with the Date header that the
// Controller's web server sends; nothing but that header is asked for.
func (s *session) examineClock(ctx context.Context) finding {
	f := finding{what: "clock"}
	base := s.settings.URL
	if s.sandbox != nil {
		base = s.sandbox.URL
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, base, nil)
	if err != nil {
		f.err = err
		return f
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		f.err = fmt.Errorf("the Controller's clock cannot be read: %w", err)
		return f
	}
	if err := response.Body.Close(); err != nil {
		f.err = err
		return f
	}
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		f.detail = "the Controller does not tell its time"
		return f
	}
	apart := time.Since(theirs).Abs().Round(time.Second)
	f.detail = fmt.Sprintf("%s apart from the Controller's", apart)
	if apart > clockTolerance {
		f.err = fmt.Errorf("this machine's clock is %s apart from the Controller's; set it right", apart)
	}
	return f
}
