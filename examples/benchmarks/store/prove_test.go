package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

func TestEveryContestantDoesTheWork(t *testing.T) {
	for _, m := range store.Makers() {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, store.Prove(m))
		})
	}
}

// A proof that proves everything proves nothing.
func TestAContestantThatCheatsIsFoundOut(t *testing.T) {
	for _, cheat := range []struct {
		name, fault string
		make        func(store.Contestant) store.Contestant
	}{
		{
			name: "keeps nothing", fault: "is lost",
			make: func(c store.Contestant) store.Contestant { return forgetful{c} },
		},
		{
			name: "says yes to everything", fault: "never put in",
			make: func(c store.Contestant) store.Contestant { return agreeable{c} },
		},
		{
			name: "gives everybody the same values", fault: "has {User:",
			make: func(c store.Contestant) store.Contestant { return confused{c} },
		},
		{
			name: "loses a session by touching it", fault: "touch",
			make: func(c store.Contestant) store.Contestant { return clumsy{c} },
		},
		{
			name: "ends nothing", fault: "has not ended",
			make: func(c store.Contestant) store.Contestant { return eternal{c} },
		},
		{
			name: "ends everything", fault: "is lost",
			make: func(c store.Contestant) store.Contestant { return &hasty{Contestant: c} },
		},
		{
			name: "sweeps nothing", fault: "after the sweep",
			make: func(c store.Contestant) store.Contestant { return lazy{c} },
		},
	} {
		t.Run(cheat.name, func(t *testing.T) {
			t.Parallel()
			m, err := store.Find("ours")
			require.NoError(t, err)
			honest := m.New
			m.New = func(s store.Settings) (store.Contestant, error) {
				c, err := honest(s)
				return cheat.make(c), err
			}
			require.ErrorContains(t, store.Prove(m), cheat.fault)
		})
	}
}

type forgetful struct{ store.Contestant }

func (forgetful) Put(int, time.Time) error { return nil }

type agreeable struct{ store.Contestant }

func (agreeable) Get(string) bool { return true }

type confused struct{ store.Contestant }

func (c confused) Values(n int) (store.Values, bool, error) {
	_, ok, err := c.Contestant.Values(n)
	return store.ValuesOf(7), ok, err
}

type clumsy struct{ store.Contestant }

func (clumsy) Touch(string, time.Time) error { return errors.New("touch: lost") }

type eternal struct{ store.Contestant }

func (e eternal) Touch(key string, _ time.Time) error {
	return e.Contestant.Touch(key, time.Now().Add(time.Hour))
}

// hasty gives all sessions the end that one of them got.
type hasty struct {
	store.Contestant
	ended bool
}

func (h *hasty) Touch(key string, expires time.Time) error {
	h.ended = h.ended || time.Until(expires) < time.Minute
	return h.Contestant.Touch(key, expires)
}

func (h *hasty) Get(key string) bool { return !h.ended && h.Contestant.Get(key) }

type lazy struct{ store.Contestant }

func (lazy) Sweep(context.Context, time.Time) error { return nil }
