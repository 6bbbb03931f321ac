package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

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

The page can be reached from this computer only, by the address that is printed.`,
		Example: `  opscom-import web
  opscom-import web --client OC_TOMA --token-file token.txt`,
		Args: noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error {
			fetchCtx, workCtx, release := interrupts(ctx, s)
			defer release()
			return ss.serveWeb(fetchCtx, workCtx, address, !noOpen)
		}),
	}
	c.Flags().StringVar(&address, "address", "127.0.0.1:0", "loopback `ADDRESS` to listen on; port 0 takes a free one")
	c.Flags().BoolVar(&noOpen, "no-open", false, "print the address only, and start no browser")
	return c
}

// serveWeb serves the page until fetchCtx is cancelled, and waits for what is in
// progress.
func (s *session) serveWeb(fetchCtx, workCtx context.Context, address string, open bool) (err error) {
	server, err := web.New(s.Env)
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
	return server.Serve(fetchCtx, workCtx, listener)
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
