//go:build !linux

package servers

import (
	"errors"
	"io"
	"os/exec"
	"syscall"
)

const supported = false

var errUnsupported = errors.New("servers in tests need Linux")

type account struct{ uid, gid uint32 }

func unprivileged() *account { return nil }

func runAs(*exec.Cmd, *account) {}

func launchWithTest(*exec.Cmd, *account) error { return errUnsupported }

func launchAlone(*exec.Cmd) error { return errUnsupported }

const (
	signalKill   = syscall.SIGKILL
	signalEnd    = syscall.SIGTERM
	signalFast   = syscall.SIGINT
	signalQuit   = syscall.SIGQUIT
	signalPause  = signalKill // never sent: nothing starts here
	signalResume = signalKill
)

func reserve(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func send(int, syscall.Signal) {}
