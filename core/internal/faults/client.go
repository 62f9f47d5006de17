package faults

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A client is the browser of one session: it keeps all tokens that it was ever given, and shows the
// last one.
type client struct {
	number int
	mu     sync.Mutex
	id     core.ID
	tokens []string
	asked  []asked // what was begun and not completed
}

// An asked is a sign-in that has begun, and since when that is certain.
type asked struct {
	signIn core.SignIn
	moment int
}

// token returns one of the tokens, the last one for ByID, and its number.
func (c *client) token(number int) (string, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if number == ByID {
		number = len(c.tokens) - 1
	}
	if number < 0 || number >= len(c.tokens) { // a session that begins has none
		return "", 0
	}
	return c.tokens[number], number
}

// keep takes the token that a response brought, and returns its number.
func (c *client) keep(id core.ID, response http.Header) (number int, issued bool) {
	token := response.Get(header)
	if token == "" {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id = id
	c.tokens = append(c.tokens, token)
	return len(c.tokens) - 1, true
}

// known reports how many tokens there are, and the session's ID.
func (c *client) known() (core.ID, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id, len(c.tokens)
}

// A mark is a value of its own whose name begins so, or an element of a list that is updated.
const ownMark = "own"

func markList() core.Value[[]string] { return core.NewValue[[]string]("marks") }

func writeMark(s *core.Session, mark string) {
	if strings.HasPrefix(mark, ownMark) {
		core.NewValue[bool](mark).Set(s, true)
		return
	}
	markList().Update(s, func(list []string) []string { return append(list, mark) })
}

func readMarks(s *core.Session) []string {
	list, _ := markList().Get(s)
	marks := slices.Clone(list)
	for _, name := range s.Names() {
		if strings.HasPrefix(name, ownMark) {
			marks = append(marks, name)
		}
	}
	return marks
}

// request runs one request of the client on a node, and fills in what became of it. The token is
// shown unless the session begins.
func (c *client) request(
	ctx context.Context, n Node, o *Operation, handle func(s *core.Session),
) {
	in := http.Header{}
	token, _ := c.token(o.Token)
	if o.Kind != Create && token != "" {
		in.Set(header, token)
	}
	s, err := n.Manager.Begin(ctx, in)
	if err != nil {
		o.Outcome, o.Err = Failed, err // nothing was sent that changes anything
		return
	}
	o.Alive, o.Found = s.ID() != "", s.Owner()
	handle(s)
	out := http.Header{}
	err = n.Manager.Commit(ctx, s, out)
	if err != nil {
		out = http.Header{}
		n.Manager.ErrorHeader(s, err, out)
	}
	o.Outcome, o.Err = OutcomeOf(err), err
	if number, issued := c.keep(s.ID(), out); issued {
		o.Issued = number
	}
	n.Manager.Seal(s)
}

// open reads the session by its ID.
func (c *client) open(ctx context.Context, n Node, o *Operation) {
	id, _ := c.known()
	s, err := n.Manager.Open(ctx, id)
	switch {
	case err == nil:
		o.Outcome, o.Alive, o.Marks, o.Found = OK, true, readMarks(s), s.Owner()
	case errors.Is(err, core.ErrNotFound):
		o.Outcome = OK
	default:
		o.Outcome, o.Err = Failed, err
	}
}

// do carries out one operation on a node.
func (c *client) do(ctx context.Context, n Node, o *Operation) {
	switch o.Kind {
	case Create:
		c.request(ctx, n, o, func(s *core.Session) { writeMark(s, o.Mark) })
	case Save:
		c.request(ctx, n, o, func(s *core.Session) {
			if !o.Alive {
				o.Mark = "" // it would begin another session
				return
			}
			writeMark(s, o.Mark)
		})
	case Read:
		if o.Token == ByID {
			c.open(ctx, n, o)
			return
		}
		c.request(ctx, n, o, func(s *core.Session) { o.Marks = readMarks(s) })
	case Renew:
		c.request(ctx, n, o, func(s *core.Session) { s.Renew() })
	case Destroy:
		c.request(ctx, n, o, func(s *core.Session) { s.Destroy() })
	case Revoke:
		id, _ := c.known()
		o.Err = n.Manager.Revoke(ctx, id)
		o.Outcome = OutcomeOf(o.Err)
	}
}
