package sessiontest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/sessionserverstore/sessionserverstore/core"
)

type (
	recorder = httptest.ResponseRecorder
	writer   = http.ResponseWriter
)

// onlyIf commits some answers, and forgets about others.
func onlyIf(commits func(r *http.Request, a *recorder) bool) func(*buffering) {
	return func(b *buffering) {
		right := b.commit
		b.commit = func(r *http.Request, s *core.Session, a *recorder) error {
			if commits(r, a) {
				return right(r, s, a)
			}
			return nil
		}
	}
}

// nothing is what an adapter does that has forgotten a step.
func nothing(*http.Request, *core.Session) {}

// commitSlips are about when, and whether, a session is committed and its end carried out.
func commitSlips() []slip {
	return []slip{{
		name: "it commits when the answer has left",
		buffer: func(b *buffering) {
			b.commit = func(*http.Request, *core.Session, *recorder) error { return nil }
			b.sent = func(r *http.Request, s *core.Session) {
				_ = b.m.Commit(r.Context(), s, http.Header{})
				b.m.Seal(s)
			}
		},
		seen: []string{
			"answer", "answer-large", "answer-silent", "answer-status", "answer-head",
			"answer-redirect", "answer-error", "header", "renew", "destroy", "looked",
			"token-unknown", "header-lines", "installed-twice", "two-managers", "commit-failure",
			"commit-retry", "status",
		},
	}, {
		name:   "it commits only what has a body",
		buffer: onlyIf(func(_ *http.Request, a *recorder) bool { return a.Body.Len() > 0 }),
		seen: []string{
			"answer-silent", "answer-status", "answer-redirect", "destroy", "installed-twice",
			"commit-failure",
		},
	}, {
		name:   "it commits only what went well",
		buffer: onlyIf(func(_ *http.Request, a *recorder) bool { return a.Code < 400 }),
		seen:   []string{"answer-error", "commit-failure"},
	}, {
		name:   "it commits no redirects",
		buffer: onlyIf(func(_ *http.Request, a *recorder) bool { return a.Code/100 != 3 }),
		seen:   []string{"answer-redirect", "commit-failure"},
	}, {
		name:   "it commits nothing for HEAD",
		buffer: onlyIf(func(r *http.Request, _ *recorder) bool { return r.Method != "HEAD" }),
		seen:   []string{"answer-head"},
	}, {
		name: "it swallows the error of the commit",
		buffer: func(b *buffering) {
			right := b.commit
			b.commit = func(r *http.Request, s *core.Session, a *recorder) error {
				_ = right(r, s, a)
				return nil
			}
		},
		seen: []string{"commit-failure", "commit-retry", "status"},
	}, {
		name: "it commits although the handler panics",
		buffer: func(b *buffering) {
			b.panics = func(r *http.Request, s *core.Session) {
				_ = b.m.Commit(r.Context(), s, http.Header{})
			}
		},
		seen: []string{"panic", "panic-destroy"},
	}, {
		name:   "it forgets the session when the handler panics",
		buffer: func(b *buffering) { b.panics = nothing },
		seen:   []string{"panic-destroy"},
	}, {
		name:   "it does not seal",
		buffer: func(b *buffering) { b.sent = nothing },
		seen:   []string{"sealed"},
	}}
}

// replaced answers failures in its own way, and not with the header and the status of core.
func replaced(
	f func(m *core.Manager, w http.ResponseWriter, s *core.Session, a *recorder, err error),
) func(*buffering) {
	return func(b *buffering) {
		b.fail = func(w http.ResponseWriter, s *core.Session, a *recorder, err error) {
			f(b.m, w, s, a, err)
		}
	}
}

// headerSlips are about the response's header.
func headerSlips() []slip {
	return []slip{{
		name: "it answers every failure with 503",
		buffer: replaced(func(
			m *core.Manager, w http.ResponseWriter, s *core.Session, _ *recorder, err error,
		) {
			m.ErrorHeader(s, err, w.Header())
			w.WriteHeader(http.StatusServiceUnavailable)
		}),
		seen: []string{"status"},
	}, {
		name: "it does not say Retry-After",
		buffer: replaced(func(
			_ *core.Manager, w http.ResponseWriter, _ *core.Session, _ *recorder, err error,
		) {
			w.WriteHeader(core.Status(err))
		}),
		seen: []string{"commit-failure", "commit-retry", "load-failure"},
	}, {
		name: "its error page has the handler's header",
		buffer: replaced(func(
			m *core.Manager, w http.ResponseWriter, s *core.Session, a *recorder, err error,
		) {
			for name, lines := range a.Header() {
				w.Header()[name] = lines
			}
			m.ErrorHeader(s, err, w.Header())
			w.WriteHeader(core.Status(err))
		}),
		seen: []string{"commit-failure", "status"},
	}, {
		name: "its error page has the handler's body",
		buffer: replaced(func(
			m *core.Manager, w http.ResponseWriter, s *core.Session, a *recorder, err error,
		) {
			m.ErrorHeader(s, err, w.Header())
			w.WriteHeader(core.Status(err))
			_, _ = w.Write(a.Body.Bytes())
		}),
		seen: []string{"commit-failure", "status"},
	}, {
		name: "its error page deletes the cookie",
		buffer: replaced(func(
			m *core.Manager, w http.ResponseWriter, s *core.Session, _ *recorder, err error,
		) {
			m.ErrorHeader(s, err, w.Header())
			http.SetCookie(w, &http.Cookie{Name: "__Host-sid", Path: "/", Secure: true, MaxAge: -1})
			w.WriteHeader(core.Status(err))
		}),
		seen: []string{"commit-failure", "commit-retry", "status", "load-failure"},
	}, {
		name: "its response header has one line of each name",
		buffer: func(b *buffering) {
			b.commit = func(r *http.Request, s *core.Session, a *recorder) error {
				return b.m.Commit(r.Context(), s, single{a.Header()})
			}
		},
		seen: []string{"header", "two-managers"},
	}, {
		name: "its response header seems empty",
		buffer: func(b *buffering) {
			b.commit = func(r *http.Request, s *core.Session, a *recorder) error {
				return b.m.Commit(r.Context(), s, blind{a.Header()})
			}
		},
		seen: []string{"header"},
	}, {
		name: "it gives the client the token that it came with",
		buffer: func(b *buffering) {
			b.commit = func(r *http.Request, s *core.Session, a *recorder) error {
				err := b.m.Commit(r.Context(), s, a.Header())
				for _, c := range r.Cookies() {
					for i, line := range a.Header()["Set-Cookie"] {
						name, rest, _ := strings.Cut(line, "=")
						if _, rest, _ = strings.Cut(rest, ";"); name == c.Name {
							a.Header()["Set-Cookie"][i] = name + "=" + c.Value + ";" + rest
						}
					}
				}
				return err
			}
		},
		seen: []string{"renew", "destroy", "token-unknown"},
	}}
}

