package growth

import (
	"errors"
	"fmt"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

// WholeRequest is the contestant that is no store: core's Manager on its own MemoryStore, as an
// adapter uses it.
const WholeRequest = "ours, whole request"

// Contestants are the names of all that are measured, ours first.
func Contestants() []string {
	return []string{"ours", WholeRequest, "map", "scs", "fiber v2", "otter"}
}

// A subject holds sessions and does operations on them. Several goroutines may work at once, each
// with a hand of its own.
type subject interface {
	// key is what a client would come with for session n.
	key(n int) string
	// hand makes what one goroutine needs.
	hand() hand
}

// A hand does operations for one goroutine.
type hand interface {
	do(operation Operation, key string) error
}

// newSubject makes a contestant with so many sessions in it.
func newSubject(contestant string, sessions int) (subject, error) {
	if contestant == WholeRequest {
		return newRequests(sessions)
	}
	maker, err := store.Find(contestant)
	if err != nil {
		return nil, err
	}
	if err := store.Prove(maker); err != nil {
		return nil, err
	}
	c, err := maker.New(store.Settings{Sessions: sessions, Life: 24 * time.Hour})
	if err != nil {
		return nil, err
	}
	expires := time.Now().Add(24 * time.Hour)
	for n := range sessions {
		if err := c.Put(n, expires); err != nil {
			return nil, fmt.Errorf("put session %d: %w", n, err)
		}
	}
	return &stored{Contestant: c, maker: maker, expires: expires}, nil
}

// stored is a contestant of package store.
type stored struct {
	store.Contestant
	maker   store.Maker
	expires time.Time
}

func (s *stored) key(n int) string { return s.maker.Key(n) }

func (s *stored) hand() hand { return s }

func (s *stored) do(operation Operation, key string) error {
	if operation == Write {
		return s.Touch(key, s.expires)
	}
	if !s.Get(key) {
		return errLost
	}
	return nil
}

// errLost means that a session was not there.
var errLost = errors.New("a session is lost")
