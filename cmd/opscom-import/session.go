package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer/controller"
	"opscom-import/importer/journal"
	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
	"opscom-import/report"
)

// sandboxClient is the client under which the journal keeps what was pushed to
// the mock Controller, apart from every real one.
const sandboxClient = "sandbox"

// session is what one command works with: its settings, and what it has opened
// so far.
type session struct {
	streams
	settings   config.Settings
	log        *slog.Logger
	style      report.Style
	progress   *report.Progress
	journal    *journal.Journal
	controller *controller.Client
	sandbox    *sandbox.Server
	unlock     func() error
	userTypes  *userTypes
}

// newSession loads the settings of the command.
func newSession(c *cobra.Command, s streams) (*session, error) {
	env, err := config.System()
	if err != nil {
		return nil, err
	}
	settings, err := config.Load(c.Flags(), env)
	if err != nil {
		return nil, err
	}
	mode := report.ProgressMode(s.stderr, os.LookupEnv, settings.Quiet || settings.NoProgress)
	return startSession(settings, s, report.NewProgress(s.stderr, mode)), nil
}

// startSession returns a session that has opened nothing yet.
func startSession(settings config.Settings, s streams, progress *report.Progress) *session {
	return &session{
		streams:  s,
		settings: settings,
		log:      newLogger(progress.Writer(s.stderr), settings),
		style:    report.Style{Colour: report.Colours(s.stdout, os.LookupEnv)},
		progress: progress,
	}
}

func newLogger(w io.Writer, settings config.Settings) *slog.Logger {
	options := &slog.HandlerOptions{Level: settings.LogLevel}
	if settings.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// say tells a person something on standard error, unless they asked for quiet.
func (s *session) say(format string, args ...any) {
	if !s.settings.Quiet {
		fmt.Fprintf(s.progress.Writer(s.stderr), format+"\n", args...)
	}
}

// target names what a run is pushed to: runs of one target exclude each other.
func (s *session) target() string {
	if s.settings.Sandbox {
		return sandboxClient
	}
	return s.settings.Client + " at " + s.settings.URL
}

func (s *session) client() string {
	if s.settings.Sandbox {
		return sandboxClient
	}
	return s.settings.Client
}

// openJournal opens the journal and takes the target's lock, so that no other run
// of it is in progress, and puts in order what a run that died has left.
func (s *session) openJournal(ctx context.Context) error {
	var err error
	if s.journal == nil {
		if s.journal, err = journal.Open(ctx, s.settings.State); err != nil {
			return err
		}
	}
	if s.unlock, err = s.journal.Lock(s.target()); err != nil {
		return err
	}
	return s.journal.Recover(ctx, s.target())
}

// connect makes the Controller's client, to the mock Controller when asked.
func (s *session) connect() error {
	if s.controller != nil {
		return nil
	}
	baseURL, token := s.settings.URL, controller.Token{}
	var err error
	if s.settings.Sandbox {
		if baseURL, token, err = s.startSandbox(); err != nil {
			return err
		}
	} else {
		if s.settings.Client == "" {
			return errors.New("no client code: give --client CODE, or OPSCOM_CLIENT, or client: in opscom-import.yaml; or try --sandbox")
		}
		found, err := s.settings.FindToken()
		if err != nil {
			return err
		}
		if found.Warning != "" {
			s.say("%s", found.Warning)
		}
		token = found.Token
	}
	s.controller, err = controller.New(controller.Config{
		BaseURL: baseURL, Client: s.client(), Token: token,
		Workers: s.settings.Workers, Rate: s.settings.Rate, Burst: s.settings.Burst,
		MaxAttempts: s.settings.MaxAttempts, Timeout: s.settings.Timeout,
		InsecureHTTP: s.settings.InsecureHTTP,
		UserAgent:    "opscom-import/" + version(),
		OnWait: func(w controller.Wait) {
			s.progress.Waiting(w.Reason, w.For)
			s.log.Info("every worker waits", "reason", w.Reason, "for", w.For.String())
		},
	})
	return err
}

// startSandbox starts the mock Controller inside the process. Its people live
// on in the state folder, so that a second push updates the same ones.
func (s *session) startSandbox() (baseURL string, token controller.Token, err error) {
	config, err := s.sandboxConfig()
	if err != nil {
		return "", token, err
	}
	box, err := sandbox.New(config)
	if err != nil {
		return "", token, err
	}
	if s.sandbox, err = box.Listen("127.0.0.1:0"); err != nil {
		return "", token, errors.Join(err, box.Close())
	}
	return s.sandbox.URL, controller.NewToken(sandboxToken), nil
}

// host is the Controller's host as a person knows it.
func (s *session) host() string {
	if s.settings.Sandbox {
		return "the sandbox"
	}
	if u, err := url.Parse(s.settings.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return s.settings.URL
}

// userTypes is the Controller's list of user types, as far as it is known.
type userTypes struct {
	list  []mapping.UserType
	known bool
}

// fetchUserTypes asks the connected Controller for its user types, once a session. That it
// answers shows that address, client code and token are right before anything is
// planned.
func (s *session) fetchUserTypes(ctx context.Context) error {
	if s.userTypes != nil {
		return nil
	}
	list, err := s.controller.UserTypes(ctx)
	if err != nil {
		return fmt.Errorf("ask %s for its user types: %w", s.host(), err)
	}
	s.userTypes = &userTypes{list, true}
	if s.journal != nil {
		return s.journal.SaveUserTypes(ctx, s.target(), list, time.Now().UTC())
	}
	return nil
}

// Close gives back all that the session has opened.
func (s *session) Close() error {
	var errs []error
	if s.controller != nil {
		s.controller.Close()
	}
	if s.sandbox != nil {
		errs = append(errs, s.sandbox.Close())
	}
	if s.unlock != nil {
		errs = append(errs, s.unlock())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	return errors.Join(errs...)
}
