package sessiontest_test

import (
	"context"
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// streamSlips are about what happens after the first byte.
func streamSlips() []slip {
	return []slip{{
		name: "it stores nothing that came after the first byte",
		gate: func(g *gating) {
			g.finish = func(gate *core.Gate, s *core.Session) {
				_ = gate.Open()
				g.m.Seal(s)
			}
		},
		seen: []string{"stream-late", "stream-late-destroy"},
	}, {
		name: "it seals with the first byte",
		gate: func(g *gating) {
			g.wrap = func(gate *core.Gate, s *core.Session, w writer) writer {
				return sealing{ResponseWriter: gate.Wrap(w), m: g.m, s: s}
			}
		},
		seen: []string{"stream-late", "stream-late-destroy"},
	}, {
		name: "it commits with WriteHeader only",
		gate: func(g *gating) {
			g.wrap = func(gate *core.Gate, s *core.Session, w writer) writer {
				return statusOnly{ResponseWriter: w, gate: gate}
			}
		},
		seen: []string{
			"answer", "answer-large", "answer-head", "header", "renew", "looked", "token-unknown",
			"header-lines", "installed-twice", "two-managers", "commit-failure", "commit-retry",
			"status", "stream", "stream-too-late", "stream-failure", "stream-panic",
		},
	}, {
		name: "it swallows what is written after a failure without a word",
		gate: func(g *gating) {
			g.wrap = func(gate *core.Gate, s *core.Session, w writer) writer {
				return silent{ResponseWriter: gate.Wrap(w)}
			}
		},
		seen: []string{"stream-failure"},
	}, {
		name: "it finishes although the handler panics",
		gate: func(g *gating) { g.panics = func(gate *core.Gate) { _ = gate.Finish() } },
		seen: []string{"panic", "panic-destroy", "stream-panic"},
	}}
}

// statusOnly opens the gate in WriteHeader, and forgets that Write and Flush send a header, too.
type statusOnly struct {
	http.ResponseWriter
	gate *core.Gate
}

func (w statusOnly) WriteHeader(status int) {
	if w.gate.Open() == nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w statusOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// silent never answers with an error.
type silent struct{ http.ResponseWriter }

func (w silent) Write(p []byte) (int, error) {
	_, _ = w.ResponseWriter.Write(p)
	return len(p), nil
}

func (w silent) FlushError() error {
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	return nil
}

// sealing seals as soon as something was written.
type sealing struct {
	http.ResponseWriter
	m *core.Manager
	s *core.Session
}

func (w sealing) Write(p []byte) (int, error) {
	defer w.m.Seal(w.s)
	return w.ResponseWriter.Write(p)
}

func (w sealing) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// slowSlips are those that are only seen by something that never happens.
func slowSlips() []slip {
	return []slip{{
		name:   "it commits nothing once the client has gone",
		buffer: onlyIf(func(r *http.Request, _ *recorder) bool { return r.Context().Err() == nil }),
		seen:   []string{"client-gone"},
	}, {
		name: "it keeps the end of the request from the handler",
		buffer: func(b *buffering) {
			b.context = func(ctx context.Context, s *core.Session) context.Context {
				return core.NewContext(context.WithoutCancel(ctx), s)
			}
		},
		seen: []string{"client-gone"},
	}, {
		name: "its error page is complete only when the handler ends",
		gate: func(g *gating) {
			g.answer = func(w http.ResponseWriter, err error) { w.WriteHeader(core.Status(err)) }
		},
		seen: []string{"stream-failure"},
	}, {
		name: "its handler's context goes on when the commit has failed",
		gate: func(g *gating) {
			g.context = func(_ *core.Gate, r *http.Request, s *core.Session) context.Context {
				return core.NewContext(r.Context(), s)
			}
		},
		seen: []string{"stream-failure"},
	}}
}
