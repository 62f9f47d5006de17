package core

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// eventSilence is how long an EventStream is silent before it sends a heartbeat: shorter than what
// proxies let pass, which is a minute at the least.
const eventSilence = 15 * time.Second

// beatAgain is when a heartbeat is tried again that has met somebody who sends.
const beatAgain = 250 * time.Millisecond

// A StreamEvent is one server-sent event.
type StreamEvent struct {
	// Name is what a page listens for; "" means "message". It has no line breaks.
	Name string
	// ID is what the client sends in the header Last-Event-ID when it connects again; "" leaves that
	// as it is. It has no line breaks and no NUL.
	ID string
	// Data is the text. Its line breaks (CR, LF, CRLF) reach the client as LF, and what is not UTF-8
	// as U+FFFD.
	Data string
}

// The errors of EventStream.Send for what a StreamEvent cannot be.
var (
	errEventName = errors.New("a server-sent event's name has a line break")
	errEventID   = errors.New("a server-sent event's ID has a line break or NUL")
	errEventsEnd = errors.New("the stream of server-sent events is over")
)

// An EventWriter is what server-sent events are written to: a response's body whose header is out,
// or goes out with the first Flush.
type EventWriter interface {
	io.Writer
	// Flush sends what was written.
	Flush() error
	// SetWriteDeadline bounds Write and Flush. Its error is ignored: what cannot is not bounded.
	SetWriteDeadline(t time.Time) error
}

// An EventStream sends server-sent events to one client, as the HTML standard has them. ServeEvents
// and StreamEvents make it. Its methods may be called concurrently.
//
// Each event is sent at once. Where nothing is sent for 15 seconds, a comment is, which no page
// sees: proxies keep the connection, and a client that has gone is noticed. One that takes nothing
// for twice as long counts as gone, too.
type EventStream struct {
	mu      sync.Mutex // held while something is written
	w       EventWriter
	buffer  []byte
	silence time.Duration
	beat    *time.Timer
	over    error // why nothing can be sent any more, nil as long as it can

	live   context.Context // as long as the session and the client
	ctx    context.Context // as long as something can be sent, besides
	cancel context.CancelCauseFunc
}

// Context is cancelled when the session ends, when the client has gone, and when the request's own
// context ends. context.Cause says why: for an end of the session it is an *EndedError.
func (e *EventStream) Context() context.Context { return e.ctx }

// Send sends an event. An error means that the stream is over, and its Context cancelled; but a
// Name or ID that cannot be is an error with which nothing is sent, and the stream goes on.
func (e *EventStream) Send(event StreamEvent) error {
	if strings.ContainsAny(event.Name, "\r\n") {
		return errEventName
	}
	if strings.ContainsAny(event.ID, "\r\n\x00") {
		return errEventID
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over == nil && e.live.Err() != nil {
		return context.Cause(e.live)
	}
	return e.write(event.appendTo(e.buffer[:0]))
}

// Retry tells the client how long to wait before it connects again, in whole milliseconds.
// Otherwise browsers wait some three seconds.
func (e *EventStream) Retry(wait time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	line := append(e.buffer[:0], "retry: "...)
	line = strconv.AppendInt(line, max(0, wait.Milliseconds()), 10)
	return e.write(append(line, "\n\n"...))
}

// Heartbeat sets how long the stream may be silent, instead of 15 seconds. What is not positive
// changes nothing.
func (e *EventStream) Heartbeat(silence time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over == nil && silence > 0 {
		e.silence = silence
		e.beat.Reset(silence)
	}
}

// appendTo writes the event in the format of the standard. There is always a line of data: without
// one a client would drop the event.
func (event StreamEvent) appendTo(b []byte) []byte {
	if event.Name != "" {
		b = append(append(append(b, "event: "...), event.Name...), '\n')
	}
	if event.ID != "" {
		b = append(append(append(b, "id: "...), event.ID...), '\n')
	}
	for rest, more := event.Data, true; more; {
		var line string
		line, rest, more = cutLine(rest)
		b = append(append(append(b, "data: "...), line...), '\n')
	}
	return append(b, '\n')
}

// cutLine is strings.Cut at the first CRLF, CR or LF.
func cutLine(text string) (line, rest string, found bool) {
	end := strings.IndexAny(text, "\r\n")
	if end < 0 {
		return text, "", false
	}
	rest = text[end+1:]
	if text[end] == '\r' {
		rest = strings.TrimPrefix(rest, "\n")
	}
	return text[:end], rest, true
}

// begin is for when the header is out. live ends with the session and the client.
func (e *EventStream) begin(live context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.live = live
	e.ctx, e.cancel = context.WithCancelCause(live)
	e.beat = time.AfterFunc(e.silence, e.heartbeat)
}

// write sends b, which may be the buffer, while the mutex is held.
func (e *EventStream) write(b []byte) error {
	if e.over != nil {
		return e.over
	}
	if cap(b) <= 4<<10 {
		e.buffer = b // for next time
	}
	// What the server's own timeout would cut off is a stream that is well.
	_ = e.w.SetWriteDeadline(time.Now().Add(2 * e.silence))
	_, err := e.w.Write(b)
	if err == nil {
		err = e.w.Flush()
	}
	if err != nil {
		e.end(err)
		return err
	}
	if e.beat != nil {
		e.beat.Reset(e.silence)
	}
	return nil
}

// heartbeat sends a comment.
func (e *EventStream) heartbeat() {
	if !e.mu.TryLock() { // somebody is sending, or has just done so and set the timer already
		time.AfterFunc(beatAgain, e.heartbeat)
		return
	}
	defer e.mu.Unlock()
	_ = e.write([]byte(":\n\n")) // who sends next gets the error
}

// expire sends the last event if the session has ended, as soon as that is known: the function may
// be slow to return.
func (e *EventStream) expire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over != nil {
		return
	}
	cause := context.Cause(e.live)
	var ended *EndedError
	if errors.As(cause, &ended) {
		last := StreamEvent{Name: string(SessionExpired), Data: ended.Reason}
		_ = e.write(last.appendTo(e.buffer[:0])) // else the page finds out when it connects again
	}
	e.end(cause)
}

// finish is for when the function has returned: nobody writes any more.
func (e *EventStream) finish() {
	if e.live.Err() != nil {
		e.expire()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end(errEventsEnd)
}

// end lets nothing be sent any more, while the mutex is held.
func (e *EventStream) end(why error) {
	if e.over != nil {
		return
	}
	e.over = why
	if e.beat != nil {
		e.beat.Stop()
	}
	if e.cancel != nil {
		e.cancel(why)
	}
}
