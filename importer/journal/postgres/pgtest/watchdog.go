package pgtest

import (
	"fmt"
	"io"
	"os/exec"
	"time"
)

// The watchdog waits until the other end of its standard input is closed, which also
// happens when the process of the test is killed. Then it stops the server in the
// folder, and removes the folder.
const watchdogScript = `
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
	kill -QUIT "$pid" 2>/dev/null
	kill -CONT "$pid" 2>/dev/null
	n=0
	while kill -0 "$pid" 2>/dev/null && [ -e "$1/data/postmaster.pid" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
	kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
`

// watchdog ends a server with the process of the test.
type watchdog struct {
	process *exec.Cmd
	alive   io.Closer
}

// watchOver starts the watchdog of a server's folder.
func watchOver(folder string) (*watchdog, error) {
	cmd := exec.Command("sh", "-c", watchdogScript, "watchdog", folder)
	cmd.Dir = "/"
	inOwnGroup(cmd) // an interrupt from the terminal goes to the test alone
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &watchdog{cmd, alive}, nil
}

// end stops the server and removes its folder.
func (w *watchdog) end() error {
	w.alive.Close() // nothing was written to it
	timer := time.AfterFunc(patience, func() { w.process.Process.Kill() })
	defer timer.Stop()
	if err := w.process.Wait(); err != nil {
		return fmt.Errorf("remove PostgreSQL's folder: %w", err)
	}
	return nil
}
