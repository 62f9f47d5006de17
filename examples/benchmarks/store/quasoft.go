package store

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
	"github.com/quasoft/memstore"
)

const (
	quasoftIDLength = 52
	quasoftCookie   = "session"
)

func quasoftMemstore() Maker {
	return Maker{
		Name: "quasoft", KeyLength: quasoftIDLength, Module: "github.com/quasoft/memstore",
		Traits: Traits{
			Ends: EndsNever, Removal: RemovedNever, Form: "map[any]any",
			Note: "for tests and development by its own words, \"do not use in production\"; it is " +
				"what gin-contrib/sessions/memstore wraps, and our choice for echo-contrib, which " +
				"names none; a read copies the values by gob; the cookie's signing is left out",
		},
		New: func(Settings) (Contestant, error) {
			store := memstore.NewMemStore([]byte("a key that is not used"))
			store.Codecs = []securecookie.Codec{plainCookie{}}
			return &quasoftStore{store: store, header: make(http.Header)}, nil
		},
	}
}

// quasoftStore is the memory store of the gorilla family. There is no way to its map but through
// requests and responses.
type quasoftStore struct {
	store  *memstore.MemStore
	header http.Header
}

func (q *quasoftStore) Put(n int, _ time.Time) error {
	v := ValuesOf(n)
	s := sessions.NewSession(q.store, quasoftCookie)
	s.ID, s.Options = keyOf(n, quasoftIDLength), q.store.Options
	s.Values[userName], s.Values[visitsName] = v.User, v.Visits
	clear(q.header)
	return q.store.Save(nil, headerOnly{q.header}, s)
}

func (q *quasoftStore) Get(key string) bool {
	s, err := q.load(key)
	return err == nil && !s.IsNew
}

func (q *quasoftStore) load(key string) (*sessions.Session, error) {
	r := &http.Request{Header: http.Header{"Cookie": {quasoftCookie + "=" + key}}}
	return q.store.New(r, quasoftCookie)
}

func (q *quasoftStore) Touch(string, time.Time) error {
	return fmt.Errorf("quasoft/memstore knows no end: %w", errors.ErrUnsupported)
}

func (q *quasoftStore) Values(n int) (Values, bool, error) {
	s, err := q.load(keyOf(n, quasoftIDLength))
	if err != nil || s.IsNew {
		return Values{}, false, err
	}
	user, _ := s.Values[userName].(string)
	visits, _ := s.Values[visitsName].(int)
	return Values{User: user, Visits: visits}, true, nil
}

func (q *quasoftStore) Close() error { return nil }

// plainCookie takes the cookie's value for the ID: signing and checking it is not the store's
// work.
type plainCookie struct{}

func (plainCookie) Encode(_ string, value any) (string, error) {
	id, _ := value.(string)
	return id, nil
}

func (plainCookie) Decode(_, value string, dst any) error {
	id, ok := dst.(*string)
	if !ok {
		return errors.New("an ID is a string")
	}
	*id = value
	return nil
}

// headerOnly is a response of which only the header is of interest.
type headerOnly struct{ header http.Header }

func (h headerOnly) Header() http.Header         { return h.header }
func (h headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h headerOnly) WriteHeader(int)             {}
