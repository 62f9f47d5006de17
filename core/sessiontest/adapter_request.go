package sessiontest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// requestChecks are about what the adapter takes from a request.
func requestChecks() []AdapterCheck {
	return []AdapterCheck{{
		Name: "begin-once",
		Sentence: "A request with a token costs one Load, one without costs no store access, " +
			"and one that only reads costs no write.",
		Run: checkBeginOnce,
	}, {
		Name: "untouched",
		Sentence: "A response whose handler did not look at the session is as if there were " +
			"none.",
		Run: checkUntouched,
	}, {
		Name:     "looked",
		Sentence: "A response whose handler looked at the session says so in Vary, once.",
		Run:      checkLooked,
	}, {
		Name: "token-unknown",
		Sentence: "Nothing that a client chose is ever adopted: it gets a token of the " +
			"server's.",
		Run: checkTokenUnknown,
	}, {
		Name: "cookie-lines",
		Sentence: "Every value of the cookie's name over all Cookie lines counts: two that " +
			"differ are none.",
		Run: checkCookieLines,
	}, {
		Name: "header-lines",
		Sentence: "Every line of the header counts, whatever the case of its name; the new " +
			"token goes out in the header of that name.",
		Run: checkHeaderLines,
	}, {
		Name: "pipelined",
		Sentence: "Requests on one connection are served each with its own session, of which " +
			"nothing changes when the framework uses its buffers again.",
		Run: checkPipelined,
	}, {
		Name:     "parallel",
		Sentence: "Requests at the same time are served each with its own session.",
		Run:      checkParallel,
	}}
}

func checkBeginOnce(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	a, err := s.send(readWord, cookie(token))
	if err != nil {
		return err
	}
	if err := errors.Join(a.says(http.StatusOK, "word: hello"), s.calls(1, 0)); err != nil {
		return err
	}
	s.store.reset()
	a, err = s.send(readWord, nil)
	if err != nil {
		return err
	}
	return errors.Join(a.says(http.StatusOK, "word: "), s.calls(0, 0))
}

func checkUntouched(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	for _, header := range []http.Header{nil, cookie(token)} {
		a, err := s.send(func(x Exchange) error {
			return x.Answer(http.StatusOK, "the same for all")
		}, header)
		if err != nil {
			return err
		}
		err = errors.Join(a.says(http.StatusOK, "the same for all"), a.plain(), a.varies())
		if a.header.Get("Cache-Control") != "" {
			err = errors.Join(err, errors.New("the response has a Cache-Control"))
		}
		if err != nil {
			return err
		}
	}
	return s.calls(1, 0)
}

func checkLooked(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	for _, header := range []http.Header{nil, cookie(token)} {
		a, err := s.send(readWord, header)
		if err != nil {
			return err
		}
		if err := errors.Join(a.varies("Cookie"), a.plain()); err != nil {
			return err
		}
	}
	return nil
}

func checkTokenUnknown(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	chosen := core.NewToken().Reveal()
	a, err := s.send(func(x Exchange) error {
		setWord(x, "hello")
		return readWord(x)
	}, cookie(chosen))
	if err != nil {
		return err
	}
	if err := s.began(a, "hello"); err != nil {
		return err
	}
	if idOf(a.tokens()[0]) == idOf(chosen) {
		return errors.New("the session has the ID that the client chose")
	}
	return s.ended(idOf(chosen))
}

func checkCookieLines(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	mine, other := cookieName+"="+token, cookieName+"="+core.NewToken().Reveal()
	for _, try := range []struct {
		lines []string
		want  string
	}{
		{[]string{"a=1; " + mine + "; b=2"}, "word: hello"},
		{[]string{"a=1; b=2", mine}, "word: hello"},
		{[]string{mine, "a=1; b=2"}, "word: hello"},
		{[]string{mine, mine}, "word: hello"},
		{[]string{mine + "; " + other}, "word: "},
		{[]string{mine, other}, "word: "},
		{[]string{other, mine}, "word: "},
	} {
		a, err := s.send(readWord, http.Header{"Cookie": try.lines})
		if err != nil {
			return err
		}
		if err := a.says(http.StatusOK, try.want); err != nil {
			lines := strings.Join(try.lines, " / ")
			lines = strings.ReplaceAll(lines, other, "another")
			lines = strings.ReplaceAll(lines, mine, "mine")
			return fmt.Errorf("with Cookie: %s: %w", lines, err)
		}
	}
	return nil
}

