package redisstore

import (
	"context"
	"slices"

	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// redo does again what is in doubt. What fails stays in doubt until the next time.
func (w *watch) redo() {
	deeds := w.store.journal.doubtful()
	if len(deeds) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, redoTimeout)
	defer cancel()
	for len(deeds) > 0 && ctx.Err() == nil {
		batch := deeds[:min(len(deeds), redoBatch)]
		deeds = deeds[len(batch):]
		w.redoBatch(ctx, batch)
	}
}

// redoBatch sends all at once, and one by one what that has not settled.
func (w *watch) redoBatch(ctx context.Context, deeds []deed) {
	s := w.store
	var writes []write
	var of []int
	for i := range deeds {
		for _, again := range s.writesOf(&deeds[i]) {
			writes, of = append(writes, again), append(of, i)
		}
	}
	answers, errs := s.sendAll(ctx, writes)
	failed := make([]bool, len(deeds))
	for i, err := range errs {
		if err != nil && !failed[of[i]] {
			answers[i], err = s.send(ctx, &writes[i])
		}
		if o := deeds[of[i]].other; err == nil && o != nil && answers[i].outcome == conflict {
			err = s.endMissed(ctx, o, answers[i])
		}
		failed[of[i]] = failed[of[i]] || err != nil
	}
	for i := range deeds {
		if !failed[i] {
			s.journal.redone(&deeds[i])
		}
	}
}

// writesOf returns what does a deed again. A renewal is done again only on top of what it
// succeeds, at most once: its record holds all that was changed on the way.
func (s *Store) writesOf(d *deed) []write {
	switch {
	case d.other != nil:
		w := d.other.write
		if d.other.fresh {
			w.args = append(slices.Clip(w.args), freshEpoch())
		}
		return []write{w}
	case len(d.renewals) == 0:
		return []write{s.deleting(core.ID(d.key))}
	}
	var writes []write
	for i := range d.renewals {
		r := &d.renewals[i]
		for _, was := range r.was {
			if w, err := s.renewing(&r.rec, was); err == nil {
				writes = append(writes, w)
			}
		}
	}
	return writes
}

// sendAll sends writes without waiting for one before the next.
func (s *Store) sendAll(ctx context.Context, writes []write) ([]answer, []error) {
	answers, errs := make([]answer, len(writes)), make([]error, len(writes))
	client, err := s.link.get(ctx)
	var results []rueidis.RedisResult
	if err == nil {
		results, err = await(ctx, func(ctx context.Context) []rueidis.RedisResult {
			commands := make([]rueidis.Completed, len(writes))
			for i := range writes {
				commands[i] = writes[i].command(client.B(), false)
			}
			return client.DoMulti(ctx, commands...)
		})
	}
	for i := range errs {
		if errs[i] = err; err == nil {
			answers[i], errs[i] = writes[i].answer(results[i])
		}
	}
	return answers, errs
}

// endMissed ends the sessions that a revocation of all of an owner's missed, since a failover had
// undone a part: one whose entry was gone while the epoch was raised, and those that began after
// the failover in the epoch before. Among them may be some that nobody meant to revoke: then it is
// a sign-in that the failover costs.
func (s *Store) endMissed(ctx context.Context, o *other, a answer) error {
	missed := []core.OwnerEntry{}
	if o.entry != nil {
		missed = append(missed, *o.entry)
	} else {
		_, entries, err := raised(a)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if !slices.Contains(o.known, entry) {
				missed = append(missed, entry)
			}
		}
	}
	for i := range missed {
		w := s.deleting(missed[i].ID)
		if _, err := s.send(ctx, &w); err != nil {
			return err
		}
		s.journal.ended(missed[i].ID)
	}
	return nil
}
