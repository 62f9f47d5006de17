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
	// maxConfirming is how many calls wait for replicas at once, each on a connection of its own.
	maxConfirming = 64
	// callTimeout is what a confirmed call may take beside waiting for replicas: a connection that
	// blocks is watched by nothing else.
	callTimeout = 5 * time.Second
)

// copies is how many replicas must confirm.
type copies struct {
	asked     int
	automatic bool
	seen      atomic.Bool   // a replica was seen once
	refused   atomic.Bool   // INFO is not allowed
	room      chan struct{} // of maxConfirming
}

func (c *copies) init(o Options) {
	c.asked, c.automatic = max(o.Replicas, 0), o.Replicas == 0
	c.room = make(chan struct{}, maxConfirming)
}

func (c *copies) wanted() int {
	if c.automatic && c.seen.Load() {
		return 1
	}
	return c.asked
}

// look reports whether to look for a replica.
func (c *copies) look() bool { return c.automatic && !c.seen.Load() && !c.refused.Load() }

// note takes what a master says of itself.
func (c *copies) note(replication rueidis.RedisResult) {
	text, err := replication.ToString()
	if _, refused := rueidis.IsRedisErr(err); refused {
		c.refused.Store(true)
	}
	if err == nil && hasReplica(text) {
		c.seen.Store(true)
	}
}

// hasReplica tells whether INFO replication names a replica that has the data.
func hasReplica(info string) bool { return strings.Contains(info, ",state=online") }

// Renew implements core.Renewer: Update, confirmed by as many replicas as Options.Replicas says.
// If it is called again with a record that is there already, it confirms that. If the record has
// been changed since, it confirms the change, which is not undone without undoing the renewal, and
// answers core.ErrConflict then; where a failover has undone the renewal, it does it again.
func (s *Store) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	s.watch.prepare(ctx)
	again := was == rec.Revision
	err := s.renew(ctx, &rec, was, again)
	if again && errors.Is(err, core.ErrConflict) {
		for _, before := range s.journal.before(rec.ID, rec.Revision) {
			if err = s.renew(ctx, &rec, before, false); !errors.Is(err, core.ErrConflict) {
				break
			}
		}
	}
	if !again && tookEffect(err) {
		before := s.trails.before(rec.ID, was)
		s.remember(func() { s.journal.renewed(&rec, before) })
	}
	return err
}

// renew writes a renewal, and with fence something in any case, so that a WAIT behind it has
// something to wait for.
func (s *Store) renew(
	ctx context.Context, rec *core.Record, was core.Revision, fence bool,
) error {
	w, err := s.renewing(rec, was)
	if err != nil {
		return err
	}
	if w.fence = fence; fence {
		w.args[fenceArg] = "1"
	}
	return s.replace(ctx, &w, rec, was, true)
}

// fenceArg is the place of the fence among the arguments of a renewal.
const fenceArg = 3

func (s *Store) renewing(rec *core.Record, was core.Revision) (write, error) {
	w, err := s.updating(rec, was)
	w.args = append(w.args, "0", s.channels.renewed)
	return w, err
}

// Delete implements core.Store. It is confirmed by as many replicas as Options.Replicas says, also
// if there is no record: the answer is core.ErrNotDurable until they have confirmed.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	s.watch.prepare(ctx)
	w := s.deleting(id)
	_, err := s.write(ctx, &w, true)
	if tookEffect(err) {
		s.remember(func() { s.journal.ended(id) })
	}
	return err
}

func (s *Store) deleting(id core.ID) write {
	return write{script: s.scripts.delete, key: s.key(id), args: []string{s.channels.ended}}
}

// tookEffect reports whether a confirmed write did, whoever has confirmed it.
func tookEffect(err error) bool { return err == nil || errors.Is(err, core.ErrNotDurable) }

// write sends a write, and has it confirmed if it is to be.
func (s *Store) write(ctx context.Context, w *write, confirmed bool) (answer, error) {
	if !confirmed || s.copies.wanted() == 0 && !s.copies.look() {
		return s.send(ctx, w)
	}
	if s.copies.wanted() > 0 {
		return s.confirm(ctx, w)
	}
	// What the master says of itself tells whether there was a replica to ask.
	p, err := await(ctx, func(ctx context.Context) pair {
		return s.pipeline(ctx, w, askReplication)
	})
	if err == nil {
		err = p.err
	}
	if err != nil {
		return answer{}, s.failed(ctx, err)
	}
	s.copies.note(p.second)
	// Another call may have been told of the replica first: this one has not been confirmed
	// either.
	if s.copies.wanted() == 0 || !w.took(p.outcome) {
		return p.answer, nil
	}
	again := w.again(s.scripts.update)
	second, err := s.confirm(ctx, &again)
	if err == nil && !again.took(second.outcome) {
		err = fmt.Errorf("redisstore: %w: replaced meanwhile", core.ErrNotDurable)
	}
	return p.answer, err
}

func askReplication(b rueidis.Builder) rueidis.Completed {
	return b.Info().Section("replication").Build()
}

// confirm sends a write and WAIT.
func (s *Store) confirm(ctx context.Context, w *write) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.ConfirmTimeout+callTimeout)
	defer cancel()
	wanted := s.copies.wanted()
	p, err := await(ctx, func(ctx context.Context) pair {
		select {
		case s.copies.room <- struct{}{}:
		case <-ctx.Done():
			return pair{err: ended(ctx, nil)}
		}
		defer func() { <-s.copies.room }()
		return s.pipeline(ctx, w, func(b rueidis.Builder) rueidis.Completed {
			wait := s.waitFor(ctx).Milliseconds()
			return b.Wait().Numreplicas(int64(wanted)).Timeout(max(wait, 1)).Build()
		})
	})
	if err == nil {
		err = p.err
	}
	if err != nil {
		return answer{}, s.failed(ctx, err)
	}
	if !w.took(p.outcome) {
		return p.answer, nil
	}
	return p.answer, s.counted(ctx, p.second, wanted)
}

// waitFor leaves a quarter of the context's time for the answer, so that it is known what
// happened.
func (s *Store) waitFor(ctx context.Context) time.Duration {
	limit := s.options.ConfirmTimeout
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)*3/4)
	}
	return limit
}

// counted judges the answer to WAIT, which is a number also if that is too small.
func (s *Store) counted(
	ctx context.Context, result rueidis.RedisResult, wanted int,
) error {
	n, err := result.AsInt64()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", core.ErrNotDurable, s.failed(ctx, err))
	case n < int64(wanted):
		return fmt.Errorf("redisstore: %w: %d of %d replicas", core.ErrNotDurable, n, wanted)
	}
	return nil
}