func checkHeaderLines(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{Carrier: core.Header{}})
	token, err := s.visit("hello")
	if err != nil {
		return err
	}
	other := core.NewToken().Reveal()
	for _, try := range []struct {
		about  string
		header http.Header
		want   string
	}{
		{"the token", http.Header{"Session-Id": {token}}, "word: hello"},
		{"the token, in small letters", http.Header{"session-id": {token}}, "word: hello"},
		{"the token, twice", http.Header{"Session-Id": {token, token}}, "word: hello"},
		{"the token and another", http.Header{"Session-Id": {token, other}}, "word: "},
		{"another and the token", http.Header{"Session-Id": {other, token}}, "word: "},
		{"the token as a cookie", cookie(token), "word: "},
	} {
		a, err := s.send(readWord, try.header)
		if err != nil {
			return err
		}
		if err := a.says(http.StatusOK, try.want); err != nil {
			return fmt.Errorf("Session-Id with %s: %w", try.about, err)
		}
	}
	a, err := s.send(func(x Exchange) error {
		setWord(x, "new")
		return readWord(x)
	}, nil)
	if err != nil {
		return err
	}
	issued, ok := core.ParseToken(a.header.Get("Session-Id"))
	if !ok {
		return errors.New("the response brings no token in Session-Id")
	}
	return errors.Join(a.plain(), s.keeps(issued.ID(), "new"),
		a.has("Access-Control-Expose-Headers", "Session-Id"))
}

// A memento is what a handler keeps of its request: core's strings must not be the framework's.
type memento struct {
	session *core.Session
	id      core.ID
	text    string
}

// checkPipelined sends all requests before it reads the first response, on a connection of its own.
func checkPipelined(t testing.TB, mount Mount) error {
	const requests = 8
	s := newSite(t, mount, core.Config{})
	tokens := make([]string, requests)
	for i := range tokens {
		var err error
		if tokens[i], err = s.visit(fmt.Sprint("visitor ", i)); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	var list []memento
	var h Handler = func(x Exchange) error {
		session := x.Session()
		text, _ := word().Get(session)
		mu.Lock()
		list = append(list, memento{session, session.ID(), text})
		mu.Unlock()
		word().Set(session, text+" was here")
		return x.Answer(http.StatusOK, text)
	}
	s.handler.Store(&h)
	answers, err := s.pipeline(tokens)
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	if len(list) != requests {
		return fmt.Errorf("the handler ran %d times, not %d", len(list), requests)
	}
	for i, token := range tokens {
		text := fmt.Sprint("visitor ", i)
		k := list[i]
		err := errors.Join(
			answers[i].says(http.StatusOK, text), s.keeps(idOf(token), text+" was here"))
		if k.id != idOf(token) || k.session.ID() != k.id || k.text != text {
			err = errors.Join(err, errors.New("what the handler kept of the session has changed"))
		}
		if err != nil {
			return fmt.Errorf("request %d of %d on one connection: %w", i+1, requests, err)
		}
	}
	return nil
}

// pipeline sends one request for each token and reads the answers.
func (s *site) pipeline(tokens []string) ([]*answer, error) {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), patience)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	var all strings.Builder
	for _, token := range tokens {
		fmt.Fprintf(&all,
			"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: %s=%s\r\n\r\n", cookieName, token)
	}
	if _, err := conn.Write([]byte(all.String())); err != nil {
		return nil, err
	}
	var answers []*answer
	from := bufio.NewReader(conn)
	for range tokens {
		response, err := http.ReadResponse(from, nil)
		if err != nil {
			return nil, err
		}
		a, err := read(response)
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// checkParallel lets no handler go on before all visitors' first requests are being handled.
func checkParallel(t testing.TB, mount Mount) error {
	const visitors, requests = 8, 5
	s := newSite(t, mount, core.Config{})
	tokens := make([]string, visitors)
	for i := range tokens {
		var err error
		if tokens[i], err = s.visit(fmt.Sprint(i)); err != nil {
			return err
		}
	}
	var arrived atomic.Int32
	all := make(chan struct{})
	add := func(x Exchange) error {
		if arrived.Add(1) == visitors {
			close(all)
		}
		if _, err := await(all, "another visitor's request"); err != nil {
			return err
		}
		word().Update(x.Session(), func(text string) string { return text + "," + text[:1] })
		return readWord(x)
	}
	return errors.Join(together(visitors, func(i int) error {
		want := fmt.Sprint(i)
		for range requests {
			want += fmt.Sprint(",", i)
			a, err := s.send(add, cookie(tokens[i]))
			if err != nil {
				return err
			}
			if err := a.says(http.StatusOK, "word: "+want); err != nil {
				return err
			}
		}
		return s.keeps(idOf(tokens[i]), want)
	})...)
}
