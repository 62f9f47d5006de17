package sessiontest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"

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