// single is a response header that replaces where it should add.
type single struct{ http.Header }

func (h single) Add(name, value string) { h.Set(name, value) }

// blind is a response header that does not show what is in it.
type blind struct{ http.Header }

func (blind) Values(string) []string { return nil }

// firstLines is a request header that shows one line of each name.
type firstLines struct{ http.Header }

func (h firstLines) Values(name string) []string {
	lines := h.Header.Values(name)
	return lines[:min(len(lines), 1)]
}

type ownKey struct{}

// requestSlips are about what is made of a request.
func requestSlips() []slip {
	return []slip{{
		name:   "it begins again where it is installed twice",
		buffer: func(b *buffering) { b.inside = func(context.Context) bool { return false } },
		seen:   []string{"installed-twice"},
	}, {
		name: "it leaves the request to whatever Manager came first",
		buffer: func(b *buffering) {
			b.inside = func(ctx context.Context) bool { _, ok := core.FromContext(ctx); return ok }
		},
		seen: []string{"two-managers"},
	}, {
		name: "it loads twice",
		buffer: func(b *buffering) {
			right := b.begin
			b.begin = func(r *http.Request) (*core.Session, error) {
				_, _ = right(r)
				return right(r)
			}
		},
		seen: []string{"begin-once", "untouched", "installed-twice", "panic-destroy"},
	}, {
		name: "it takes an outage for a visitor without a session",
		buffer: func(b *buffering) {
			right := b.begin
			b.begin = func(r *http.Request) (*core.Session, error) {
				if s, err := right(r); err == nil {
					return s, nil
				}
				return b.m.Begin(r.Context(), http.Header{})
			}
		},
		seen: []string{"load-failure"},
	}, {
		name: "it looks at every session",
		buffer: func(b *buffering) {
			right := b.begin
			b.begin = func(r *http.Request) (*core.Session, error) {
				s, err := right(r)
				if err == nil {
					_ = s.ID()
				}
				return s, err
			}
		},
		seen: []string{"untouched"},
	}, {
		name: "it begins a session for every visitor",
		buffer: func(b *buffering) {
			right := b.begin
			b.begin = func(r *http.Request) (*core.Session, error) {
				s, err := right(r)
				if err == nil {
					core.NewValue[bool]("seen").Set(s, true)
				}
				return s, err
			}
		},
		seen: []string{"renew", "begin-once", "untouched", "looked", "store-down"},
	}, {
		name: "it reads the first line only",
		buffer: func(b *buffering) {
			b.begin = func(r *http.Request) (*core.Session, error) {
				return b.m.Begin(r.Context(), firstLines{r.Header})
			}
		},
		seen: []string{"cookie-lines", "header-lines"},
	}, {
		name: "it reads no header but Cookie",
		buffer: func(b *buffering) {
			b.begin = func(r *http.Request) (*core.Session, error) {
				return b.m.Begin(r.Context(), http.Header{"Cookie": r.Header["Cookie"]})
			}
		},
		seen: []string{"header-lines"},
	}, {
		name: "it keeps one token for each connection",
		buffer: func(b *buffering) {
			var mu sync.Mutex
			first := map[string]http.Header{}
			b.begin = func(r *http.Request) (*core.Session, error) {
				mu.Lock()
				if first[r.RemoteAddr] == nil {
					first[r.RemoteAddr] = r.Header
				}
				header := first[r.RemoteAddr]
				mu.Unlock()
				return b.m.Begin(r.Context(), header)
			}
		},
		seen: []string{"pipelined"},
		may: []string{
			"renew", "begin-once", "untouched", "cookie-lines", "header-lines", "parallel",
			"installed-twice", "two-managers", "store-down",
		},
	}, {
		name: "its context has another session than its Get",
		get: func(r *http.Request) *core.Session {
			return r.Context().Value(ownKey{}).(*core.Session)
		},
		buffer: func(b *buffering) {
			b.context = func(ctx context.Context, s *core.Session) context.Context {
				ctx = context.WithValue(core.NewContext(ctx, s), ownKey{}, s)
				other, _ := b.m.Begin(ctx, http.Header{})
				return core.NewContext(ctx, other)
			}
		},
		seen: []string{"context", "two-managers"},
	}}
}

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
