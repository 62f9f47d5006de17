package parity

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func streamingBehaviours() []behaviour {
	return []behaviour{
		{row: "16", name: "stream-live", check: streamLive,
			promise: "the header with the cookie, and the first bytes, arrive while a handler streams"},
		{row: "18", name: "set-after-header", check: setAfterHeader,
			promise: "a session that would begin after the header does not, and Err says so at once"},
		{row: "18b", name: "change-after-header", check: changeAfterHeader,
			promise: "a value changed after the header is stored at the handler's end, or refused in Err"},
		{row: "19", name: "set-after-body", check: setAfterBody,
			promise: "what is set after the answer was given is stored or refused, never half of it"},
		{row: "19b", name: "set-after-nothing", check: setAfterNothing,
			promise: "copying from what gives nothing is no first byte"},
		{row: "20", name: "early-hints", check: hints, needs: earlyHints,
			promise: "a 103 carries no cookie and does not commit"},
		{row: "20b", name: "expect-continue", check: expectContinue,
			promise: "a 100 that asks for the body carries no cookie and does not commit"},
		{row: "77", name: "trailers", check: trailers,
			promise: "a declared trailer is delivered beside the cookie"},
		{row: "77b", name: "store-down-trailers", check: trailersFail,
			promise: "no trailer of the handler's follows an error page"},
	}
}

// A pausing stream sends one chunk, waits until it may go on, and does what it is told.
type pausing struct {
	t    testing.TB
	goOn chan struct{}
	errs chan error // what Err said at the end
}

const firstChunk, lastChunk = "first\n", "last\n"

func newPausing(t testing.TB) pausing {
	return pausing{t, make(chan struct{}), make(chan error, 1)}
}

// handler streams; before runs with the handler, late between the chunks.
func (p pausing) handler(before, late func(s *core.Session)) Handler {
	return func(c Ctx) error {
		s := c.Session()
		before(s)
		return c.Stream(func(w io.Writer, flush func() error) {
			_, _ = io.WriteString(w, firstChunk)
			_ = flush()
			hold(p.t, p.goOn)
			late(s)
			p.errs <- s.Err()
			_, _ = io.WriteString(w, lastChunk)
		})
	}
}

// open reads the first chunk and lets the stream go on.
func (p pausing) open(v *visitor, meanwhile func(a *answer)) *answer {
	v.t.Helper()
	a := v.start(http.MethodGet, "/stream", "").is(200)
	require.Equal(v.t, firstChunk, a.read(len(firstChunk)))
	meanwhile(a)
	close(p.goOn)
	a.finish()
	return a.says(lastChunk)
}

func nothing(*core.Session) {}

func setTo(val string) func(*core.Session) {
	return func(s *core.Session) { u.Set(s, val) }
}

func streamLive(t *testing.T, f framework) {
	p := newPausing(t)
	s := open(t, f, get("/stream", p.handler(setTo("x"), nothing)))
	p.open(s.visitor(), func(a *answer) { s.holds(a.issues(), "x") })
	require.NoError(t, receive(t, p.errs, "the stream's end"))
}

func setAfterHeader(t *testing.T, f framework) {
	p := newPausing(t)
	s := open(t, f, get("/stream", p.handler(nothing, setTo("x"))))
	v := s.visitor()
	p.open(v, func(a *answer) { a.silent() })
	require.ErrorIs(t, receive(t, p.errs, "the stream's end"), core.ErrCommitted)
	require.Zero(t, s.store.writes.Load())
	require.ErrorIs(t, s.await(core.ChangesLost).Err, core.ErrCommitted)
	v.get("/read").says("u=").silent()
}

func changeAfterHeader(t *testing.T, f framework) {
	p := newPausing(t)
	s := open(t, f, get("/stream", p.handler(nothing, setTo("late"))))
	v := s.visitor()
	v.get("/set?u=x").issues()
	p.open(v, func(a *answer) { a.silent() })
	err := receive(t, p.errs, "the stream's end")
	if able(f, writers) {
		require.NoError(t, err)
		s.holds(v.token(), "late")
		return
	}
	// fasthttp writes the body beside and beyond the handler, when the commit is long past.
	require.ErrorIs(t, err, core.ErrCommitted)
	s.holds(v.token(), "x")
}

