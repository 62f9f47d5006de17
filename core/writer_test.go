package core_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A wire is a response that notes in which order things happen to it.
type wire struct {
	header http.Header
	log    []string
}

func (w *wire) note(what string)            { w.log = append(w.log, what) }
func (w *wire) Header() http.Header         { return w.header }
func (w *wire) WriteHeader(code int)        { w.note(fmt.Sprint("status ", code)) }
func (w *wire) Write(b []byte) (int, error) { w.note("write " + string(b)); return len(b), nil }

// What writers can do beside, as small types to put together.
type (
	flushing  struct{ *wire }
	stringing struct{ *wire }
	reading   struct{ *wire }
	hijacking struct{ *wire }
	pushing   struct{ *wire }
	closing   struct{ *wire }
)

func (f flushing) Flush()            { f.note("flush") }
func (f flushing) FlushError() error { f.note("flush"); return nil }
func (s stringing) WriteString(text string) (int, error) {
	s.note("string " + text)
	return len(text), nil
}
func (r reading) ReadFrom(from io.Reader) (int64, error) {
	b, err := io.ReadAll(from)
	r.note("from " + string(b))
	return int64(len(b)), err
}
func (h hijacking) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h.note("hijack")
	return nil, nil, nil
}
func (p pushing) Push(target string, _ *http.PushOptions) error {
	p.note("push " + target)
	return nil
}
func (c closing) CloseNotify() <-chan bool { c.note("notify"); return nil }

// writers of all shapes that are met: HTTP/1.1, HTTP/2, and those that middleware puts between.
func writers(w *wire) map[string]http.ResponseWriter {
	return map[string]http.ResponseWriter{
		"bare": struct{ http.ResponseWriter }{w},
		"flusher": struct {
			http.ResponseWriter
			http.Flusher
		}{w, flushing{w}},
		"notifier that cannot flush": struct {
			http.ResponseWriter
			closing
		}{ResponseWriter: w, closing: closing{w}},
		"HTTP/1.1": struct {
			http.ResponseWriter
			http.Flusher
			io.StringWriter
			io.ReaderFrom
			http.Hijacker
			closing
		}{w, flushing{w}, stringing{w}, reading{w}, hijacking{w}, closing{w}},
		"HTTP/2": struct {
			http.ResponseWriter
			http.Flusher
			io.StringWriter
			http.Pusher
			closing
		}{w, flushing{w}, stringing{w}, pushing{w}, closing{w}},
	}
}

// wrapped is a writer behind a gate, whose store notes commits in the same log.
func wrapped(t *testing.T, shape string) (http.ResponseWriter, *wire, *gated) {
	t.Helper()
	m := newSite(t, core.Config{})
	w := &wire{header: http.Header{}}
	m.store.setBefore(opCreate, func(context.Context, error) error {
		w.note("commit")
		return nil
	})
	g := m.gate(t.Context(), "", w.header)
	note.Set(g.session, "x")
	return g.Wrap(writers(w)[shape]), w, g
}

