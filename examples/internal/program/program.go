package program

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience bounds every single wait. It is long because the machine may be busy with the tests of
// other packages; nothing waits for it unless something is wrong.
const patience = 2 * time.Minute

// A Program is a running process. Its methods belong into the goroutine of its test.
type Program struct {
	// Lines are the first that it printed, as many as were read.
	Lines []string

	t       testing.TB
	command *exec.Cmd
	stdin   io.Closer
	rest    <-chan string // what it prints after Lines; closed when it has closed its output
	log     bytes.Buffer  // to be read when the process has ended
	end     sync.Once
}

// Start starts a program and waits until it has printed n lines. It is Begin and Read.
func Start(t testing.TB, path string, n int, args ...string) *Program {
	t.Helper()
	p := Begin(t, path, args...)
	p.Read(n)
	return p
}

// Begin starts a program. When the test ends it is told to stop, as by Stop, unless it was before.
// Its standard input stays open until then.
func Begin(t testing.TB, path string, args ...string) *Program {
	t.Helper()
	p := launch(t, path, args...)
	t.Cleanup(p.Stop)
	return p
}

// Read waits until the program has printed n lines, and returns them.
func (p *Program) Read(n int) []string {
	p.t.Helper()
	if !p.read(n, patience) {
		require.FailNow(p.t, "the program does not print where it listens")
	}
	return p.Lines
}

// launch starts a program that somebody has to end.
func launch(t testing.TB, path string, args ...string) *Program {
	t.Helper()
	p := &Program{t: t, command: exec.Command(path, args...)}
	endWithTest(p.command)
	p.command.Stderr = &p.log
	stdin, err := p.command.StdinPipe()
	require.NoError(t, err)
	p.stdin = stdin
	stdout, err := p.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	p.rest = lines
	return p
}

// read waits for n lines, and reports whether they have come in time.
func (p *Program) read(n int, within time.Duration) bool {
	limit := time.After(within)
	for len(p.Lines) < n {
		select {
		case line, ok := <-p.rest:
			if !ok {
				return false
			}
			p.Lines = append(p.Lines, line)
		case <-limit:
			return false
		}
	}
	return true
}

// Stop tells the program to stop, as Ctrl-C does, and fails the test unless it does so in good
// order. Only the first Stop or Kill of a program does anything.
func (p *Program) Stop() {
	p.end.Do(func() {
		err := p.command.Process.Signal(os.Interrupt)
		assert.NoError(p.t, err, "the program is to run until now")
		p.awaitEnd()
		code := p.command.ProcessState.ExitCode()
		assert.Zero(p.t, code, "a program that is told to stop exits with code 0")
		p.checkLog()
	})
}

// Kill ends the program as a crash would.
func (p *Program) Kill() {
	p.end.Do(func() {
		assert.NoError(p.t, p.command.Process.Kill(), "the program is to run until now")
		p.awaitEnd()
		p.checkLog()
	})
}

// awaitEnd waits until the process has ended.
func (p *Program) awaitEnd() {
	last := time.AfterFunc(patience, func() { _ = p.command.Process.Kill() })
	defer last.Stop()
	for line := range p.rest {
		assert.Fail(p.t, "the program prints more than where it listens", line)
	}
	_ = p.command.Wait() // How it ended is in ProcessState.
	_ = p.stdin.Close()  // Wait has closed it.
}

// checkLog looks for what no log may hold, and shows the log if the test has failed.
func (p *Program) checkLog() {
	token := regexp.MustCompile(`[A-Za-z0-9_-]{128}`)
	assert.False(p.t, token.Match(p.log.Bytes()), "the log holds something like a token")
	if p.t.Failed() {
		name := filepath.Base(p.command.Path)
		p.t.Logf("%s logged:\n%s", name, strings.TrimSpace(p.log.String()))
	}
}

// Fail runs a program that is to end by itself, with a failure, before it prints anything. It
// returns the exit status and the log.
func Fail(t testing.TB, path string, args ...string) (status int, log string) {
	t.Helper()
	p := launch(t, path, args...)
	p.awaitEnd()
	status = p.command.ProcessState.ExitCode()
	assert.Positive(t, status, "the program fails by itself")
	return status, p.log.String()
}
