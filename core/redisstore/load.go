package redisstore

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// loadTries is how often a Load is sent at most: a second time at once, since a server that
	// has been restarted is noticed only then, and again after a pause.
	loadTries = 4
	loadPause = 40 * time.Millisecond
)

// Load implements core.Store. Owner and Data are parts of one text.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	value, err := s.get(ctx, s.key(id))
	switch {
	case rueidis.IsRedisNil(err):
		return core.Record{}, core.ErrNotFound
	case err != nil:
		return core.Record{}, s.failed(ctx, err)
	}
	return decode(id, value)
}

func (s *Store) get(ctx context.Context, key string) (string, error) {
	client, err := s.link.get(ctx)
	if err != nil {
		return "", err
	}
	if !s.link.mood.enter(ctx) {
		return s.getAside(ctx, client, key, loadTries)
	}
	value, err := getOnce(ctx, client, key)
	s.link.mood.leave(err)
	if mayPass(ctx, err) {
		return s.getAside(ctx, client, key, loadTries-1)
	}
	return value, err
}

func getOnce(ctx context.Context, client rueidis.Client, key string) (string, error) {
	return client.Do(ctx, client.B().Get().Key(key).Build()).ToString()
}

// getAside tries a few times, not in the caller's goroutine.
func (s *Store) getAside(
	ctx context.Context, client rueidis.Client, key string, tries int,
) (string, error) {
	type answer struct {
		value string
		err   error
	}
	a, err := await(ctx, func(ctx context.Context) (a answer) {
		for try := range tries {
			if try > 0 {
				rest(ctx, loadPause)
			}
			if a.value, a.err = getOnce(ctx, client, key); !mayPass(ctx, a.err) {
				break
			}
		}
		return a
	})
	if err == nil {
		err = a.err
	}
	s.link.mood.note(err)
	return a.value, err
}

// mayPass reports whether another attempt may do better.
func mayPass(ctx context.Context, err error) bool {
	if err == nil || rueidis.IsRedisNil(err) || err == rueidis.ErrClosing || ctx.Err() != nil {
		return false
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= 0 {
		return false // it will be over in a moment
	}
	answer, refused := rueidis.IsRedisErr(err)
	return !refused || answer.IsLoading() || answer.IsTryAgain() || answer.IsClusterDown()
}

// rest waits, but no longer than the context.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
