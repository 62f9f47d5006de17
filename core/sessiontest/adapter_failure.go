package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// failureChecks are about sessions that cannot be loaded or committed.
func failureChecks() []AdapterCheck {
	return []AdapterCheck{{
		Name: "commit-failure",
		Sentence: "If the store fails at the commit, nothing of the handler's answer goes " +
			"out: the framework's error path answers 503 with Retry-After and no session " +
			"header.",
		Run: checkCommitFailure,
	}, {
		Name:     "commit-retry",
		Sentence: "After a failed commit the token that the client holds is still good.",
		Run:      checkCommitRetry,
	}, {
		Name: "status",
		Sentence: "What answers a failed commit is core.Status: 409 for a session that ended, " +
			"500 for a value that cannot be stored.",
		Run: checkStatus,
	}, {
		Name: "load-failure",
		Sentence: "If the store fails at the beginning, no handler runs: an outage must never " +
			"look like a visitor who is not signed in. The answer is 503 with Retry-After.",
		Run: checkLoadFailure,
	}, {
		Name:     "store-down",
		Sentence: "Requests that need nothing of a store that is down are answered as ever.",
		Run:      checkStoreDown,
	}}
}

// panicChecks are about handlers that panic.
func panicChecks() []AdapterCheck {
	return []AdapterCheck{{
		Name: "panic",
		Sentence: "A panic that reaches the middleware rolls back: nothing is stored, no " +
			"header.",
		Run: checkPanic,
	}, {
		Name: "panic-destroy",
		Sentence: "A panic that reaches the middleware rolls back, but a Destroy is carried " +
			"out.",
		Run: checkPanicDestroy,
	}}
}

// refused returns an error unless an answer has that status and shows nothing of the handler's.
func (a *answer) refused(status int) error {
	var list []error
	if a.status != status {
		list = append(list, fmt.Errorf("the response has status %d, not %d", a.status, status))
	}
	if again := a.header.Get("Retry-After"); (again != "") != (status == 503) {
		list = append(list, fmt.Errorf("the %d has Retry-After %q", a.status, again))
	}
	for _, name := range []string{"X-App", "Location"} {
		if a.header.Get(name) != "" {
			list = append(list, fmt.Errorf("the handler's header %s is still there", name))
		}
	}
	if strings.Contains(a.body, "handler's words") {
		list = append(list, errors.New("the handler's body is still there"))
	}
	return errors.Join(append(list, a.plain())...)
}

func checkCommitFailure(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	for about, h := range map[string]Handler{
		"nothing":    func(Exchange) error { return nil },
		"a status":   func(x Exchange) error { return x.Answer(http.StatusNoContent, "") },
		"a body":     func(x Exchange) error { return x.Answer(http.StatusOK, "handler's words") },
		"a redirect": func(x Exchange) error { return x.Redirect(http.StatusFound, "/other") },
		"an error":   func(Exchange) error { return errors.New("handler's words") },
		"a large body": func(x Exchange) error {
			return x.Answer(http.StatusOK, strings.Repeat("handler's words ", 1<<13))
		},
	} {
		s.store.failWrites.Store(true)
		a, err := s.send(func(x Exchange) error {
			x.SetHeader("X-App", "one")
			x.SetCookie("app", "1")
			setWord(x, "hello")
			if err := h(x); about == "an error" {
				return err
			}
			return nil // that an answer could not be written is not the handler's error
		}, nil)
		if err != nil {
			return fmt.Errorf("the handler answers %s: %w", about, err)
		}
		if err := a.refused(http.StatusServiceUnavailable); err != nil {
			return fmt.Errorf("the handler answers %s: %w", about, err)
		}
	}
	return nil
}

func checkCommitRetry(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	change := func(x Exchange) error {
		setWord(x, "changed")
		return readWord(x)
	}
	s.store.failWrites.Store(true)
	a, err := s.send(func(x Exchange) error { _ = change(x); return nil }, cookie(token))
	if err != nil {
		return err
	}
	err = errors.Join(a.refused(http.StatusServiceUnavailable), s.keeps(idOf(token), "hello"))
	if err != nil {
		return err
	}
	s.store.failWrites.Store(false)
	a, err = s.send(change, cookie(token))
	if err != nil {
		return err
	}
	return errors.Join(a.says(http.StatusOK, "word: changed"), s.keeps(idOf(token), "changed"))
}

func checkStatus(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	a, err := s.send(func(x Exchange) error {
		x.SetHeader("X-App", "one")
		core.NewValue[func()]("a function").Set(x.Session(), func() {})
		_ = x.Answer(http.StatusOK, "handler's words")
		return nil
	}, cookie(token))
	if err != nil {
		return err
	}
	if err := a.refused(http.StatusInternalServerError); err != nil {
		return fmt.Errorf("for a value that cannot be encoded: %w", err)
	}
	a, err = s.send(func(x Exchange) error {
		x.SetHeader("X-App", "one")
		if err := s.store.Store.Delete(context.Background(), idOf(token)); err != nil {
			return err
		}
		x.Session().Renew()
		_ = x.Answer(http.StatusOK, "handler's words")
		return nil
	}, cookie(token))
	if err != nil {
		return err
	}
	if err := a.refused(http.StatusConflict); err != nil {
		return fmt.Errorf("for the renewal of a session that has ended: %w", err)
	}
	return nil
}

func checkLoadFailure(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	ran := false
	s.store.failLoads.Store(true)
	a, err := s.send(func(x Exchange) error {
		ran = true
		return x.Answer(http.StatusOK, "handler's words")
	}, cookie(token))
	if err != nil {
		return err
	}
	if ran {
		return errors.New("the handler has run")
	}
	return a.refused(http.StatusServiceUnavailable)
}

func checkStoreDown(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	s.store.failWrites.Store(true)
	a, err := s.send(readWord, cookie(token))
	if err != nil {
		return err
	}
	if err := a.says(http.StatusOK, "word: hello"); err != nil {
		return fmt.Errorf("only writes fail, and the handler only reads: %w", err)
	}
	s.store.failLoads.Store(true)
	a, err = s.send(readWord, nil)
	if err != nil {
		return err
	}
	if err := a.says(http.StatusOK, "word: "); err != nil {
		return fmt.Errorf("all fails, and the request has no token: %w", err)
	}
	return nil
}

// crash sends a request whose handler panics. The framework may answer, or close the connection.
func (s *site) crash(before Handler, header http.Header) error {
	a, err := s.send(func(x Exchange) error {
		_ = before(x)
		panic("the handler panics, as it is meant to")
	}, header)
	if err != nil {
		return nil // the connection was closed
	}
	if a.status < 500 {
		return fmt.Errorf("a handler that panics is answered with status %d", a.status)
	}
	return errors.Join(a.plain(), a.varies())
}

func checkPanic(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	change := func(x Exchange) error {
		setWord(x, "changed")
		return nil
	}
	for _, header := range []http.Header{nil, cookie(token)} {
		s.store.reset()
		if err := s.crash(change, header); err != nil {
			return err
		}
		if n := s.store.writes.Load(); n != 0 {
			return fmt.Errorf("the store had %d writes, not 0", n)
		}
	}
	a, err := s.send(readWord, cookie(token))
	if err != nil {
		return fmt.Errorf("the request after the panic: %w", err)
	}
	return a.says(http.StatusOK, "word: hello")
}

func checkPanicDestroy(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	err = s.crash(func(x Exchange) error {
		x.Session().Destroy()
		setWord(x, "another session's")
		return nil
	}, cookie(token))
	if err != nil {
		return err
	}
	return errors.Join(s.ended(idOf(token)), s.calls(1, 1))
}
