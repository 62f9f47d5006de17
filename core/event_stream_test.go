package core_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A tape is an EventWriter that keeps what is flushed, and can fail or hang.
type tape struct {
	mu       sync.Mutex
	pending  []byte
	sent     bytes.Buffer
	deadline time.Time
	fails    error
	hangs    bool // until the deadline
}

func (w *tape) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, b...)
	return len(b), nil
}

func (w *tape) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hangs {
		<-time.After(time.Until(w.deadline))
		return context.DeadlineExceeded
	}
	w.sent.Write(w.pending)
	w.pending = nil
	return w.fails
}

func (w *tape) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	return errors.ErrUnsupported
}

func (w *tape) change(f func(w *tape)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
}

// take returns what was sent since the last call.
func (w *tape) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.sent.Reset()
	return w.sent.String()
}

// stream runs a function with a stream of a new session, and returns when that has.
func (s *site) stream(
	ctx context.Context, w core.EventWriter, f func(*core.EventStream),
) {
	s.t.Helper()
	_, id := s.start(setNote("x"))
	session, err := s.Open(s.t.Context(), id)
	require.NoError(s.t, err)
	require.NoError(s.t, core.StreamEvents(ctx, session, w, func(e *core.EventStream) error {
		f(e)
		return nil
	}))
}

func TestServerSentEventsAreWrittenAsTheStandardHasThem(t *testing.T) {
	for name, c := range map[string]struct {
		event core.StreamEvent
		want  string
	}{
		"nothing is an event, too":       {core.StreamEvent{}, "data: \n\n"},
		"a line":                         {core.StreamEvent{Data: "tea"}, "data: tea\n\n"},
		"a blank at the beginning stays": {core.StreamEvent{Data: " tea"}, "data:  tea\n\n"},
		"a name and an ID": {
			core.StreamEvent{Name: "cart", ID: "7", Data: "tea"},
			"event: cart\nid: 7\ndata: tea\n\n"},
		"each kind of line break": {
			core.StreamEvent{Data: "a\nb\rc\r\nd\n\re\n"},
			"data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\ndata: \n\n"},
		"data that looks like a field": {
			core.StreamEvent{Data: "x\n\nevent: y\ndata: z"},
			"data: x\ndata: \ndata: event: y\ndata: data: z\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := new(tape)
			newSite(t, core.Config{}).stream(t.Context(), w,
				func(events *core.EventStream) {
					require.Equal(t, ":\n\n", w.take(), "the header goes out before anything happens")
					require.NoError(t, events.Send(c.event))
					require.Equal(t, c.want, w.take())
				})
			require.Empty(t, w.take(), "the end says nothing")
		})
	}
}

func TestAnEventThatCannotBeSendsNothing(t *testing.T) {
	w := new(tape)
	newSite(t, core.Config{}).stream(t.Context(), w,
		func(events *core.EventStream) {
			w.take()
			for _, event := range []core.StreamEvent{
				{Name: "a\nb"}, {Name: "a\rb"}, {Name: "a\r\n"},
				{ID: "a\nb"}, {ID: "\ra"}, {ID: "a\x00b"},
			} {
				require.Error(t, events.Send(event), "%q", event)
			}
			require.Empty(t, w.take())
			require.NoError(t, events.Context().Err(), "the stream goes on")
			require.NoError(t, events.Send(core.StreamEvent{Name: "a b", ID: "ä:"}))
			require.Equal(t, "event: a b\nid: ä:\ndata: \n\n", w.take())
		})
}

func TestTheClientIsToldWhenToConnectAgain(t *testing.T) {
	w := new(tape)
	newSite(t, core.Config{}).stream(t.Context(), w,
		func(events *core.EventStream) {
			w.take()
			require.NoError(t, events.Retry(1500*time.Millisecond))
			require.Equal(t, "retry: 1500\n\n", w.take())
			require.NoError(t, events.Retry(-time.Second))
			require.Equal(t, "retry: 0\n\n", w.take())
		})
}

func FuzzEventStream(f *testing.F) {
	f.Add("", "", "", "")
	f.Add("cart", "7", "a\r\nb\rc\nd", "e")
	f.Add("\uFEFF", "\uFEFF", "\uFEFFdata", " ")
	f.Add("data: x", ":", "\n\n\r\r", ":\n\n")
	f.Add("\xff", "\xc3", "\xc3\n\xe2\x82\r\xf0", "\x00")
	f.Fuzz(func(t *testing.T, name, id, data, next string) {
		w := new(tape)
		sent := []core.StreamEvent{{Name: name, ID: id, Data: data}, {Data: next}}
		var refused error
		newSite(t, core.Config{}).stream(t.Context(), w,
			func(events *core.EventStream) {
				refused = events.Send(sent[0])
				require.NoError(t, events.Send(sent[1]))
			})
		source := newEventSource(&w.sent)
		var lastID string
		for i, event := range sent {
			if i == 0 && refused != nil {
				continue
			}
			got, err := source.next()
			require.NoError(t, err)
			if event.ID != "" {
				lastID = asRead(event.ID)
			}
			want := message{asRead(event.Name), asRead(event.Data), lastID}
			if want.name == "" {
				want.name = "message"
			}
			require.Equal(t, want, got)
		}
		_, err := source.next()
		require.ErrorIs(t, err, io.EOF)
		bad := strings.ContainsAny(name+id, "\r\n") || strings.Contains(id, "\x00")
		require.Equal(t, bad, refused != nil)
	})
}

