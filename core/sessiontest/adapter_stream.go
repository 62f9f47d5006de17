package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// streamChecks are about handlers that go on after the first byte of their response has left.
func streamChecks() []AdapterCheck {
	return []AdapterCheck{{
		Name: "stream",
		Sentence: "The session is committed before the first byte of the response leaves, " +
			"also where the handler still runs then.",
		Needs: Streams,
		Run:   checkStream,
	}, {
		Name: "stream-late",
		Sentence: "What changes after the first byte is stored when the handler has returned, " +
			"as long as it needs no header.",
		Needs: Streams,
		Run:   checkStreamLate,
	}, {
		Name:     "stream-late-destroy",
		Sentence: "A Destroy after the first byte still ends the session.",
		Needs:    Streams,
		Run:      checkStreamLateDestroy,
	}, {
		Name: "stream-too-late",
		Sentence: "A session cannot begin after the first byte: that is ErrCommitted where it " +
			"is tried, and nothing is stored.",
		Needs: Streams,
		Run:   checkStreamTooLate,
	}, {
		Name: "stream-failure",
		Sentence: "If the commit fails, a handler that streams is stopped: writing is an " +
			"error, its context is cancelled, and the client has the whole 503 meanwhile.",
		Needs: Streams,
		Run:   checkStreamFailure,
	}, {
		Name:     "stream-panic",
		Sentence: "A panic after the first byte rolls back what changed since.",
		Needs:    Streams,
		Run:      checkStreamPanic,
	}}
}

func checkStream(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	goOn := make(chan struct{})
	response, err := s.open(context.Background(), http.MethodGet, func(x Exchange) error {
		setWord(x, "hello")
		if err := x.Stream("first "); err != nil {
			return err
		}
		if _, err := await(goOn, "the client's looking at the first chunk"); err != nil {
			return err
		}
		return x.Stream("second")
	}, nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	a := &answer{status: response.StatusCode, header: response.Header}
	early := s.began(a, "hello")
	close(goOn)
	body, err := io.ReadAll(response.Body)
	a.body = string(body)
	return errors.Join(early, err, a.says(http.StatusOK, "first second"))
}

// late sends a request whose handler streams something before it goes on.
func (s *site) late(token string, before, after func(x Exchange)) (*answer, error) {
	return s.send(func(x Exchange) error {
		before(x)
		if err := x.Stream("first "); err != nil {
			return err
		}
		after(x)
		return x.Stream("second")
	}, cookie(token))
}

func checkStreamLate(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	var refused error
	a, err := s.late(token,
		func(x Exchange) { setWord(x, "early") },
		func(x Exchange) {
			setWord(x, "late")
			refused = x.Session().Err()
		})
	if err != nil {
		return err
	}
	return errors.Join(refused, a.says(http.StatusOK, "first second"), a.plain(),
		s.keeps(idOf(token), "late"))
}

func checkStreamLateDestroy(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	a, err := s.late(token, func(Exchange) {}, func(x Exchange) { x.Session().Destroy() })
	if err != nil {
		return err
	}
	return errors.Join(a.says(http.StatusOK, "first second"), s.ended(idOf(token)))
}

func checkStreamTooLate(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	var refused error
	a, err := s.late("", func(Exchange) {}, func(x Exchange) {
		setWord(x, "too late")
		refused = x.Session().Err()
	})
	if err != nil {
		return err
	}
	if !errors.Is(refused, core.ErrCommitted) {
		return fmt.Errorf("Session.Err in the handler is %q", text(refused))
	}
	return errors.Join(a.says(http.StatusOK, "first second"), a.plain(), s.calls(0, 0))
}

func checkStreamFailure(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	s.store.failWrites.Store(true)
	goOn, stopped := make(chan struct{}), make(chan error, 1)
	response, err := s.open(context.Background(), http.MethodGet, func(x Exchange) error {
		x.SetHeader("X-App", "one")
		setWord(x, "hello")
		err := x.Stream("handler's words")
		if err == nil {
			stopped <- errors.New("Stream answers no error")
			return nil
		}
		// A handler that does not look at errors looks at its context.
		_, err = await(x.Context().Done(), "the end of the handler's context")
		if err == nil {
			_, err = await(goOn, "the client's reading of the answer")
		}
		stopped <- err
		return nil
	}, nil)
	if err != nil {
		return err
	}
	a, err := read(response)
	close(goOn)
	if err != nil {
		return err
	}
	gone, err := await(stopped, "the handler's end")
	return errors.Join(err, gone, a.refused(http.StatusServiceUnavailable))
}

func checkStreamPanic(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	// What the client sees of a response that breaks off is the framework's affair.
	_, _ = s.late(token,
		func(x Exchange) { setWord(x, "early") },
		func(x Exchange) {
			setWord(x, "late")
			panic("the handler panics, as it is meant to")
		})
	return s.keeps(idOf(token), "early")
}
