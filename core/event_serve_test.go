package core_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// patient bounds a wait for what must happen. Only a test that fails waits that long.
const patient = 30 * time.Second

// awaits receives from a channel.
func awaits[T any](t *testing.T, from <-chan T, what string) (val T) {
	t.Helper()
	select {
	case val = <-from:
	case <-time.After(patient):
		require.FailNow(t, "waited in vain for "+what)
	}
	return val
}

// A broadcast is a site with server-sent events, and a route for signing out.
type broadcast struct {
	*site
	server  *httptest.Server
	streams chan *core.EventStream
	goOn    chan error // what the function is to return
	done    chan error // what ServeEvents has returned
}

func newBroadcast(t *testing.T, changes ...func(*httptest.Server)) *broadcast {
	b := &broadcast{
		site: newSite(t, core.Config{}), streams: make(chan *core.EventStream, 1),
		goOn: make(chan error), done: make(chan error, 1),
	}
	b.server = httptest.NewUnstartedServer(b.Handler(http.HandlerFunc(b.serve)))
	b.server.Config.ErrorLog = discardLog()
	for _, change := range changes {
		change(b.server)
	}
	if b.server.EnableHTTP2 {
		b.server.StartTLS()
	} else {
		b.server.Start()
	}
	t.Cleanup(b.server.Close)
	t.Cleanup(b.server.CloseClientConnections)
	return b
}

func (b *broadcast) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/sign-out" {
		sessionOf(b.t, r).Destroy()
		return
	}
	if text := r.URL.Query().Get("note"); text != "" {
		note.Set(sessionOf(b.t, r), text)
	}
	b.done <- core.ServeEvents(w, r, func(events *core.EventStream) error {
		b.streams <- events
		select {
		case err := <-b.goOn:
			return err
		case <-events.Context().Done():
			return errors.New("only that the stream is over")
		}
	})
}

// open begins a stream and returns it from both sides.
func (b *broadcast) open(ctx context.Context, token, query string) (
	*http.Response, *eventSource, *core.EventStream,
) {
	b.t.Helper()
	response, err := b.request(ctx, token, query)
	require.NoError(b.t, err)
	return response, newEventSource(response.Body), awaits(b.t, b.streams, "the function")
}

// request asks for a stream.
func (b *broadcast) request(ctx context.Context, token, query string) (*http.Response, error) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+"/events"+query, nil)
	require.NoError(b.t, err)
	if token != "" {
		r.Header = cookies(token)
	}
	response, err := b.server.Client().Do(r)
	if err != nil {
		return nil, err
	}
	b.t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(b.t, http.StatusOK, response.StatusCode)
	return response, nil
}

// requireQuiet requires that nothing of a stream goes on.
func requireQuiet(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "EventStream")
	}, patient, 10*time.Millisecond)
}

func TestAStreamOfEventsEndsWithItsSession(t *testing.T) {
	b := newBroadcast(t)
	token, id := b.start(setNote("x"))
	response, source, events := b.open(t.Context(), token, "")
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	require.Equal(t, "no", response.Header.Get("X-Accel-Buffering"))
	require.Equal(t, "Cookie", response.Header.Get("Vary"))
	require.Empty(t, response.Header["Set-Cookie"])
	require.True(t, response.Close, "no next request meets the stream's deadlines")

	require.NoError(t, events.Send(core.StreamEvent{Name: "cart", ID: "7", Data: "tea"}))
	got, err := source.next()
	require.NoError(t, err)
	require.Equal(t, message{"cart", "tea", "7"}, got)

	require.NoError(t, b.Revoke(t.Context(), id))
	got, err = source.next()
	require.NoError(t, err)
	require.Equal(t, message{"session_expired", "ended", "7"}, got)
	_, err = source.next()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, awaits(t, b.done, "the handler's end"))
	requireQuiet(t)
}

func TestAStreamOfEventsEndsWithItsFunction(t *testing.T) {
	b := newBroadcast(t)
	token, _ := b.start(setNote("x"))
	_, source, _ := b.open(t.Context(), token, "")
	b.goOn <- errDown
	_, err := source.next()
	require.ErrorIs(t, err, io.EOF, "the session goes on, so that nothing is said of it")
	require.ErrorIs(t, awaits(t, b.done, "the handler's end"), errDown)
	requireQuiet(t)
}

func TestASessionIsCommittedBeforeItsStreamBegins(t *testing.T) {
	b := newBroadcast(t)
	response, source, events := b.open(t.Context(), "", "?note=hello")
	require.Equal(t, "hello", b.read(tokenIn(t, response.Header)))
	require.NoError(t, events.Send(core.StreamEvent{}), "it is alive")
	_, err := source.next()
	require.NoError(t, err)
}

func TestWhereTheStoreIsDownNoStreamBegins(t *testing.T) {
	b := newBroadcast(t)
	b.store.fail(errDown, opCreate)
	response, body := get(t, b.server.URL+"/events?note=x")
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "Service Unavailable\n", body)
	require.NoError(t, awaits(t, b.done, "the handler's end"))
	require.Empty(t, b.streams)
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := new(http.Transport).RoundTrip(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func TestWhoHasNoSessionIsToldNotToComeAgain(t *testing.T) {
	b := newBroadcast(t)
	response, body := get(t, b.server.URL+"/events")
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	require.Equal(t, "Cookie", response.Header.Get("Vary"))
	require.Empty(t, body)
	require.Empty(t, b.streams)
}

func TestAQuestionForTheHeaderBeginsNoStream(t *testing.T) {
	b := newBroadcast(t)
	token, _ := b.start(setNote("x"))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, b.server.URL+"/events", nil)
	require.NoError(t, err)
	r.Header = cookies(token)
	response, err := b.server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	require.Empty(t, b.streams)
}

