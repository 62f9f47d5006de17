package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program says how to start a server, as often as wished.
type program struct {
	path string
	args []string
	dir  string   // also holds the log
	as   *account // nil: the test's own user
	// ready is asked until it returns nil, or until the process has ended.
	ready func(pid int) error
}

// process is a program that may run now, and again later.
type process struct {
	program
	mu      sync.Mutex
	running *exec.Cmd
	ended   chan struct{} // closed when running has ended
}

func (p *process) logFile() string { return filepath.Join(p.dir, "log") }

// start starts the program and waits until it is ready.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive() {
		return errors.New("it runs already")
	}
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	running := exec.Command(p.path, p.args...)
	running.Dir, running.Stdout, running.Stderr = p.dir, log, log
	if err := launchWithTest(running, p.as); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = running.Wait() // how it ended is of no interest, and in the log
		close(ended)
	}()
	p.running, p.ended = running, ended
	return p.awaitReady()
}

func (p *process) awaitReady() error {
	pid := p.running.Process.Pid
	var err error
	eventually(func() bool {
		err = p.ready(pid)
		return err == nil || !p.alive()
	})
	switch {
	case !p.alive():
		return fmt.Errorf("%s ended at once:\n%s", filepath.Base(p.path), p.Log())
	case err != nil:
		p.signalAll(signalKill)
		<-p.ended
		return fmt.Errorf("%s is not ready after %v: %w\n%s",
			filepath.Base(p.path), patience, err, p.Log())
	default:
		return nil
	}
}

// alive reports whether the process runs. The caller holds mu.
func (p *process) alive() bool {
	if p.running == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the process and its children as a crash would, at one moment, and waits for that.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.alive() {
		return
	}
	family := p.signalAll(signalKill)
	<-p.ended
	// Whatever starts next on the same directory must not meet the children of this one.
	eventually(func() bool { return !slices.ContainsFunc(family, runs) })
}

// stop asks the process to end, and waits for that.
func (p *process) stop(signal syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.alive() {
		return nil
	}
	p.signalAll(signalResume) // it may be paused
	send(p.running.Process.Pid, signal)
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		p.signalAll(signalKill)
		<-p.ended
		return fmt.Errorf("%s did not end when asked to\n%s", filepath.Base(p.path), p.Log())
	}
}

// pause stops the process and its children in their tracks, and resume lets them go on. What others
// send meanwhile waits in the system's buffers, so a paused server is not a server behind a cut.
func (p *process) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.alive() {
		return
	}
	family := p.signalAll(signalPause)
	// What is sent from now on must not find one that is still on its way to a stop.
	eventually(func() bool { return !slices.ContainsFunc(family, moves) })
}

func (p *process) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive() {
		p.signalAll(signalResume)
	}
}

// signalAll sends a signal to the process and all its children, whom it returns. The parent is
// stopped first, so that no child is born in between.
func (p *process) signalAll(signal syscall.Signal) []int {
	pid := p.running.Process.Pid
	send(pid, signalPause)
	eventually(func() bool { return !moves(pid) }) // it may be at it right now
	family := append([]int{pid}, descendants(pid)...)
	for _, member := range family {
		send(member, signal)
	}
	return family
}

// Log returns the end of what the server has written to its log.
func (p *process) Log() string {
	const most = 6000
	text, err := os.ReadFile(p.logFile())
	if err != nil {
		return err.Error()
	}
	if len(text) > most {
		text = append([]byte("..."), text[len(text)-most:]...)
	}
	return string(text)
}

// descendants returns the processes that come from pid. Where there is no /proc it finds none.
func descendants(pid int) []int {
	entries, _ := os.ReadDir("/proc")
	children := map[int][]int{}
	for _, entry := range entries {
		if child, err := strconv.Atoi(entry.Name()); err == nil {
			if parent, state := parentOf(child); state != "Z" {
				children[parent] = append(children[parent], child)
			}
		}
	}
	family := children[pid]
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i]]...)
	}
	return family
}

// runs reports whether a process is there. A zombie is not: it only waits to be counted.
func runs(pid int) bool {
	_, state := parentOf(pid)
	return state != "" && state != "Z" && state != "X"
}

// moves reports whether a process is there and not stopped.
func moves(pid int) bool {
	_, state := parentOf(pid)
	return state != "" && state != "Z" && state != "X" && state != "T"
}

// parentOf reads /proc/<pid>/stat: number, name in parentheses, state, parent (proc(5)).
func parentOf(pid int) (parent int, state string) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, ""
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return 0, ""
	}
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return 0, ""
	}
	return parent, fields[0]
}
