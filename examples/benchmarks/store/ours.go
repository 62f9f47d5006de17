package store

import (
	"context"
	"errors"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func ours() Maker {
	return Maker{
		Name: "ours", KeyLength: idLength,
		Traits: Traits{
			Ends: EndsEach, Removal: RemovedWhenTold, Form: "core's record",
			CompareAndSet: true,
			Note:          "the Manager judges ends; the store keeps a record until it is swept",
		},
		New: func(Settings) (Contestant, error) {
			f, err := newFrames()
			return &oursStore{
				frames: f, store: core.NewMemoryStore(core.MemoryOptions{}),
			}, err
		},
	}
}

// oursStore is core's MemoryStore.
type oursStore struct {
	*frames
	store *core.MemoryStore
}

func (o *oursStore) Put(n int, expires time.Time) error {
	rec := o.of(n, expires)
	err := o.store.Create(context.Background(), rec)
	if errors.Is(err, core.ErrExists) {
		return o.store.Update(context.Background(), rec, revision)
	}
	return err
}

func (o *oursStore) Get(key string) bool {
	_, err := o.store.Load(context.Background(), core.ID(key))
	return err == nil
}

func (o *oursStore) Touch(key string, expires time.Time) error {
	rec := core.Record{
		ID: core.ID(key), Revision: revision,
		Used: milliseconds(time.Now()), Expires: milliseconds(expires),
	}
	return o.store.Touch(context.Background(), rec, revision)
}

func (o *oursStore) Values(n int) (Values, bool, error) {
	rec, err := o.store.Load(context.Background(), core.ID(keyOf(n, idLength)))
	if errors.Is(err, core.ErrNotFound) {
		return Values{}, false, nil
	}
	if err != nil {
		return Values{}, false, err
	}
	return o.values(rec)
}

func (o *oursStore) Sweep(ctx context.Context, now time.Time) error {
	for {
		n, err := o.store.DeleteExpired(ctx, now)
		if n == 0 || err != nil {
			return err
		}
	}
}
