package store

import (
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
)

const (
	scsTokenLength = 43

	// scsEvery is shorter than the minute that scs takes by default, so that a sweep falls into the
	// measurement. What one sweep costs does not depend on it.
	scsEvery = 3 * time.Second
)

func scsMemstore() Maker {
	return Maker{
		Name: "scs", KeyLength: scsTokenLength, Module: "github.com/alexedwards/scs/v2",
		Traits: Traits{
			Ends: EndsEach, Removal: RemovedByTimer, Every: scsEvery, Form: "gob",
		},
		New: func(Settings) (Contestant, error) {
			return &scsStore{store: memstore.NewWithCleanupInterval(scsEvery)}, nil
		},
	}
}

// scsStore is scs' memstore, with what scs.SessionManager commits to it.
type scsStore struct {
	store *memstore.MemStore
	codec scs.GobCodec
}

func (s *scsStore) Put(n int, expires time.Time) error {
	v := ValuesOf(n)
	b, err := s.codec.Encode(expires.UTC(), map[string]any{
		userName: v.User, visitsName: v.Visits,
	})
	if err != nil {
		return err
	}
	return s.store.Commit(keyOf(n, scsTokenLength), b, expires)
}

func (s *scsStore) Get(key string) bool {
	_, found, err := s.store.Find(key)
	return found && err == nil
}

// Touch does without decoding and encoding, which scs itself does not.
func (s *scsStore) Touch(key string, expires time.Time) error {
	b, found, err := s.store.Find(key)
	if err != nil {
		return err
	}
	if !found {
		return errMissing
	}
	return s.store.Commit(key, b, expires)
}

func (s *scsStore) Values(n int) (Values, bool, error) {
	b, found, err := s.store.Find(keyOf(n, scsTokenLength))
	if err != nil || !found {
		return Values{}, false, err
	}
	_, values, err := s.codec.Decode(b)
	if err != nil {
		return Values{}, false, err
	}
	return valuesOf(values), true, nil
}

// Close lets the store's goroutine run on until the process ends: StopCleanup reads what that
// goroutine writes when it starts, which is a data race.
func (s *scsStore) Close() error { return nil }

// valuesOf takes Values out of the map in which libraries keep them.
func valuesOf(values map[string]any) Values {
	user, _ := values[userName].(string)
	visits, _ := values[visitsName].(int)
	return Values{User: user, Visits: visits}
}
