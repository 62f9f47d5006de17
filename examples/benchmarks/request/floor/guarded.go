package floor

import (
	"crypto/subtle"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The guarded floor's timeouts, and how seldom a use is noted.
const (
	lifetime      = 24 * time.Hour
	idleTimeout   = time.Hour
	touchInterval = 5 * time.Minute
)

// ErrStarted is what Begin returns if the response has begun: its cookie cannot be sent any more.
var ErrStarted = errors.New("floor: the response has begun")

// Guarded keeps sessions in a map, for any number of goroutines.
type Guarded struct {
	mu       sync.RWMutex // of the map, not of what is in it
	sessions map[string]*session
}

type session struct {
	verifier verifier
	created  time.Time
	used     atomic.Int64 // nanoseconds since 1970

	mu     sync.RWMutex // of the values
	values Values
}

// NewGuarded returns a Guarded without sessions.
func NewGuarded() *Guarded {
	return &Guarded{sessions: make(map[string]*session)}
}

// find returns the living session of a token, and notes that it was used; nil if there is none. It
// looks at the clock only if the token may be one.
func (g *Guarded) find(token string) *session {
	id, secret, ok := split(token)
	if !ok {
		return nil
	}
	presented := verify(secret)
	g.mu.RLock()
	s := g.sessions[id]
	g.mu.RUnlock()
	if s == nil || subtle.ConstantTimeCompare(presented[:], s.verifier[:]) != 1 {
		return nil
	}
	now := time.Now()
	idle := now.Sub(time.Unix(0, s.used.Load()))
	if idle >= idleTimeout || now.Sub(s.created) >= lifetime {
		return nil
	}
	if idle > touchInterval {
		s.used.Store(now.UnixNano())
	}
	return s
}

// begin keeps a new session and returns its token.
func (g *Guarded) begin(values Values) (string, *session) {
	now := time.Now()
	token := newToken()
	id, secret, _ := split(token)
	s := &session{verifier: verify(secret), created: now, values: values}
	s.used.Store(now.UnixNano())
	g.mu.Lock()
	g.sessions[strings.Clone(id)] = s
	g.mu.Unlock()
	return token, s
}
