package core_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// secWays are all the ways in which the first byte of a response leaves a handler.
func secWays() map[string]http.HandlerFunc {
	const text = "of the handler"
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	return map[string]http.HandlerFunc{
		"silent":       func(http.ResponseWriter, *http.Request) {},
		"no content":   status(http.StatusNoContent),
		"not modified": status(http.StatusNotModified),
		"an error": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, text, http.StatusTeapot)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/of-the-handler", http.StatusSeeOther)
		},
		"write":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) },
		"write string": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) },
		"read from": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, strings.NewReader(text))
		},
		"flush": func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, text)
		},
		"flush by controller": func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, text)
		},
		"a file": func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.txt", time.Unix(1, 0), strings.NewReader(text))
		},
		"early hints": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = io.WriteString(w, text)
		},
		"hijack": secHijack,
	}
}

// secHijack takes the connection over and answers on it, as a WebSocket library does.
func secHijack(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n")
	_ = w.Header().Write(conn)
	_, _ = io.WriteString(conn, "\r\nof the handler")
}

// secAsk sends one request over a connection of its own and returns all that comes back.
func secAsk(t *testing.T, url, method, token string) (informational, answer string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "%s / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n"+
		"Cookie: %s=%s\r\n\r\n", method, secCookie, token)
	require.NoError(t, err)
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	last := strings.LastIndex(string(all), "HTTP/1.1 ")
	return string(all[:last]), string(all[last:])
}

func TestT52_StoredBeforeTheFirstByteOrNotSent(t *testing.T) {
	for name, way := range secWays() {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			if method == http.MethodHead && name == "hijack" {
				continue
			}
			t.Run(name+" to "+method, func(t *testing.T) {
				site := newSecSite(t, core.Config{})
				server := httptest.NewServer(site.manager.Handler(http.HandlerFunc(
					func(w http.ResponseWriter, r *http.Request) {
						s, _ := core.FromContext(r.Context())
						w.Header().Set("Etag", `"of the handler"`)
						w.Header().Set("Cache-Control", "public")
						secSet("mine")(s)
						way(w, r)
					})))
				defer server.Close()

				early, answer := secAsk(t, server.URL, method, "")
				require.NotContains(t, early, "Set-Cookie", "an informational answer carries no token")
				require.Equal(t, 1, strings.Count(answer, "Set-Cookie: "))
				_, rest, _ := strings.Cut(answer, secCookie+"=")
				note, alive := site.read(rest[:core.TokenLength])
				require.True(t, alive)
				require.Equal(t, "mine", note)
				require.Contains(t, answer, "Cache-Control: no-store\r\n")

				site.store.hook(func(string) error { return errSecDown })
				_, answer = secAsk(t, server.URL, method, "")
				require.True(t, strings.HasPrefix(answer, "HTTP/1.1 503 "), answer)
				require.Contains(t, answer, "Retry-After: 1\r\n")
				for _, part := range []string{
					"of the handler", "of-the-handler", "Set-Cookie", "Etag", "public", "Link", "10.0.0.7",
				} {
					require.NotContains(t, answer, part)
				}
			})
		}
	}
}

func TestT52_AfterTheFirstByte(t *testing.T) {
	cases := map[string]struct {
		change func(*core.Session)
		late   error
		stored bool
	}{
		"a value":   {secSet("late"), nil, true},
		"a renewal": {func(s *core.Session) { s.Renew(); secSet("late")(s) }, core.ErrCommitted, false},
		"a sign-in": {secOwned("alice", "late"), core.ErrCommitted, false},
		"an end":    {(*core.Session).Destroy, nil, true},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			site := newSecSite(t, core.Config{})
			token := secIssued(site.serve(nil, secSet("early")))
			site.seen()
			response := site.serveHTTP(secWith(token), func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusOK)
				s, _ := core.FromContext(r.Context())
				test.change(s)
				require.ErrorIs(t, s.Err(), test.late, "it can be seen where it was made")
			})
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Empty(t, response.Header.Values("Set-Cookie"))
			if test.late != nil {
				require.Contains(t, site.seen(), core.ChangesLost, "and is never silent")
			}
			note, alive := site.read(token)
			require.Equal(t, name != "an end", alive)
			require.Equal(t, test.stored && alive, note == "late")
		})
	}
}

