package server

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// launch starts a server. It dies with this process, however that ends: the system tells it when
// the thread that started it has ended, so that thread lives on.
func launch(command *exec.Cmd) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = new(syscall.SysProcAttr)
	}
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
	command.SysProcAttr.Setpgid = true // an interrupt in the terminal is for this process
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- command.Start()
		select {}
	}()
	return <-started
}

// disown makes a program run as postgres if it would run as root, which PostgreSQL refuses.
func disown(command *exec.Cmd) {
	command.SysProcAttr = new(syscall.SysProcAttr)
	if uid, gid, ok := unprivileged(); ok {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
}

// own gives a directory to the user that PostgreSQL runs as.
func own(dir string) error {
	if uid, gid, ok := unprivileged(); ok {
		return os.Chown(dir, int(uid), int(gid))
	}
	return nil
}

// unprivileged is who PostgreSQL runs as; ok is false if that is the user of this process.
func unprivileged() (uid, gid uint32, ok bool) {
	if os.Getuid() != 0 {
		return 0, 0, false
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		return 0, 0, false // PostgreSQL will say what is wrong
	}
	u, uerr := strconv.ParseUint(found.Uid, 10, 32)
	g, gerr := strconv.ParseUint(found.Gid, 10, 32)
	return uint32(u), uint32(g), uerr == nil && gerr == nil
}

// CPU is the processor time that the server has taken until now, of all its threads and of the
// processes that it has started and that live. It is 0 where the system does not tell.
func (s *Server) CPU() time.Duration {
	pids := []string{strconv.Itoa(s.PID())}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", s.PID()))
	var total time.Duration
	for _, pid := range append(pids, strings.Fields(string(children))...) {
		threads, _ := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
		for _, file := range threads {
			text, _ := os.ReadFile(file) // gone if it has ended meanwhile
			first, _, _ := strings.Cut(string(text), " ")
			ns, _ := strconv.ParseInt(first, 10, 64)
			total += time.Duration(ns)
		}
	}
	return total
}
