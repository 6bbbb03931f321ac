//go:build unix

package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var stopSignals = map[Mode]os.Signal{Fast: unix.SIGINT, Immediate: unix.SIGQUIT}

// serverUser returns whom the server runs as: PostgreSQL refuses root.
func serverUser() (uid, gid uint32, other bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return uint32(uid), uint32(gid), true
		}
	}
	return 65534, 65534, true
}

// asServer lets a command run as the server's user, in a process group of its own.
func asServer(cmd *exec.Cmd) {
	inOwnGroup(cmd)
	if uid, gid, other := serverUser(); other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
}

func inOwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// giveAway makes a file or folder the server's.
func giveAway(path string) error {
	uid, gid, other := serverUser()
	if !other {
		return nil
	}
	return os.Chown(path, int(uid), int(gid))
}

// ended says whether a process that this one started has ended. It is called once more
// only after false.
func ended(process *os.Process) bool {
	pid, err := unix.Wait4(process.Pid, nil, unix.WNOHANG, nil) // not process.Wait, which would need a goroutine
	if pid == 0 || errors.Is(err, unix.EINTR) {
		return false
	}
	process.Release()
	return true
}

// killTree kills the server: its main process is stopped first, so that it starts no others meanwhile.
func killTree(process *os.Process) error {
	if err := process.Signal(unix.SIGSTOP); err != nil {
		return err
	}
	children := childrenOf(process.Pid)
	for _, child := range children {
		if err := unix.Kill(child, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	if err := process.Kill(); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); !ended(process); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("PostgreSQL was killed, and is still there")
		}
	}
	for _, child := range children {
		for deadline := time.Now().Add(patience); alive(child); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				return fmt.Errorf("process %d of PostgreSQL was killed, and is still there", child)
			}
		}
	}
	return nil
}

// childrenOf returns the processes that a process has started. It needs /proc: elsewhere there are none, and
// PostgreSQL's end by themselves when they miss their parent.
func childrenOf(parent int) (children []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is sound
	for _, stat := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if _, ppid := status(pid); err == nil && ppid == parent {
			children = append(children, pid)
		}
	}
	return children
}

// alive says whether a process is there; one that has ended and that nobody waits for is not.
func alive(pid int) bool {
	state, _ := status(pid)
	return state != "" && state != "Z" && state != "X"
}

// status returns the state of a process, as ps shows it, and who started it; "" if it is not there.
func status(pid int) (state string, parent int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	_, fields, _ := strings.Cut(string(data[bytes.LastIndexByte(data, ')')+1:]), " ") // the name before may hold anything
	fmt.Sscan(fields, &state, &parent)
	return state, parent
}