func TestEveryWayAByteCanLeaveCommitsFirst(t *testing.T) {
	ways := map[string]struct {
		f         func(w http.ResponseWriter) error
		bare, h11 string // what reaches the writer below
	}{
		"WriteHeader": {func(w http.ResponseWriter) error { w.WriteHeader(201); return nil },
			"status 201", "status 201"},
		"WriteHeader 101": {func(w http.ResponseWriter) error { w.WriteHeader(101); return nil },
			"status 101", "status 101"},
		"WriteHeader 304": {func(w http.ResponseWriter) error { w.WriteHeader(304); return nil },
			"status 304", "status 304"},
		"Write": {func(w http.ResponseWriter) error { return second(w.Write([]byte("b"))) },
			"write b", "write b"},
		"an empty Write": {func(w http.ResponseWriter) error { return second(w.Write(nil)) },
			"write ", "write "},
		"WriteString": {func(w http.ResponseWriter) error { return second(io.WriteString(w, "s")) },
			"write s", "string s"},
		"ReadFrom": {func(w http.ResponseWriter) error {
			return second(w.(io.ReaderFrom).ReadFrom(onlyReader{strings.NewReader("r")}))
		}, "write r", "write r"},
		"io.Copy": {func(w http.ResponseWriter) error {
			return second(io.Copy(w, onlyReader{strings.NewReader("r")}))
		}, "write r", "write r"},
		"Flush": {func(w http.ResponseWriter) error { w.(http.Flusher).Flush(); return nil },
			"", "flush"},
		"FlushError": {func(w http.ResponseWriter) error {
			return http.NewResponseController(w).Flush()
		}, "", "flush"},
		"Hijack": {func(w http.ResponseWriter) error { return third(w.(http.Hijacker).Hijack()) },
			"", "hijack"},
		"Hijack by a controller": {func(w http.ResponseWriter) error {
			return third(http.NewResponseController(w).Hijack())
		}, "", "hijack"},
	}
	for name, way := range ways {
		for shape, want := range map[string]string{"bare": way.bare, "HTTP/1.1": way.h11} {
			if want == "" {
				continue
			}
			t.Run(name+" on "+shape, func(t *testing.T) {
				w, wire, g := wrapped(t, shape)
				require.NoError(t, way.f(w))
				assert.Equal(t, []string{"commit", want}, wire.log)
				tokenIn(t, wire.header)
				require.NoError(t, way.f(w))
				again := want
				if want == "write r" && shape == "HTTP/1.1" {
					again = "from r" // what comes after the first byte needs no copy
				}
				assert.Equal(t, []string{"commit", want, again}, wire.log, "once")
				assert.Empty(t, g.failed)
			})
		}
		t.Run(name+" of what cannot be stored goes nowhere", func(t *testing.T) {
			w, wire, g := wrapped(t, "HTTP/1.1")
			note.Set(g.session, "\xff")
			for range 2 {
				err := way.f(w)
				quiet := strings.HasPrefix(name, "WriteHeader") || name == "Flush"
				assert.Equal(t, quiet, err == nil, "it is told wherever it can be")
			}
			assert.Empty(t, wire.log)
			assert.Len(t, g.failed, 1)
		})
	}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

type onlyReader struct{ io.Reader }

func TestInformationalAnswersPassUncommitted(t *testing.T) {
	for _, code := range []int{100, 102, 103, 199} {
		w, wire, g := wrapped(t, "HTTP/1.1")
		w.WriteHeader(code)
		w.WriteHeader(code)
		status := fmt.Sprint("status ", code)
		assert.Equal(t, []string{status, status}, wire.log)
		assert.Empty(t, wire.header)
		note.Set(g.session, "after it")
		w.WriteHeader(200)
		assert.Equal(t, []string{status, status, "commit", "status 200"}, wire.log)
	}
	w, wire, g := wrapped(t, "HTTP/1.1")
	note.Set(g.session, "\xff")
	_, _ = w.Write(nil)
	w.WriteHeader(103)
	assert.Empty(t, wire.log, "after a failure not even they")
}

func TestWhatTheWriterBelowCanDoItCanDo(t *testing.T) {
	tests := map[string]struct{ flusher, notifier, hijacks, pushes bool }{
		"bare":                       {},
		"flusher":                    {flusher: true},
		"notifier that cannot flush": {},
		"HTTP/1.1":                   {flusher: true, notifier: true, hijacks: true},
		"HTTP/2":                     {flusher: true, notifier: true, pushes: true},
	}
	for shape, test := range tests {
		t.Run(shape, func(t *testing.T) {
			w, wire, _ := wrapped(t, shape)
			_, ok := w.(http.Flusher)
			assert.Equal(t, test.flusher, ok, "a Flusher that cannot flush is noticed")
			notifier, ok := w.(interface{ CloseNotify() <-chan bool })
			assert.Equal(t, test.notifier, ok)
			if ok {
				notifier.CloseNotify()
				assert.Equal(t, []string{"notify"}, wire.log, "which commits nothing")
			}
			pusher, ok := w.(http.Pusher)
			require.True(t, ok)
			err := pusher.Push("/x", nil)
			assert.Equal(t, test.pushes, err == nil)
			assert.Equal(t, !test.pushes, errors.Is(err, http.ErrNotSupported))
			hijacker, ok := w.(http.Hijacker)
			require.True(t, ok, "some assert it, and ask no controller")
			_, _, err = hijacker.Hijack()
			assert.Equal(t, test.hijacks, err == nil)
			assert.Equal(t, !test.hijacks, errors.Is(err, http.ErrNotSupported))
			_, ok = w.(io.ReaderFrom)
			assert.True(t, ok)
			_, ok = w.(io.StringWriter)
			assert.True(t, ok)

			err = http.NewResponseController(w).Flush()
			assert.Equal(t, test.flusher, err == nil)
			unwrapped := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
			assert.Equal(t, wire.header, unwrapped.Header())
		})
	}
}

func TestAGateIsOpenedOnlyOnceOverTwoWriters(t *testing.T) {
	w, wire, g := wrapped(t, "HTTP/1.1")
	again := g.Wrap(w)
	_, err := again.Write([]byte("a"))
	require.NoError(t, err)
	_, err = w.Write([]byte("b"))
	require.NoError(t, err)
	assert.Equal(t, []string{"commit", "write a", "write b"}, wire.log)
}