func TestAStreamThatCannotBeIsAnErrorOfTheProgram(t *testing.T) {
	m := newSite(t, core.Config{}).Manager
	stream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Error(t, core.ServeEvents(w, r, func(*core.EventStream) error {
			assert.Fail(t, "the function was called")
			return nil
		}))
	})
	for name, h := range map[string]http.Handler{
		"without the middleware":            stream,
		"behind what keeps the answer":      http.TimeoutHandler(m.Handler(stream), patient, ""),
		"behind what hides that it can":     hiding{m.Handler(stream)},
		"within what keeps back the answer": m.Handler(http.TimeoutHandler(stream, patient, "")),
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			require.Equal(t, http.StatusInternalServerError, w.Code)
			require.Equal(t, "Internal Server Error\n", w.Body.String())
		})
	}
}

// hiding is a middleware whose writer shows nothing but the three methods.
type hiding struct{ next http.Handler }

func (h hiding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
}

func TestAClientThatGoesEndsTheFunction(t *testing.T) {
	b := newBroadcast(t)
	token, _ := b.start(setNote("x"))
	client, leave := context.WithCancel(t.Context())
	_, _, events := b.open(client, token, "")
	leave()
	awaits(t, events.Context().Done(), "the stream's end")
	require.NoError(t, awaits(t, b.done, "the handler's end"))
	requireQuiet(t)
}

func TestAClientThatReadsNothingIsLetGo(t *testing.T) {
	b := newBroadcast(t)
	token, _ := b.start(setNote("x"))
	conn, err := net.Dial("tcp", b.server.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn,
		"GET /events HTTP/1.1\r\nHost: x\r\nCookie: __Host-sid="+token+"\r\n\r\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 200 OK\r\n", line)

	events := awaits(t, b.streams, "the function")
	events.Heartbeat(20 * time.Millisecond)
	much := core.StreamEvent{Data: strings.Repeat("x", 1<<20)}
	for err == nil {
		err = events.Send(much)
	}
	var limit net.Error
	require.ErrorAs(t, err, &limit)
	require.True(t, limit.Timeout())
	require.NoError(t, awaits(t, b.done, "the handler's end"))
	requireQuiet(t)
}

// Where the machine is so busy that the server does not come to read the request within its limit,
// or the stream to write within its own, that proves nothing, and longer ones are tried.
func TestTheServersTimeoutsAreNotTheStreams(t *testing.T) {
	for _, limit := range []time.Duration{
		200 * time.Millisecond, time.Second, 4 * time.Second,
	} {
		err := outlives(t, limit)
		if err == nil {
			return
		}
		t.Logf("with a limit of %v: %v", limit, err)
	}
	require.Fail(t, "no stream has outlived the server's timeouts")
}

// outlives opens a stream of a server whose timeouts are a limit, and reads from it for five times
// as long.
func outlives(t *testing.T, limit time.Duration) error {
	b := newBroadcast(t, func(server *httptest.Server) {
		server.Config.ReadTimeout = limit
		server.Config.WriteTimeout = limit
	})
	token, _ := b.start(setNote("x"))
	response, err := b.request(t.Context(), token, "")
	if err != nil {
		return err
	}
	source, events := newEventSource(response.Body), awaits(t, b.streams, "the function")
	events.Heartbeat(limit / 2)
	for source.comments < 10 {
		line, err := source.line()
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, ":") {
			source.comments++
		}
	}
	if err := errors.Join(
		events.Context().Err(), events.Send(core.StreamEvent{Data: "tea"}),
	); err != nil {
		return err
	}
	got, err := source.next()
	if err == nil && got.data != "tea" {
		err = fmt.Errorf("%q is no tea", got.data)
	}
	return err
}

func TestAShutdownEndsStreamsThroughTheBaseContext(t *testing.T) {
	base, cancel := context.WithCancel(t.Context())
	b := newBroadcast(t, func(server *httptest.Server) {
		server.Config.BaseContext = func(net.Listener) context.Context { return base }
		server.Config.RegisterOnShutdown(cancel)
	})
	token, _ := b.start(setNote("x"))
	_, source, _ := b.open(t.Context(), token, "")
	limit, over := context.WithTimeout(t.Context(), patient)
	defer over()
	require.NoError(t, b.server.Config.Shutdown(limit))
	_, err := source.next()
	require.ErrorIs(t, err, io.EOF, "the client connects again, to another node")
	require.NoError(t, awaits(t, b.done, "the handler's end"))
	require.True(t, b.alive(token))
	requireQuiet(t)
}

func TestOnHTTP2AStreamIsOneOfMany(t *testing.T) {
	b := newBroadcast(t, func(server *httptest.Server) { server.EnableHTTP2 = true })
	token, _ := b.start(setNote("x"))
	response, source, events := b.open(t.Context(), token, "")
	require.Equal(t, 2, response.ProtoMajor)
	require.NoError(t, events.Send(core.StreamEvent{Data: "tea"}))
	_, err := source.next()
	require.NoError(t, err)

	var reused bool
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused },
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL+"/sign-out", nil)
	require.NoError(t, err)
	r.Header = cookies(token)
	other, err := b.server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, other.Body.Close())
	require.True(t, reused, "the connection is everybody's")
	got, err := source.next()
	require.NoError(t, err)
	require.Equal(t, "session_expired", got.name)
	require.NoError(t, awaits(t, b.done, "the handler's end"))
}
