package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// await runs f, and gives up waiting for it when the context is over. The client honours a context
// only while it waits for an answer, not while it connects, and not where all its connections are
// taken.
func await[T any](ctx context.Context, f func() T) (T, error) {
	if ctx.Done() == nil {
		return f(), nil
	}
	var none T
	if ctx.Err() != nil {
		return none, ended(ctx)
	}
	done := make(chan T, 1)
	go func() { done <- f() }()
	select {
	case result := <-done:
		return result, nil
	case <-ctx.Done():
		return none, ended(ctx)
	}
}

// ended says why a context is over, so that errors.Is finds both the cause and ctx.Err().
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return fmt.Errorf("redisstore: %w", cause)
	}
	return fmt.Errorf("redisstore: %w: %w", err, cause)
}

// send sends a write, and once more with the whole script where the server does not know it.
func (s *Store) send(ctx context.Context, w *write) (int64, error) {
	client, err := s.link.get(ctx)
	if err != nil {
		return 0, s.failed(err)
	}
	type answer struct {
		outcome int64
		err     error
	}
	a, err := await(ctx, func() (a answer) {
		a.outcome, a.err = w.outcome(client.Do(ctx, w.command(client.B(), false)))
		if unknownScript(a.err) {
			a.outcome, a.err = w.outcome(client.Do(ctx, w.command(client.B(), true)))
		}
		return a
	})
	if err == nil {
		err = a.err
	}
	return a.outcome, s.failed(err)
}

func unknownScript(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && e.IsNoScript()
}

// failed makes an error for the caller of one of the client's, and has the watch look for a failover
// if it may come from one.
func (s *Store) failed(err error) error {
	if err == nil || err == errClosed {
		return err
	}
	answer, ok := rueidis.IsRedisErr(err)
	if !ok {
		s.watch.poke()
		if strings.HasPrefix(err.Error(), "redisstore: ") {
			return err
		}
		return fmt.Errorf("redisstore: %w", err)
	}
	text := answer.Error()
	// What follows in the answer is what was sent: values, and in the worst case a password.
	if i := strings.Index(text, ", with args beginning with"); i >= 0 {
		return errors.New("redisstore: " + text[:i])
	}
	switch word, _, _ := strings.Cut(text, " "); word {
	case "OOM":
		return fmt.Errorf("redisstore: %w: %w", core.ErrStoreFull, err)
	case "READONLY", "MASTERDOWN", "CLUSTERDOWN", "LOADING":
		s.watch.poke()
	}
	return fmt.Errorf("redisstore: %w", err)
}

// verdict makes the Store's answer of a script's.
func verdict(outcome int64) error {
	switch outcome {
	case done:
		return nil
	case absent:
		return core.ErrNotFound
	case conflict:
		return core.ErrConflict
	}
	return errNoRecord
}
