package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/web"
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

The page can be reached from this computer only, by the address that is printed.
When it is open already, its page is opened again.`,
		Example: `  opscom-import web
  opscom-import web --client OC_TOMA --token-file token.txt`,
		Args: noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error {
			fetchCtx, workCtx, release := interrupts(ctx, s)
			defer release()
			return ss.serveWeb(fetchCtx, workCtx, address, !noOpen)
		}),
	}
	c.Flags().StringVar(&address, "address", "127.0.0.1:0", "loopback `ADDRESS` to listen on; port 0 takes that of the last time, or a free one")
	c.Flags().BoolVar(&noOpen, "no-open", false, "print the address only, and start no browser")
	return c
}

// serveWeb serves the page until fetchCtx is cancelled, and waits for what is in
// progress. When a program that was started before serves it, its page is opened.
func (s *session) serveWeb(fetchCtx, workCtx context.Context, address string, open bool) (err error) {
	server, running, err := s.startWeb(fetchCtx)
	switch {
	case err != nil:
		return err
	case server == nil:
		return s.openRunning(running, open)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	listener, err := server.Listen(fetchCtx, address)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "The page is at  %s\nIt can be reached from this computer only. Interrupt (Ctrl-C) to end.\n", server.URL())
	if open {
		if err := openBrowser(server.OpeningFile); err != nil {
			s.say("No browser could be started (%v): open the address above in one.", err)
		}
	}
	return server.Serve(fetchCtx, workCtx, listener)
}

// startWeb returns the server of the page, or no server and the page that runs already.
func (s *session) startWeb(ctx context.Context) (*web.Server, web.Running, error) {
	s.Settings.Leavers = config.LeaverMode{} // what the page pushes is what was reviewed, and has none
	const patience = 5 * time.Second         // with a program that is just being started or closed
	for deadline := time.Now().Add(patience); ; {
		server, err := web.New(ctx, s.Env)
		if !errors.Is(err, web.ErrOpen) {
			return server, web.Running{}, err
		}
		running, answers := web.FindRunning(ctx, s.Settings.State)
		if answers {
			return nil, running, nil
		}
		if time.Now().After(deadline) {
			return nil, running, err
		}
		select {
		case <-ctx.Done():
			return nil, running, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// openRunning opens the page of a program that was started before.
func (s *session) openRunning(running web.Running, open bool) error {
	if open {
		err := openBrowser(running.OpeningFile)
		if err == nil {
			fmt.Fprintln(s.stdout, "The program is running already: its page is opened.")
			return nil
		}
		s.say("No browser could be started (%v).", err)
	}
	url, err := running.OnceURL()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "The program is running already. Its page is at  %s\nThis address works once.\n", url)
	return nil
}

// openBrowser starts the user's browser with a file that leads to the page.
func openBrowser(makeFile func() (path string, err error)) error {
	path, err := makeFile()
	if err != nil {
		return err
	}
	command := exec.Command("xdg-open", path)
	switch runtime.GOOS {
	case "darwin":
		command = exec.Command("open", path)
	case "windows":
		command = exec.Command("rundll32", "url.dll,FileProtocolHandler", path)
	}
	if err := command.Start(); err != nil {
		return err
	}
	return command.Process.Release() // the browser outlives us
}
