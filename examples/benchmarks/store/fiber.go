package store

import (
	"bytes"
	"encoding/gob"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/session"
)

const (
	fiberKeyLength = 36

	// fiberEvery is the pause between two sweeps of fiber's storage, which cannot be set.
	fiberEvery = 10 * time.Second
)

func fiberMemory() Maker {
	return Maker{
		Name: "fiber v2", KeyLength: fiberKeyLength, Module: "github.com/gofiber/fiber/v2",
		Traits: Traits{
			Ends: EndsEach, Removal: RemovedByTimer, Every: fiberEvery, Form: "gob",
			Note: "ends are whole seconds, by a clock that is up to a second late",
		},
		New: func(Settings) (Contestant, error) {
			return &fiberStore{storage: session.New().Storage}, nil
		},
	}
}

// fiberStore is the storage that fiber's session middleware uses if it is given none, with what
// the middleware stores in it.
type fiberStore struct{ storage fiber.Storage }

func (f *fiberStore) Put(n int, expires time.Time) error {
	v := ValuesOf(n)
	data := map[string]any{userName: v.User, visitsName: v.Visits}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&data); err != nil {
		return err
	}
	return f.storage.Set(keyOf(n, fiberKeyLength), b.Bytes(), fiberAge(expires))
}

// fiberAge is never zero, which would mean for ever.
func fiberAge(expires time.Time) time.Duration { return max(time.Until(expires), 1) }

func (f *fiberStore) Get(key string) bool {
	b, err := f.storage.Get(key)
	return b != nil && err == nil
}

// Touch does without decoding and encoding, which fiber itself does not.
func (f *fiberStore) Touch(key string, expires time.Time) error {
	b, err := f.storage.Get(key)
	if err != nil {
		return err
	}
	if b == nil {
		return errMissing
	}
	return f.storage.Set(key, b, fiberAge(expires))
}

func (f *fiberStore) Values(n int) (Values, bool, error) {
	b, err := f.storage.Get(keyOf(n, fiberKeyLength))
	if err != nil || b == nil {
		return Values{}, false, err
	}
	var values map[string]any
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&values); err != nil {
		return Values{}, false, err
	}
	return valuesOf(values), true, nil
}

func (f *fiberStore) Close() error { return f.storage.Close() }
