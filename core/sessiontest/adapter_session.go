package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// sessionChecks are about the Session that a handler gets, and how long it is its own.
func sessionChecks() []AdapterCheck {
	return []AdapterCheck{{
		Name: "context",
		Sentence: "core.FromContext and Manager.FromContext find the session in the request's " +
			"context, from any depth: the same that the adapter's Get returns.",
		Run: checkContext,
	}, {
		Name:     "installed-twice",
		Sentence: "Where the middleware is installed twice, the inner one does nothing.",
		Run:      checkInstalledTwice,
	}, {
		Name: "two-managers",
		Sentence: "Two Managers serve one request side by side: core.FromContext finds the " +
			"innermost session, and Manager.FromContext each Manager's own.",
		Run: checkTwoManagers,
	}, {
		Name: "sealed",
		Sentence: "When the request is over the session is sealed: a change that comes later " +
			"is ErrCommitted in Session.Err, and not stored.",
		Run: checkSealed,
	}, {
		Name: "client-gone",
		Sentence: "The handler's context ends when the client goes away, and what the handler " +
			"changes even so is not lost.",
		Needs: Disconnects,
		Run:   checkClientGone,
	}}
}

// await waits for a channel, but not for ever.
func await[T any](from <-chan T, what string) (T, error) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case got := <-from:
		return got, nil
	case <-limit.C:
		var none T
		return none, fmt.Errorf("%s: not within %v", what, patience)
	}
}

func checkContext(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	var wrong error
	a, err := s.send(func(x Exchange) error {
		type key struct{}
		derived, cancel := context.WithCancel(context.WithValue(x.Context(), key{}, "deeper"))
		defer cancel()
		want := x.Session()
		for about, ctx := range map[string]context.Context{
			"the context": x.Context(), "a context derived from it": derived,
		} {
			innermost, _ := core.FromContext(ctx)
			own, _ := s.manager.FromContext(ctx)
			if innermost != want || own != want {
				wrong = fmt.Errorf("in %s there is not the session that Get returns", about)
			}
		}
		if found, ok := newManager(t, core.Config{}).FromContext(x.Context()); ok || found != nil {
			wrong = errors.Join(wrong, errors.New("a Manager finds what is another's"))
		}
		return x.Answer(http.StatusOK, "the answer")
	}, nil)
	if err != nil {
		return err
	}
	return errors.Join(wrong, a.says(http.StatusOK, "the answer"))
}

func checkInstalledTwice(t testing.TB, mount Mount) error {
	s := newIdleSite(t, core.Config{})
	s.start(t, mount, s.manager, s.manager)
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	a, err := s.send(func(x Exchange) error {
		x.Session().Renew()
		setWord(x, "changed")
		return readWord(x)
	}, cookie(token))
	if err != nil {
		return err
	}
	err = errors.Join(
		a.says(http.StatusOK, "word: changed"), s.began(a, "changed"), s.calls(1, 1))
	if err != nil {
		return err
	}
	s.store.reset()
	a, err = s.send(func(x Exchange) error { setWord(x, "new"); return nil }, nil)
	if err != nil {
		return err
	}
	return errors.Join(s.began(a, "new"), s.calls(0, 1))
}

func checkTwoManagers(t testing.TB, mount Mount) error {
	s := newIdleSite(t, core.Config{})
	const innerName = "__Host-inner"
	inner := newManager(t, core.Config{Carrier: core.Cookie{Name: innerName}})
	s.start(t, mount, s.manager, inner)
	var wrong error
	both := func(x Exchange, f func(outer, inner *core.Session) error) error {
		mine, _ := s.manager.FromContext(x.Context())
		other, _ := inner.FromContext(x.Context())
		if mine == nil || other == nil || mine == other {
			wrong = errors.New("each Manager does not find a session of its own")
			return nil
		}
		innermost, _ := core.FromContext(x.Context())
		if innermost != other || x.Session() != other {
			wrong = errors.New("the session of the innermost Manager is not the one found")
		}
		return f(mine, other)
	}
	a, err := s.send(func(x Exchange) error {
		return both(x, func(mine, other *core.Session) error {
			word().Set(mine, "out")
			word().Set(other, "in")
			return x.Answer(http.StatusOK, "set")
		})
	}, nil)
	if err != nil || wrong != nil {
		return errors.Join(err, wrong)
	}
	if err := s.began(a, "out"); err != nil {
		return err
	}
	var line string
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		line += c.Name + "=" + c.Value + "; "
	}
	a, err = s.send(func(x Exchange) error {
		return both(x, func(mine, other *core.Session) error {
			outer, _ := word().Get(mine)
			inner, _ := word().Get(other)
			return x.Answer(http.StatusOK, outer+" and "+inner)
		})
	}, http.Header{"Cookie": {line}})
	if err != nil {
		return err
	}
	return errors.Join(wrong, a.says(http.StatusOK, "out and in"))
}

func checkSealed(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	var leaked *core.Session
	a, err := s.send(func(x Exchange) error {
		leaked = x.Session()
		return readWord(x)
	}, cookie(token))
	if err != nil {
		return err
	}
	if err := a.says(http.StatusOK, "word: hello"); err != nil {
		return err
	}
	word().Set(leaked, "too late")
	if err := leaked.Err(); !errors.Is(err, core.ErrCommitted) {
		return fmt.Errorf("Session.Err after a change that came too late is %q", text(err))
	}
	return s.keeps(idOf(token), "hello")
}

func checkClientGone(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	noticed := make(chan error, 1)
	_, err = s.open(ctx, http.MethodGet, func(x Exchange) error {
		leave()
		_, err := await(x.Context().Done(), "the end of the handler's context")
		setWord(x, "even so")
		noticed <- err
		return x.Answer(http.StatusOK, "nobody reads this")
	}, cookie(token))
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the client that goes away gets %q", text(err))
	}
	lost, err := await(noticed, "the handler")
	if err := errors.Join(err, lost); err != nil {
		return err
	}
	if _, err := await(s.store.updated, "the commit"); err != nil {
		return err
	}
	return s.keeps(idOf(token), "even so")
}
