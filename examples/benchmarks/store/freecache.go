package store

import (
	"errors"
	"math"
	"time"

	"github.com/coocood/freecache"
)

func freeCache() Maker {
	return Maker{
		Name: "freecache", KeyLength: idLength, Module: "github.com/coocood/freecache",
		Traits: Traits{
			Ends: EndsEach, Removal: RemovedNever, Form: "core's record as bytes",
			DropsLive: "when its fixed room is full", CompareAndSet: true,
			Note: "all room is taken at the start, and never given back; ends are whole seconds",
		},
		New: newFreeCache,
	}
}

func newFreeCache(settings Settings) (Contestant, error) {
	f, err := newFrames()
	if err != nil {
		return nil, err
	}
	entry := freecache.ENTRY_HDR_SIZE + idLength + packedHead + len(f.data)
	// A tenth and some more than it takes, since keys are not spread evenly over its segments.
	room := entry*settings.Sessions*11/10 + 1<<20
	return &freeCacheStore{frames: f, cache: freecache.NewCache(room)}, nil
}

// freeCacheStore keeps core's records as bytes in a room of a fixed size.
type freeCacheStore struct {
	*frames
	cache *freecache.Cache
}

func (f *freeCacheStore) Put(n int, expires time.Time) error {
	rec := f.of(n, expires)
	return f.cache.Set([]byte(rec.ID), pack(nil, rec), wholeSeconds(expires))
}

// wholeSeconds is never zero, which would mean for ever.
func wholeSeconds(expires time.Time) int {
	return max(int(math.Ceil(time.Until(expires).Seconds())), 1)
}

func (f *freeCacheStore) Get(key string) bool {
	_, err := f.cache.Get([]byte(key))
	return err == nil
}

// Touch changes the end that freecache knows, and leaves that in the record.
func (f *freeCacheStore) Touch(key string, expires time.Time) error {
	err := f.cache.Touch([]byte(key), wholeSeconds(expires))
	if errors.Is(err, freecache.ErrNotFound) {
		return errMissing
	}
	return err
}

func (f *freeCacheStore) Values(n int) (Values, bool, error) {
	key := keyOf(n, idLength)
	value, err := f.cache.Get([]byte(key))
	if errors.Is(err, freecache.ErrNotFound) {
		return Values{}, false, nil
	}
	if err != nil {
		return Values{}, false, err
	}
	return f.values(unpack(key, value))
}
