package store

import (
	"context"
	"errors"
	"hash/maphash"
	"time"
)

// plainShards are as many as core's MemoryStore has.
const plainShards = 256

func shardedMap() Maker {
	return Maker{
		Name: "sharded map", KeyLength: idLength,
		Traits: Traits{
			Ends: EndsEach, Removal: RemovedWhenTold, Form: "Go struct", CompareAndSet: true,
			Note: "256 of the plain map, each with a lock of its own",
		},
		New: func(Settings) (Contestant, error) {
			s := &shardedStore{seed: maphash.MakeSeed()}
			for i := range s.shards {
				s.shards[i].sessions = make(map[string]plainSession)
			}
			return s, nil
		},
	}
}

// shardedStore is many maps, each under its own lock, which is what one does first about a lock
// that is held for too long.
type shardedStore struct {
	seed   maphash.Seed
	shards [plainShards]plainStore
}

func (s *shardedStore) shard(key string) *plainStore {
	return &s.shards[maphash.String(s.seed, key)%plainShards]
}

func (s *shardedStore) Put(n int, expires time.Time) error {
	return s.shard(keyOf(n, idLength)).Put(n, expires)
}

func (s *shardedStore) Get(key string) bool { return s.shard(key).Get(key) }

func (s *shardedStore) Touch(key string, expires time.Time) error {
	return s.shard(key).Touch(key, expires)
}

func (s *shardedStore) Values(n int) (Values, bool, error) {
	return s.shard(keyOf(n, idLength)).Values(n)
}

// Sweep goes through one map after the other.
func (s *shardedStore) Sweep(ctx context.Context, now time.Time) error {
	for i := range s.shards {
		if err := s.shards[i].Sweep(ctx, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *shardedStore) Close() error {
	var errs []error
	for i := range s.shards {
		errs = append(errs, s.shards[i].Close())
	}
	return errors.Join(errs...)
}
