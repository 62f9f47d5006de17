package sessiontest_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// firstLines is a request header that shows one line of each name.
type firstLines struct{ http.Header }

func (h firstLines) Values(name string) []string {
	lines := h.Header.Values(name)
	return lines[:min(len(lines), 1)]
}

type ownKey struct{}

// requestSlips are about what is made of a request.
func requestSlips() []slip {
	var latest atomic.Pointer[core.Session]
	return []slip{{
		name: "it keeps the session in a variable that all requests share",
		buffer: func(b *buffering) {
			b.context = func(ctx context.Context, s *core.Session) context.Context {
				latest.Store(s)
				return core.NewContext(ctx, s)
			}
		},
		get:  func(*http.Request) *core.Session { return latest.Load() },
		seen: []string{"parallel"},
	}, {
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
