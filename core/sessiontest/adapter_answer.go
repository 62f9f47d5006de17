package sessiontest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// answerChecks are about the session's part in whatever a handler answers.
func answerChecks() []AdapterCheck {
	return []AdapterCheck{{
		Name: "answer",
		Sentence: "The session is stored, and its token goes out with what the handler " +
			"answers.",
		Run: begins(http.MethodGet, http.StatusOK, func(x Exchange) error {
			return x.Answer(http.StatusOK, "the answer")
		}),
	}, {
		Name:     "answer-large",
		Sentence: "The session is committed before the first byte of the response leaves.",
		Run: begins(http.MethodGet, http.StatusOK, func(x Exchange) error {
			return x.Answer(http.StatusOK, strings.Repeat("0123456789abcdef", 1<<13))
		}),
	}, {
		Name:     "answer-silent",
		Sentence: "The session is committed also if the handler writes nothing.",
		Run:      begins(http.MethodGet, http.StatusOK, func(Exchange) error { return nil }),
	}, {
		Name:     "answer-status",
		Sentence: "The session is committed also if the handler answers with a status alone.",
		Run: begins(http.MethodPost, http.StatusNoContent, func(x Exchange) error {
			return x.Answer(http.StatusNoContent, "")
		}),
	}, {
		Name:     "answer-head",
		Sentence: "The session is committed also in answer to HEAD.",
		Run: begins(http.MethodHead, http.StatusOK, func(x Exchange) error {
			return x.Answer(http.StatusOK, "the answer")
		}),
	}, {
		Name: "answer-redirect",
		Sentence: "The session is committed before a redirection leaves, which is how forms " +
			"are answered.",
		Run: begins(http.MethodPost, http.StatusSeeOther, func(x Exchange) error {
			return x.Redirect(http.StatusSeeOther, "/elsewhere")
		}),
	}, {
		Name: "answer-error",
		Sentence: "A handler that returns an error commits (the counter of failed sign-ins " +
			"must count), before the framework answers the error.",
		Run: begins(http.MethodPost, http.StatusInternalServerError, func(Exchange) error {
			return errors.New("the handler has failed")
		}),
	}, {
		Name: "header",
		Sentence: "The session's header lines come beside the handler's own: Set-Cookie is " +
			"only added, Vary is added and never doubled, and Cache-Control is replaced by " +
			"no-store.",
		Run: checkHeader,
	}, {
		Name: "renew",
		Sentence: "A renewed session goes on under its ID with a new token, and the old token " +
			"is dead.",
		Run: checkRenew,
	}, {
		Name: "destroy",
		Sentence: "A destroyed session is removed from the store, and the client's cookie " +
			"deleted.",
		Run: checkDestroy,
	}}
}

// begins is a check that a session which a handler begins is stored and handed out.
func begins(method string, status int, h Handler) func(testing.TB, Mount) error {
	return func(t testing.TB, mount Mount) error {
		s := newSite(t, mount, core.Config{})
		a, err := s.sendAs(method, func(x Exchange) error {
			setWord(x, "hello")
			return h(x)
		}, nil)
		if err != nil {
			return err
		}
		if a.status != status {
			return fmt.Errorf("the response has status %d, not %d", a.status, status)
		}
		return s.began(a, "hello")
	}
}

func checkHeader(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	return errors.Join(
		s.keepsHeader("Accept-Encoding"),
		s.keepsHeader("Accept-Encoding, cookie"),
	)
}

// keepsHeader lets a handler set some lines, of which Vary is one.
func (s *site) keepsHeader(vary string) error {
	a, err := s.send(func(x Exchange) error {
		x.SetHeader("X-App", "one")
		x.SetHeader("Vary", vary)
		x.SetHeader("Cache-Control", "public, max-age=600")
		x.SetCookie("first", "1")
		setWord(x, "hello")
		x.SetCookie("second", "2")
		return x.Answer(http.StatusOK, "the answer")
	}, nil)
	if err != nil {
		return err
	}
	var cookies []string
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		cookies = append(cookies, c.Name)
	}
	slices.Sort(cookies)
	want := []string{cookieName, "first", "second"}
	if !slices.Equal(cookies, want) {
		return fmt.Errorf("the response sets the cookies %q, not %q", cookies, want)
	}
	return errors.Join(
		a.has("X-App", "one"),
		a.has("Cache-Control", "no-store"),
		a.varies("Accept-Encoding", "Cookie"),
		s.began(a, "hello"),
	)
}

// has returns an error unless the response has one header line of that name.
func (a *answer) has(name, value string) error {
	if got := a.header.Values(name); len(got) != 1 || got[0] != value {
		return fmt.Errorf("the response's %s is %q, not %q", name, got, value)
	}
	return nil
}

// varies returns an error unless Vary lists those names, each once.
func (a *answer) varies(want ...string) error {
	var got []string
	for _, line := range a.header.Values("Vary") {
		for name := range strings.SplitSeq(line, ",") {
			got = append(got, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the response's Vary lists %q, not %q", got, want)
	}
	return nil
}

func checkRenew(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	a, err := s.send(func(x Exchange) error {
		x.Session().Renew()
		return readWord(x)
	}, cookie(token))
	if err != nil {
		return err
	}
	err = errors.Join(a.says(http.StatusOK, "word: hello"), s.began(a, "hello"))
	if err != nil {
		return err
	}
	renewed := a.tokens()[0]
	if renewed == token || idOf(renewed) != idOf(token) {
		return errors.New("the token is not a new one of the same session")
	}
	before, err := s.send(readWord, cookie(token))
	if err != nil {
		return err
	}
	after, err := s.send(readWord, cookie(renewed))
	if err != nil {
		return err
	}
	return errors.Join(
		before.says(http.StatusOK, "word: "), after.says(http.StatusOK, "word: hello"))
}

func checkDestroy(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	a, err := s.send(func(x Exchange) error {
		x.Session().Destroy()
		return x.Answer(http.StatusNoContent, "")
	}, cookie(token))
	if err != nil {
		return err
	}
	if tokens := a.tokens(); len(tokens) != 1 || tokens[0] != "" {
		return fmt.Errorf("the response has %d session cookies and no deletion", len(tokens))
	}
	return s.ended(idOf(token))
}