func TestT65_AnOutageIsNoSignOut(t *testing.T) {
	secBubble(t, "503, and no handler runs", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		token := secIssued(site.serve(nil, secOwned("alice", "hers")))
		for _, trouble := range []error{errSecDown, context.DeadlineExceeded, io.ErrUnexpectedEOF} {
			site.store.hook(func(string) error { return trouble })
			response := site.serve(secWith(token), func(*core.Session) {
				t.Error("a handler ran as if nobody was signed in")
			})
			require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
			require.Equal(t, "1", response.Header.Get("Retry-After"))
			require.Empty(t, response.Header.Values("Set-Cookie"))
			require.Contains(t, site.seen(), core.StoreFailure)

			response = site.serve(nil, secRead)
			require.Equal(t, http.StatusOK, response.StatusCode, "who has no token needs no store")
			response = site.serve(http.Header{"Cookie": {secCookie + "=x"}}, secRead)
			require.Equal(t, http.StatusOK, response.StatusCode)
		}
		site.store.hook(nil)
		note, _ := site.read(token)
		require.Equal(t, "hers", note)
	})
	secBubble(t, "a store that does not answer", func(t *testing.T) {
		site := newSecSite(t, core.Config{LoadTimeout: 2 * time.Second})
		token := secIssued(site.serve(nil, secOwned("alice", "hers")))
		manager, err := core.New(core.Config{Store: silentStore{site.store}})
		require.NoError(t, err)
		defer manager.Close()
		began := time.Now()
		_, err = manager.Begin(t.Context(), secWith(token))
		require.Equal(t, http.StatusServiceUnavailable, core.Status(err))
		require.Equal(t, 2*time.Second, time.Since(began))
	})
}

// silentStore answers a Load only when the caller has had enough.
type silentStore struct{ core.Store }

func (silentStore) Load(ctx context.Context, _ core.ID) (core.Record, error) {
	<-ctx.Done()
	return core.Record{}, ctx.Err()
}

// CVE-2026-39324 was rack's: what could not be decrypted was decoded some other way.
func TestT65_CVE202639324_WhatCannotBeReadIsNoSession(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secOwned("alice", "hers")))
	record, err := site.store.MemoryStore.Load(t.Context(), core.ID(token[:32]))
	require.NoError(t, err)
	for name, data := range map[string]string{
		"nothing":           "",
		"plain JSON":        `{"owner":"alice"}`,
		"another version":   "\x02" + record.Data[1:],
		"truncated":         record.Data[:len(record.Data)-1],
		"with a tail":       record.Data + "\x00",
		"only the head":     record.Data[:59],
		"a count too great": record.Data[:58] + "\x05" + record.Data[59:],
	} {
		t.Run(name, func(t *testing.T) {
			damaged := record
			damaged.Data = data
			require.NoError(t, site.store.MemoryStore.Delete(t.Context(), record.ID))
			require.NoError(t, site.store.MemoryStore.Create(t.Context(), damaged))
			response := site.serve(secWith(token), func(*core.Session) { t.Error("a handler ran") })
			require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
			require.Empty(t, response.Header.Values("Set-Cookie"))
			_, err := site.manager.Begin(t.Context(), secWith(token))
			var frame *core.FrameError
			require.ErrorAs(t, err, &frame)
		})
	}
}

func TestT92_APanicStoresNothing(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secOwned("alice", "hers")))
	for name, value := range map[string]any{
		"a text": "handler", "an abort": http.ErrAbortHandler, "an error": errSecDown,
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler := site.manager.Handler(http.HandlerFunc(
				func(_ http.ResponseWriter, r *http.Request) {
					s, _ := core.FromContext(r.Context())
					secSet("from a panic")(s)
					s.Renew()
					panic(value)
				}))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header = secWith(token)
			require.PanicsWithValue(t, value, func() { handler.ServeHTTP(w, r) })
			require.Empty(t, w.Header())
			note, alive := site.read(token)
			require.True(t, alive, "the token that the client holds is still good")
			require.Equal(t, "hers", note)
		})
	}
}
