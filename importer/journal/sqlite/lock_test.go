package sqlite

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"testing"

	"opscom-import/importer/journal"
)

// lockDir tells a child process which journal to lock: TestHoldLock.
const lockDir = "OPSCOM_TEST_LOCK_DIR"

// TestHoldLock is the child process of the next test: it holds the lock until its
// standard input ends.
func TestHoldLock(t *testing.T) {
	dir := os.Getenv(lockDir)
	if dir == "" {
		return
	}
	_, err := openTest(t, dir).Lock(t.Context(), testTarget)
	must(t, err)
	_, err = os.Stdout.WriteString("locked\n")
	must(t, err)
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	if err == nil {
		t.Error("standard input did not end")
	}
}

func TestLockOfAnotherProcess(t *testing.T) {
	j := openTest(t, t.TempDir())
	child := exec.Command(os.Args[0], "-test.run=^TestHoldLock$")
	child.Env = append(os.Environ(), lockDir+"="+j.dir)
	_, err := child.StdinPipe() // never written to: the child waits
	must(t, err)
	stdout, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	if _, err := j.Lock(t.Context(), testTarget); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("while another process holds it: %v", err)
	}
	must(t, child.Process.Kill()) // a process that dies gives its lock back
	_ = child.Wait()              // it was killed, and says so; closes stdin too
	release, err := j.Lock(t.Context(), testTarget)
	must(t, err)
	must(t, release())
}
