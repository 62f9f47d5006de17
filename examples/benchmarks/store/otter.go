package store

import (
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// otterEvery is the pause between two clean-ups of otter's, which cannot be set.
	otterEvery = time.Second

	// otterClock is how exact otter's clock is. Its documentation offers a coarse one because
	// reading the time is a large part of a read.
	otterClock = 10 * time.Millisecond
)

func otterCache() Maker {
	return Maker{
		Name: "otter", KeyLength: idLength, Module: "github.com/maypok86/otter/v2",
		Traits: Traits{
			Ends: EndsEach, Removal: RemovedByTimer, Every: otterEvery,
			Form: "struct with core's Data", CompareAndSet: true,
			Note: "no maximum, so that nothing live is evicted: a limit could only evict, not refuse",
		},
		New: newOtter,
	}
}

func newOtter(settings Settings) (Contestant, error) {
	f, err := newFrames()
	if err != nil {
		return nil, err
	}
	clock := otter.NewCoarseClock(otterClock)
	cache, err := otter.New(&otter.Options[string, otterRecord]{
		InitialCapacity: settings.Sessions,
		Clock:           clock,
		ExpiryCalculator: otter.ExpiryWritingFunc(
			func(e otter.Entry[string, otterRecord]) time.Duration {
				return time.Duration(e.Value.expires*int64(time.Millisecond) - e.SnapshotAtNano)
			}),
	})
	return &otterStore{frames: f, cache: cache, clock: clock}, err
}

// otterStore keeps core's records in a cache without a limit, each with its own end.
type otterStore struct {
	*frames
	cache *otter.Cache[string, otterRecord]
	clock *otter.CoarseClock
}

// otterRecord is core's record without the key: times in milliseconds since the epoch, since two
// time.Time would take 32 bytes more and another pointer each.
type otterRecord struct {
	revision      core.Revision
	used, expires int64
	data          string
}

func (o *otterStore) Put(n int, expires time.Time) error {
	rec := o.of(n, expires)
	o.cache.Set(string(rec.ID), otterRecord{
		revision: rec.Revision, data: rec.Data,
		used: rec.Used.UnixMilli(), expires: rec.Expires.UnixMilli(),
	})
	return nil
}

func (o *otterStore) Get(key string) bool {
	_, ok := o.cache.GetIfPresent(key)
	return ok
}

func (o *otterStore) Touch(key string, expires time.Time) error {
	used := time.Now().UnixMilli()
	change := func(old otterRecord, found bool) (otterRecord, otter.ComputeOp) {
		if !found || old.revision != revision {
			return old, otter.CancelOp
		}
		old.used, old.expires = used, expires.UnixMilli()
		return old, otter.WriteOp
	}
	_, found := o.cache.Compute(key, change)
	if !found {
		return errMissing
	}
	return nil
}

func (o *otterStore) Values(n int) (Values, bool, error) {
	key := keyOf(n, idLength)
	r, ok := o.cache.GetIfPresent(key)
	if !ok {
		return Values{}, false, nil
	}
	return o.values(core.Record{
		ID: core.ID(key), Revision: r.revision, Data: r.data,
		Used: time.UnixMilli(r.used).UTC(), Expires: time.UnixMilli(r.expires).UTC(),
	})
}

func (o *otterStore) Close() error {
	o.cache.StopAllGoroutines()
	o.clock.Stop()
	return o.frames.Close()
}
