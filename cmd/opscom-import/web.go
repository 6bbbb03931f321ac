package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/web"
	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/report"
)

func webCommand(s streams) *cobra.Command {
	var address string
	var noOpen bool
	c := &cobra.Command{
		Use:   "web",
		Short: "Open a page in the browser to check and push files without a terminal",
		Long: `web opens a page in the browser of this computer, and serves it until it is
interrupted or closed from the page. There a file is chosen, checked, pushed and
its results downloaded: to the sandbox, or to the Controller that the settings name.

The page can be reached from this computer only, by the address that is printed.`,
		Example: `  opscom-import web
  opscom-import web --client OC_TOMA --token-file token.txt`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withJournal(c, s, func(ss *session, ctx context.Context) error {
				feed, send, release := interrupts(ctx, s)
				defer release()
				return ss.serveWeb(feed, send, address, !noOpen)
			})
		},
	}
	c.Flags().StringVar(&address, "address", "127.0.0.1:0", "loopback address to listen on; port 0 takes a free one")
	c.Flags().BoolVar(&noOpen, "no-open", false, "print the address only, and start no browser")
	return c
}

// serveWeb serves the page until feed is done, and waits for what is in progress.
func (s *session) serveWeb(feed, send context.Context, address string, open bool) (err error) {
	server, err := web.New(web.Config{
		Importer: webWorker{s}, Suggester: webWorker{s}, History: webWorker{s},
		Folder: filepath.Join(s.settings.State, "web"), Real: s.realController(), Sandbox: sandboxClient, Log: s.log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	listener, err := listenOnLoopback(address)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "The page is at  %s\nIt can be reached from this computer only. Interrupt (Ctrl-C) to end.\n", server.URL(listener.Addr()))
	if open {
		if err := openBrowser(server.OnceURL(listener.Addr())); err != nil {
			s.say("No browser could be started (%v): open the address above in one.", err)
		}
	}
	return server.Serve(feed, send, listener)
}

func listenOnLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("--address: %q is not a loopback address with a port, and the page is for this computer only; give one such as 127.0.0.1:8490", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve the page: %w", err)
	}
	return listener, nil
}

// openBrowser starts the user's browser.
func openBrowser(url string) error {
	command := exec.Command("xdg-open", url)
	switch runtime.GOOS {
	case "darwin":
		command = exec.Command("open", url)
	case "windows":
		command = exec.Command("rundll32", "url.dll,FileProtocolHandler", url)
	}
	if err := command.Start(); err != nil {
		return err
	}
	return command.Process.Release() // the browser outlives us
}

// realController says where the settings push to, without asking there.
func (s *session) realController() web.Real {
	switch {
	case s.settings.Sandbox:
		return web.Real{Missing: "the program was started for the sandbox only."}
	case s.settings.Client == "":
		return web.Real{Missing: "no client code is set. A colleague can set it up, with docs/guide/web.md."}
	}
	controller := web.Real{Name: fmt.Sprintf("%s (client %s)", s.host(), s.settings.Client)}
	if _, err := s.settings.FindToken(); err != nil {
		controller.Missing = err.Error() + "."
	}
	return controller
}

// webWorker does what the web page asks for, as the commands do it.
type webWorker struct{ launch *session }

// begin returns a session for one job, with the settings of this launch.
func (w webWorker) begin(job web.Job) *session {
	settings := w.launch.settings
	if job.Sandbox {
		settings = settings.ForSandbox()
	}
	settings.Quiet = false // what would be said goes to the job's notes
	none := ""
	settings.Results, settings.Problems, settings.Fix = &none, &none, &none // they are downloaded
	return startSession(settings, streams{stdout: io.Discard, stderr: job.Notes}, job.Progress)
}

// Check implements web.Importer.
func (w webWorker) Check(ctx context.Context, job web.Job) (receipt report.Receipt, err error) {
	s := w.begin(job)
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.openJournalToRead(ctx); err != nil {
		return receipt, err
	}
	if err := s.learnUserTypes(ctx); err != nil {
		return receipt, err
	}
	receipt, err = s.checkFile(ctx, job.File)
	if errors.As(err, new(*suggestionError)) {
		err = web.ErrUncertain
	}
	return receipt, err
}

// Push implements web.Importer.
func (w webWorker) Push(feed, send context.Context, job web.Job) (receipt report.Receipt, err error) {
	s := w.begin(job)
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.openJournal(feed); err != nil {
		return receipt, err
	}
	return s.pushFile(feed, send, job.File)
}

// Approve implements web.Importer.
func (w webWorker) Approve(feed, send context.Context, run int64, job web.Job) (receipt report.Receipt, err error) {
	s := w.begin(job)
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.approveRun(feed, send, run)
}

// Suggest implements web.Suggester.
func (w webWorker) Suggest(job web.Job) ([]mapping.Suggestion, []byte, error) {
	s := w.begin(job)
	in, err := openInput(context.Background(), job.File, s.streams)
	if err != nil {
		return nil, nil, err
	}
	columns, err := s.suggest(in)
	if err != nil {
		return nil, nil, err
	}
	text, err := mapping.FormatSuggestion(s.sourceSection(), columns)
	return columns, text, err
}

// Runs implements web.History.
func (w webWorker) Runs(ctx context.Context) ([]importer.RunInfo, error) {
	return w.launch.journal.Runs(ctx)
}

// Run implements web.History.
func (w webWorker) Run(ctx context.Context, id int64) (importer.RunInfo, importer.Counts, error) {
	run, err := w.launch.journal.Run(ctx, id)
	if err != nil {
		return importer.RunInfo{}, nil, err
	}
	counts, _, err := run.Counts(ctx)
	return run.Info(), counts, err
}

// WriteResults implements web.History.
func (w webWorker) WriteResults(ctx context.Context, id int64, to io.Writer) error {
	run, err := w.launch.journal.Run(ctx, id)
	if err != nil {
		return err
	}
	_, err = report.WriteResults(report.To("-", to), run.Results(ctx))
	return err
}
