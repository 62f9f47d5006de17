package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// longestDirect is what a call may have left to be made in its caller's goroutine.
	longestDirect = 10 * time.Second
	// longestAside is what a call may take whose context has no deadline.
	longestAside = time.Minute
	// lostAfter is how long a client may fail before another is made, which asks the Sentinels.
	lostAfter = 3 * time.Second
	// maxDirect is fewer than a connection has places for: a call that finds none waits for one,
	// whatever its context says.
	maxDirect = 1 << (ringScale - 1)
)

// A mood says whether the server answers. The client honours a context's deadline while it waits
// for an answer, but not while it connects, where all places of a connection are taken, or if the
// context is cancelled while nobody else calls. Where that may matter a call is made in a
// goroutine of its own, which is left behind when the context ends. That is half as slow again as
// a direct call, which is made while all is well: what that may wait in vain is bounded by its
// deadline, or by the dial_timeout if it is the very first to reach a node of a cluster.
type mood struct {
	calm   atomic.Bool
	direct atomic.Int64
	silent atomic.Int64 // since when no call has had an answer, in milliseconds; 0: it has
}

// enter reports whether the call may be direct. If so, leave must follow.
func (m *mood) enter(ctx context.Context) bool {
	if !m.calm.Load() {
		return false
	}
	if end, ok := ctx.Deadline(); !ok || time.Until(end) > longestDirect {
		return false
	}
	if m.direct.Add(1) > maxDirect {
		m.direct.Add(-1)
		return false
	}
	return true
}

func (m *mood) leave(err error) {
	m.direct.Add(-1)
	m.note(err)
}

// note takes what the client has answered.
func (m *mood) note(err error) {
	_, refused := rueidis.IsRedisErr(err)
	if calm := err == nil || refused || rueidis.IsRedisNil(err); m.calm.Load() != calm {
		m.calm.Store(calm)
		if calm {
			m.silent.Store(0)
		}
	}
}

// lost reports whether no call has had an answer for so long that the client may be looking in the
// wrong place.
func (m *mood) lost() bool {
	now := time.Now().UnixMilli()
	if m.silent.CompareAndSwap(0, now) {
		return false
	}
	since := m.silent.Load()
	return since != 0 && now-since > lostAfter.Milliseconds()
}

// await runs f in a goroutine of its own, and gives up waiting for it when the context is over.
// f's context has a deadline: without one the client makes a connection slower for good.
func await[T any](ctx context.Context, f func(context.Context) T) (T, error) {
	if ctx.Done() == nil {
		return f(ctx), nil
	}
	var none T
	if ctx.Err() != nil {
		return none, ended(ctx, nil)
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if _, ok := ctx.Deadline(); !ok {
		limited, cancel = context.WithTimeout(ctx, longestAside)
	}
	done := make(chan T, 1)
	go func() {
		defer cancel()
		done <- f(limited)
	}()
	select {
	case result := <-done:
		return result, nil
	case <-ctx.Done():
		return none, ended(ctx, nil)
	}
}

// ended says why a context is over, so that errors.Is finds both the cause and ctx.Err(). The
// client may have noticed a deadline a moment before the context does.
func ended(ctx context.Context, noticed error) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil {
		err, cause = noticed, noticed
	}
	if errors.Is(cause, err) {
		return fmt.Errorf("redisstore: %w", cause)
	}
	return fmt.Errorf("redisstore: %w: %w", err, cause)
}

// send sends a write, and once more with the whole script where the server does not know it.
func (s *Store) send(ctx context.Context, w *write) (answer, error) {
	client, err := s.link.get(ctx)
	if err != nil {
		return answer{}, s.failed(ctx, err)
	}
	if !s.link.mood.enter(ctx) {
		return s.sendAside(ctx, client, *w)
	}
	a, err := sendTo(ctx, client, w)
	s.link.mood.leave(err)
	return a, s.failed(ctx, err)
}

func sendTo(ctx context.Context, client rueidis.Client, w *write) (answer, error) {
	a, err := w.answer(client.Do(ctx, w.command(client.B(), false)))
	if unknownScript(err) {
		a, err = w.answer(client.Do(ctx, w.command(client.B(), true)))
	}
	return a, err
}

func (s *Store) sendAside(ctx context.Context, client rueidis.Client, w write) (answer, error) {
	type sent struct {
		answer
		err error
	}
	a, err := await(ctx, func(ctx context.Context) (a sent) {
		a.answer, a.err = sendTo(ctx, client, &w)
		return a
	})
	if err == nil {
		err = a.err
	}
	s.link.mood.note(err)
	return a.answer, s.failed(ctx, err)
}

func unknownScript(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && e.IsNoScript()
}

// failed makes an error for the caller of one of the client's, and has the watch look for a
// failover if it may come from one.
func (s *Store) failed(ctx context.Context, err error) error {
	if err == nil || err == errClosed {
		return err
	}
	answer, ok := rueidis.IsRedisErr(err)
	if !ok {
		s.watch.poke()
		if !errors.Is(err, context.Canceled) && s.link.mood.lost() {
			s.link.leave()
		}
		if err == context.DeadlineExceeded || err == context.Canceled {
			return ended(ctx, err)
		}
		if strings.HasPrefix(err.Error(), "redisstore: ") {
			return err
		}
		return fmt.Errorf("redisstore: %w", err)
	}
	if told := withoutArguments(err); told != err {
		return told
	}
	switch word, _, _ := strings.Cut(answer.Error(), " "); word {
	case "OOM":
		return fmt.Errorf("redisstore: %w: %w", core.ErrStoreFull, err)
	case "READONLY":
		s.link.leave()
		s.watch.poke()
	case "MASTERDOWN", "CLUSTERDOWN", "LOADING":
		s.watch.poke()
	}
	return fmt.Errorf("redisstore: %w", err)
}

// withoutArguments leaves away what an error repeats of what was sent: values, and in the worst
// case a password.
func withoutArguments(err error) error {
	if answer, ok := rueidis.IsRedisErr(err); ok {
		if text, _, found := strings.Cut(answer.Error(), ", with args beginning with"); found {
			return errors.New("redisstore: " + text)
		}
	}
	return err
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
	case full:
		return core.ErrOwnerLimit
	}
	return errNoRecord
}
