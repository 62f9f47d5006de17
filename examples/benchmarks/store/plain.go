package store

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// plainBatch is how many sessions a sweep of plainStore removes under one lock.
const plainBatch = 1000

func plainMap() Maker {
	return Maker{
		Name: "map", KeyLength: idLength,
		Traits: Traits{
			Ends: EndsEach, Removal: RemovedWhenTold, Form: "Go struct", CompareAndSet: true,
			Note: "what one writes first: a map, a lock, no codec; values that are not strings and " +
				"numbers would need a copy",
		},
		New: func(Settings) (Contestant, error) {
			return &plainStore{sessions: make(map[string]plainSession)}, nil
		},
	}
}

// plainStore is a map under one lock.
type plainStore struct {
	mu       sync.RWMutex
	sessions map[string]plainSession
}

// plainSession holds the values as they are, and what any server must know to judge a token: the
// hash of its secret, and the times.
type plainSession struct {
	user                   string
	visits                 int
	verifier               [32]byte
	created, used, expires int64 // milliseconds since the epoch
}

func (p *plainStore) Put(n int, expires time.Time) error {
	v, key, now := ValuesOf(n), keyOf(n, idLength), time.Now().UnixMilli()
	s := plainSession{
		user: v.User, visits: v.Visits, verifier: sha256.Sum256([]byte(key)),
		created: now, used: now, expires: expires.UnixMilli(),
	}
	p.mu.Lock()
	p.sessions[key] = s
	p.mu.Unlock()
	return nil
}

func (p *plainStore) load(key string) (plainSession, bool) {
	p.mu.RLock()
	s, ok := p.sessions[key]
	p.mu.RUnlock()
	return s, ok && time.Now().UnixMilli() < s.expires
}

func (p *plainStore) Get(key string) bool {
	_, ok := p.load(key)
	return ok
}

func (p *plainStore) Touch(key string, expires time.Time) error {
	now := time.Now().UnixMilli()
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sessions[key]
	if !ok {
		return errMissing
	}
	s.used, s.expires = now, expires.UnixMilli()
	p.sessions[key] = s
	return nil
}

func (p *plainStore) Values(n int) (Values, bool, error) {
	s, ok := p.load(keyOf(n, idLength))
	return Values{User: s.user, Visits: s.visits}, ok, nil
}

// Sweep looks for what has expired while others read, and removes it a thousand at a time: as well
// as it can be done with a map, which cannot be gone through in steps while others write.
func (p *plainStore) Sweep(ctx context.Context, now time.Time) error {
	expired := p.expired(now.UnixMilli())
	for batch := range slices.Chunk(expired, plainBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.remove(batch, now.UnixMilli())
	}
	return nil
}

func (p *plainStore) expired(at int64) []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var keys []string
	for key, s := range p.sessions {
		if s.expires <= at {
			keys = append(keys, key)
		}
	}
	return keys
}

func (p *plainStore) remove(keys []string, at int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range keys {
		if p.sessions[key].expires <= at { // not if it was touched meanwhile
			delete(p.sessions, key)
		}
	}
}

func (p *plainStore) Close() error { return nil }
