package core

import (
	"context"
	"errors"
	"net/http"
)

// ServeEvents answers a request with server-sent events, for as long as its session lives. It
// commits the session and sends the header, and calls f then. When f returns the answer is over;
// when the stream's Context is cancelled f has to return: the session has ended, in whatever way
// and on whatever node, or the client has gone. If it is the session that has ended, the client is
// told so by a last event, "session_expired", whose data is the reason (see EndedError); that is
// sent at once, whatever f does. The error is that of f, nil if the stream was over before.
//
// A request without a session is answered 204, on which a browser's EventSource does not connect
// again. Otherwise it does, by itself, whenever a stream ends: such a route is nobody's activity,
// and belongs into HandlerConfig.Passive.
//
// The server's WriteTimeout does not end a stream. Its Shutdown does not either, and waits for it:
// let RegisterOnShutdown cancel the server's BaseContext. What f changes in the session is stored
// when it has returned; Manager.Open and Commit store at once.
func ServeEvents(w http.ResponseWriter, r *http.Request, f func(*EventStream) error) error {
	s, ok := FromContext(r.Context())
	if !ok || !flushes(w) { // the program is wrong; a stream that stays empty would not tell
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return errNoStream
	}
	header := w.Header()
	if s.ID() == "" {
		header.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	EventHeader(header.Set)
	if r.ProtoMajor == 1 {
		header.Set("Connection", "close") // its deadlines are the stream's, and not the next request's
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	return StreamEvents(r.Context(), s, netEvents{w, http.NewResponseController(w)}, f)
}

var errNoStream = errors.New("server-sent events: there is no session middleware on this route, " +
	"or one that keeps back the response")

// EventHeader sets, with a framework's own function, the header of a response of server-sent
// events.
func EventHeader(set func(name, value string)) {
	set("Content-Type", "text/event-stream")
	set("Cache-Control", "no-store")
	set("X-Accel-Buffering", "no") // nginx and what took it over: pass on each event at once
}

// StreamEvents is ServeEvents without the HTTP, for adapters of frameworks that are not built on
// net/http. The session is committed, and the answer has the EventHeader. It returns when f has, or
// without calling f if nothing can be sent; then nothing uses w any more.
func StreamEvents(
	ctx context.Context, s *Session, w EventWriter, f func(*EventStream) error,
) error {
	e := &EventStream{w: w, silence: eventSilence}
	// A first comment sends the header through whatever holds back an empty body.
	if e.write([]byte(":\n\n")) != nil {
		return nil
	}
	live, release := s.Live(ctx)
	defer release()
	e.begin(live)
	stop := context.AfterFunc(live, e.expire)
	defer e.finish()
	defer stop()
	if err := f(e); e.ctx.Err() == nil {
		return err
	}
	return nil
}

// netEvents is an EventWriter of net/http's.
type netEvents struct {
	http.ResponseWriter
	*http.ResponseController
}

// flushes reports whether what is written reaches the client before the handler returns. Only the
// innermost writer knows: gin's and echo's panic where that one cannot flush.
func flushes(w http.ResponseWriter) bool {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			_, ok = w.(http.Flusher)
			return ok
		}
		w = outer.Unwrap()
	}
}