func setAfterBody(t *testing.T, f framework) {
	s := open(t, f, get("/late", func(c Ctx) error {
		if err := c.Text(200, "text"); err != nil {
			return err
		}
		u.Set(c.Session(), c.Query("u"))
		return nil
	}))
	v := s.visitor()
	a := v.get("/late?u=x").is(200).says("text")
	if able(f, writers) {
		a.silent()
		require.Zero(t, s.store.writes.Load())
		require.ErrorIs(t, s.await(core.ChangesLost).Err, core.ErrCommitted)
		v.get("/set?u=x").issues()
	} else {
		s.holds(a.issues(), "x") // nothing is on its way before the handler returns
	}
	v.get("/late?u=y").is(200).says("text").silent()
	s.holds(v.token(), "y")
}

func setAfterNothing(t *testing.T, f framework) {
	for _, source := range []io.Reader{strings.NewReader(""), iotest.ErrReader(errDown)} {
		s := open(t, f, func(s *site) {
			s.mounts["/mounted"] = http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(w, source)
					found, _ := core.FromContext(r.Context())
					u.Set(found, "x")
					http.Redirect(w, r, "/next", http.StatusSeeOther)
				})
		})
		s.holds(s.visitor().get("/mounted").is(303).issues(), "x")
	}
}

func trailersFail(t *testing.T, f framework) {
	s := open(t, f, get("/trailer", func(c Ctx) error {
		u.Set(c.Session(), "x")
		sum := c.Trailer("X-Sum")
		err := c.Text(200, "body")
		sum("42")
		return err
	}))
	s.store.interrupt(failingWrites())
	a := s.visitor().get("/trailer")
	requireUnavailable(t, f, a)
	require.Empty(t, a.response.Trailer)
	require.Empty(t, a.named("X-Sum", "Trailer"))
}

func hints(t *testing.T, f framework) {
	s := open(t, f, get("/hints", func(c Ctx) error {
		u.Set(c.Session(), "early")
		c.Hints("</style.css>; rel=preload")
		u.Set(c.Session(), "x")
		return c.Text(200, "text")
	}))
	v := s.visitor()
	v.send(http.MethodGet, "/hints", "")
	early := v.receive(http.MethodGet).is(103).silent()
	require.Equal(t, []string{"Link: </style.css>; rel=preload"}, early.lines)
	a := v.receive(http.MethodGet).is(200)
	a.finish()
	a.says("text")
	s.holds(a.issues(), "x")
	require.EqualValues(t, 1, s.store.writes.Load())
}

func expectContinue(t *testing.T, f framework) {
	s := open(t, f, func(s *site) {
		s.handle(http.MethodPost, "/upload", func(c Ctx) error {
			u.Set(c.Session(), "early")
			body, err := c.Body(10)
			if err != nil {
				return err
			}
			u.Set(c.Session(), body)
			return c.Text(200, body)
		})
	})
	v := s.visitor()
	v.send(http.MethodPost, "/upload", "x", "Expect: 100-continue")
	require.Empty(t, v.receive(http.MethodPost).is(100).silent().lines)
	a := v.receive(http.MethodPost).is(200)
	a.finish()
	s.holds(a.says("x").issues(), "x")
	require.EqualValues(t, 1, s.store.writes.Load())
}

func trailers(t *testing.T, f framework) {
	s := open(t, f, get("/trailer", func(c Ctx) error {
		u.Set(c.Session(), "x")
		sum := c.Trailer("X-Sum")
		err := c.Stream(func(w io.Writer, flush func() error) {
			_, _ = io.WriteString(w, "body")
			_ = flush()
		})
		sum("42")
		return err
	}))
	a := s.visitor().get("/trailer").is(200).says("body")
	s.holds(a.issues(), "x")
	require.Equal(t, http.Header{"X-Sum": {"42"}}, a.response.Trailer)
}
