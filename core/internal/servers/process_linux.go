package servers

import (
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// supported says whether this system can tie a server's life to the test's.
const supported = true

// launch is a program to start, and where the outcome goes.
type launch struct {
	program *exec.Cmd
	outcome chan error
}

// launches hands programs to a thread that never ends while this process runs. The system tells a
// child that its parent has died when the thread that started it ends, so no other thread will do.
var launches = sync.OnceValue(func() chan<- launch {
	queue := make(chan launch)
	go func() {
		runtime.LockOSThread()
		for next := range queue {
			next.outcome <- next.program.Start()
		}
	}()
	return queue
})

// launchWithTest starts a program that is killed as soon as this process has ended.
func launchWithTest(program *exec.Cmd, as *account) error {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if as != nil {
		attributes.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	program.SysProcAttr = attributes
	outcome := make(chan error)
	launches() <- launch{program, outcome}
	return <-outcome
}

// launchAlone starts a program that outlives this process and its terminal.
func launchAlone(program *exec.Cmd) error {
	program.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return program.Start()
}

// runAs makes a short-lived program run as another user.
func runAs(program *exec.Cmd, as *account) {
	if as != nil {
		program.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: as.uid, Gid: as.gid},
		}
	}
}

// reserve takes a name that no other process can take before this one has ended: that of a socket
// in Linux's abstract space.
func reserve(name string) (io.Closer, error) {
	return net.Listen("unix", "@sessionserverstore-"+name)
}

// account is a user of this machine.
type account struct{ uid, gid uint32 }

// unprivileged returns the user for servers that refuse to run as root, nil if this process does
// not run as root anyway.
func unprivileged() *account {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(found.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(found.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &account{uid: uint32(uid), gid: uint32(gid)}
		}
	}
	return nil
}

const (
	signalKill   = syscall.SIGKILL
	signalEnd    = syscall.SIGTERM
	signalFast   = syscall.SIGINT
	signalQuit   = syscall.SIGQUIT
	signalPause  = syscall.SIGSTOP
	signalResume = syscall.SIGCONT
)

// send sends a signal to a process. One that has ended is none of its business.
func send(pid int, signal syscall.Signal) { _ = syscall.Kill(pid, signal) }
