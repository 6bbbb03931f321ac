//go:build !unix

package pgtest

import (
	"errors"
	"os"
	"os/exec"
)

// Servers for tests need Unix.

var stopSignals = map[Mode]os.Signal{Fast: os.Kill, Immediate: os.Kill}

func asServer(*exec.Cmd)   {}
func inOwnGroup(*exec.Cmd) {}

func giveAway(string) error        { return errors.ErrUnsupported }
func ended(*os.Process) bool       { return true }
func killTree(p *os.Process) error { return p.Kill() }
