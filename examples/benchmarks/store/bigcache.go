package store

import (
	"context"
	"errors"
	"time"

	"github.com/allegro/bigcache/v3"
)

const (
	bigCacheShards = 1024
	bigCacheEvery  = time.Second // the shortest that its documentation advises
	bigCacheHead   = 20          // bytes of its own before each entry
)

func bigCache() Maker {
	return Maker{
		Name: "bigcache", KeyLength: idLength, Module: "github.com/allegro/bigcache/v3",
		Traits: Traits{
			Ends: EndsAlike, Removal: RemovedByTimer, Every: bigCacheEvery,
			Form:      "core's record as bytes",
			Collision: "the older session of the two is lost",
			Note: "a read does not ask whether the session has ended; no session can end before " +
				"those that were written earlier; a write leaves the old entry in memory until then",
		},
		New: newBigCache,
	}
}

func newBigCache(settings Settings) (Contestant, error) {
	f, err := newFrames()
	if err != nil {
		return nil, err
	}
	entry := bigCacheHead + idLength + packedHead + len(f.data)
	cache, err := bigcache.New(context.Background(), bigcache.Config{
		Shards: bigCacheShards, LifeWindow: settings.Life, CleanWindow: bigCacheEvery,
		// A tenth and three more in each shard, since keys are not spread evenly: a shard that has
		// to grow takes twice its room at once.
		MaxEntriesInWindow: settings.Sessions*11/10 + 3*bigCacheShards, MaxEntrySize: entry,
	})
	return &bigCacheStore{frames: f, cache: cache}, err
}

// bigCacheStore keeps core's records as bytes in ring buffers.
type bigCacheStore struct {
	*frames
	cache *bigcache.BigCache
}

func (b *bigCacheStore) Put(n int, expires time.Time) error {
	rec := b.of(n, expires)
	return b.cache.Set(string(rec.ID), pack(nil, rec))
}

func (b *bigCacheStore) Get(key string) bool {
	_, err := b.cache.Get(key)
	return err == nil
}

// Touch writes the session again, which is how it is kept from ending with the others of its age;
// but the age is what it is, and expires has no say.
func (b *bigCacheStore) Touch(key string, expires time.Time) error {
	value, err := b.cache.Get(key)
	if errors.Is(err, bigcache.ErrEntryNotFound) {
		return errMissing
	}
	if err != nil {
		return err
	}
	setTimes(value, time.Now(), expires)
	return b.cache.Set(key, value)
}

func (b *bigCacheStore) Values(n int) (Values, bool, error) {
	key := keyOf(n, idLength)
	value, err := b.cache.Get(key)
	if errors.Is(err, bigcache.ErrEntryNotFound) {
		return Values{}, false, nil
	}
	if err != nil {
		return Values{}, false, err
	}
	return b.values(unpack(key, value))
}

func (b *bigCacheStore) Close() error {
	return errors.Join(b.cache.Close(), b.frames.Close())
}
