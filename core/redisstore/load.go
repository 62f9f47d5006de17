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

// A reading is one command that reads one key: GET, HGET with a field, or HGETALL.
type reading struct {
	key, field string
	all        bool
}

func (r *reading) command(b rueidis.Builder) rueidis.Completed {
	switch {
	case r.all:
		return b.Hgetall().Key(r.key).Build()
	case r.field != "":
		return b.Hget().Key(r.key).Field(r.field).Build()
	}
	return b.Get().Key(r.key).Build()
}

// Load implements core.Store. Owner and Data are parts of one text.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	value, err := s.text(ctx, reading{key: s.key(id)})
	switch {
	case rueidis.IsRedisNil(err):
		return core.Record{}, core.ErrNotFound
	case err != nil:
		return core.Record{}, s.failed(ctx, err)
	}
	return decode(id, value)
}

// text reads a text.
func (s *Store) text(ctx context.Context, r reading) (string, error) {
	result, err := s.read(ctx, r)
	if err != nil {
		return "", err
	}
	return result.ToString()
}

// read reads, and tries again a few times where that may help. There is no error in the result.
func (s *Store) read(ctx context.Context, r reading) (rueidis.RedisResult, error) {
	client, err := s.link.get(ctx)
	if err != nil {
		return rueidis.RedisResult{}, err
	}
	if !s.link.mood.enter(ctx) {
		return s.readAside(ctx, client, r, loadTries)
	}
	result := client.Do(ctx, r.command(client.B()))
	err = result.Error()
	s.link.mood.leave(err)
	if mayPass(ctx, err) {
		return s.readAside(ctx, client, r, loadTries-1)
	}
	return result, err
}

// readAside tries a few times, not in the caller's goroutine.
func (s *Store) readAside(
	ctx context.Context, client rueidis.Client, r reading, tries int,
) (rueidis.RedisResult, error) {
	type read struct {
		result rueidis.RedisResult
		err    error
	}
	a, err := await(ctx, func(ctx context.Context) (a read) {
		for try := range tries {
			if try > 0 {
				rest(ctx, loadPause)
			}
			a.result = client.Do(ctx, r.command(client.B()))
			if a.err = a.result.Error(); !mayPass(ctx, a.err) {
				break
			}
		}
		return a
	})
	if err == nil {
		err = a.err
	}
	s.link.mood.note(err)
	return a.result, err
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