// asRead is a text as a client reads it: no other line breaks than LF, and nothing but UTF-8. Each
// line is decoded by itself.
func asRead(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.ToValidUTF8(line, "\uFFFD")
	}
	return strings.Join(lines, "\n")
}

func TestASilentStreamHasAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(tape)
		newSite(t, core.Config{}).stream(t.Context(), w,
			func(events *core.EventStream) {
				w.take()
				pass(15*time.Second - time.Millisecond)
				require.Empty(t, w.take())
				pass(time.Millisecond)
				require.Equal(t, ":\n\n", w.take())
				pass(15 * time.Second)
				require.Equal(t, ":\n\n", w.take())

				pass(10 * time.Second)
				require.NoError(t, events.Send(core.StreamEvent{Data: "tea"}))
				require.Equal(t, "data: tea\n\n", w.take())
				pass(15*time.Second - time.Millisecond)
				require.Empty(t, w.take(), "what is sent is a sign of life itself")

				events.Heartbeat(time.Second)
				events.Heartbeat(0)
				pass(time.Second)
				require.Equal(t, ":\n\n", w.take())
				require.NoError(t, events.Context().Err())
			})
		pass(time.Hour)
		require.Empty(t, w.take(), "nobody writes when the function has returned")
	})
}

func TestAHeartbeatFindsOutThatTheClientHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(tape)
		newSite(t, core.Config{}).stream(t.Context(), w,
			func(events *core.EventStream) {
				w.change(func(w *tape) { w.fails = errDown })
				began := time.Now()
				<-events.Context().Done()
				require.Equal(t, 15*time.Second, time.Since(began))
				require.ErrorIs(t, context.Cause(events.Context()), errDown)
				require.ErrorIs(t, events.Send(core.StreamEvent{}), errDown)
				require.ErrorIs(t, events.Retry(0), errDown)
				events.Heartbeat(time.Second)
				w.take()
				pass(time.Minute)
				require.Empty(t, w.take())
			})
	})
}

func TestAClientThatTakesNothingIsGoneAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(tape)
		newSite(t, core.Config{}).stream(t.Context(), w,
			func(events *core.EventStream) {
				w.change(func(w *tape) { w.hangs = true })
				began := time.Now()
				require.ErrorIs(t, events.Send(core.StreamEvent{}), context.DeadlineExceeded)
				require.Equal(t, 30*time.Second, time.Since(began))
				require.Error(t, events.Context().Err())
			})
	})
}

func TestNoStreamBeginsWhereNothingCanBeSent(t *testing.T) {
	w := &tape{fails: errDown}
	newSite(t, core.Config{}).stream(t.Context(), w,
		func(*core.EventStream) { assert.Fail(t, "the function was called") })
}

func TestTheEndOfTheSessionIsTheLastEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site, w := newSite(t, core.Config{}), new(tape)
		token, id := site.start(setNote("x"))
		session, err := site.Open(t.Context(), id)
		require.NoError(t, err)
		err = core.StreamEvents(t.Context(), session, w, func(events *core.EventStream) error {
			w.take()
			site.visit(token, doDestroy)
			<-events.Context().Done()
			synctest.Wait()
			require.Equal(t, "event: session_expired\ndata: ended\n\n", w.take(),
				"it does not wait until the function returns")
			var ended *core.EndedError
			require.ErrorAs(t, events.Send(core.StreamEvent{}), &ended)
			require.Equal(t, core.EndedError{ID: id, Reason: "ended"}, *ended)
			return events.Retry(0)
		})
		require.NoError(t, err, "that the stream is over is no failure")
		require.Empty(t, w.take(), "and the last event comes once")
	})
}

func TestTheFunctionsErrorComesBackUnlessTheStreamWasOver(t *testing.T) {
	site := newSite(t, core.Config{})
	_, id := site.start(setNote("x"))
	session, err := site.Open(t.Context(), id)
	require.NoError(t, err)
	fails := func(*core.EventStream) error { return errDown }
	require.ErrorIs(t, core.StreamEvents(t.Context(), session, new(tape), fails), errDown)
	gone, leave := context.WithCancel(t.Context())
	leave()
	require.NoError(t, core.StreamEvents(gone, session, new(tape), fails))
}

func TestWhereThereIsNoSessionTheStreamEndsAtOnce(t *testing.T) {
	site, w := newSite(t, core.Config{}), new(tape)
	err := core.StreamEvents(t.Context(), site.begin(), w, func(events *core.EventStream) error {
		<-events.Context().Done()
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, ":\n\nevent: session_expired\ndata: ended\n\n", w.take())
}

func TestTheClientsEndSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site, w := newSite(t, core.Config{}), new(tape)
		client, leave := context.WithCancel(t.Context())
		site.stream(client, w, func(events *core.EventStream) {
			w.take()
			leave()
			<-events.Context().Done()
			require.ErrorIs(t, events.Send(core.StreamEvent{}), context.Canceled)
		})
		synctest.Wait()
		require.Empty(t, w.take())
	})
}

func TestAStreamMayBeWrittenToByMany(t *testing.T) {
	w := new(tape)
	newSite(t, core.Config{}).stream(t.Context(), w,
		func(events *core.EventStream) {
			var sending sync.WaitGroup
			for range 8 {
				sending.Go(func() {
					for range 50 {
						assert.NoError(t, events.Send(core.StreamEvent{Name: "n", Data: "a\nb"}))
					}
				})
			}
			sending.Wait()
		})
	require.Equal(t, ":\n\n"+strings.Repeat("event: n\ndata: a\ndata: b\n\n", 400), w.take())
}
