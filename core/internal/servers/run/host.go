package main

import (
	"fmt"
	"io"
	"runtime"
	"testing"
)

// A host is to package servers what a test is: it is told when something fails, and ends what was
// started. It has no more of a testing.TB than servers asks for; the rest would panic.
type host struct {
	testing.TB
	log     io.Writer
	cleanup []func()
	status  int
}

// run calls f, then all that f has left to be done, the last first, and returns the exit status.
func (h *host) run(f func()) int {
	done := make(chan struct{})
	go func() { // which Fatalf and Skipf end
		defer close(done)
		defer func() {
			for n := len(h.cleanup); n > 0; n-- {
				h.cleanup[n-1]()
			}
		}()
		f()
	}()
	<-done
	return h.status
}

// Helper implements testing.TB.
func (h *host) Helper() {}

// Cleanup implements testing.TB.
func (h *host) Cleanup(f func()) { h.cleanup = append(h.cleanup, f) }

// Failed implements testing.TB.
func (h *host) Failed() bool { return h.status == failed }

// Logf implements testing.TB.
func (h *host) Logf(format string, args ...any) { fmt.Fprintf(h.log, format+"\n", args...) }

// Errorf implements testing.TB.
func (h *host) Errorf(format string, args ...any) {
	h.Logf(format, args...)
	h.status = failed
}

// Fatalf implements testing.TB.
func (h *host) Fatalf(format string, args ...any) {
	h.Errorf(format, args...)
	runtime.Goexit()
}

// Fatal implements testing.TB.
func (h *host) Fatal(args ...any) { h.Fatalf("%s", fmt.Sprint(args...)) }

// Skipf implements testing.TB.
func (h *host) Skipf(format string, args ...any) {
	h.Logf(format, args...)
	h.status = missing
	runtime.Goexit()
}
