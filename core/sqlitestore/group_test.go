package sqlitestore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// queued starts writes one after the other while a rival has the lock, and lets it go when all of
// them wait. It returns their answers.
func queued(
	t *testing.T, store *sqlitestore.Store, path string, writes ...func(context.Context) error,
) []error {
	t.Helper()
	unlock := newRival(t, path).lock()
	answers := make([]chan error, len(writes))
	for i, write := range writes {
		answers[i] = make(chan error, 1)
		go func() { answers[i] <- write(context.Background()) }()
		eventually(t, func() bool { return store.Waiting() > i }, "the write waits")
	}
	unlock()
	errs := make([]error, len(writes))
	for i := range errs {
		errs[i] = <-answers[i]
	}
	return errs
}

func TestWritesAtTheSameTimeShareATransaction(t *testing.T) {
	store, path := used(t, 100)
	before := commits(t, path)
	var writes []func(context.Context) error
	for n := range 100 {
		writes = append(writes, func(ctx context.Context) error {
			return store.Update(ctx, version(n, 2), 1)
		})
	}
	require.NoError(t, errors.Join(queued(t, store, path, writes...)...))
	require.Equal(t, 1, commits(t, path)-before, "transactions for 100 writes that waited")

	before = commits(t, path)
	for n := range 10 {
		require.NoError(t, store.Update(t.Context(), version(n, 3), 2))
	}
	require.Equal(t, 10, commits(t, path)-before, "transactions for 10 writes in turn")
}

func TestABatchHasAnEnd(t *testing.T) {
	store, path := used(t, 1)
	before := commits(t, path)
	var writes []func(context.Context) error
	for n := range 257 {
		writes = append(writes, func(ctx context.Context) error {
			return store.Create(ctx, record(1+n))
		})
	}
	require.NoError(t, errors.Join(queued(t, store, path, writes...)...))
	require.Equal(t, 2, commits(t, path)-before, "transactions for 257 writes that waited")
}

func TestEachWriteOfATransactionHasItsOwnAnswer(t *testing.T) {
	store, path := used(t, 6)
	before := commits(t, path)
	errs := queued(t, store, path,
		func(ctx context.Context) error { return store.Update(ctx, version(0, 2), 1) },
		func(ctx context.Context) error { return store.Update(ctx, version(1, 3), 2) },
		func(ctx context.Context) error { return store.Create(ctx, version(2, 2)) },
		func(ctx context.Context) error { return store.Update(ctx, version(99, 2), 1) },
		func(ctx context.Context) error { return store.Touch(ctx, version(3, 3), 2) },
		func(ctx context.Context) error { return store.Touch(ctx, version(99, 3), 2) },
		func(ctx context.Context) error { return store.Delete(ctx, record(4).ID) },
		func(ctx context.Context) error { return store.Update(ctx, version(4, 2), 1) },
		func(ctx context.Context) error { return store.Create(ctx, version(4, 7)) },
		func(ctx context.Context) error { return store.Update(ctx, version(5, 2), 1) },
		func(ctx context.Context) error { return store.Update(ctx, version(5, 3), 1) },
	)
	require.Equal(t, []error{
		nil, core.ErrConflict, core.ErrExists, core.ErrNotFound, core.ErrConflict,
		core.ErrNotFound, nil, core.ErrNotFound, nil, nil, core.ErrConflict,
	}, errs)
	require.Equal(t, 1, commits(t, path)-before)
	require.Equal(t, []core.Revision{2, 1, 1, 1, 7, 2}, revisions(t, store, 6))
}

func TestTouchesAloneAreATransactionOfTheirOwn(t *testing.T) {
	store, path := used(t, 4)
	before := commits(t, path)
	touch := func(n int) func(context.Context) error {
		return func(ctx context.Context) error { return store.Touch(ctx, version(n, 2), 1) }
	}
	errs := queued(t, store, path, touch(0), touch(1),
		func(ctx context.Context) error { return store.Delete(ctx, record(2).ID) }, touch(3))
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, 2, commits(t, path)-before, "one without a sync, and one with")
	require.Equal(t, []core.Revision{2, 2, 0, 2}, revisions(t, store, 4))
}

func TestAWriteThatWaitsCanBeGivenUp(t *testing.T) {
	store, path := used(t, 2)
	unlock := newRival(t, path).lock()
	ctx, cancel := context.WithCancel(t.Context())
	given, stays := make(chan error, 1), make(chan error, 1)
	go func() { given <- store.Delete(ctx, record(0).ID) }()
	eventually(t, func() bool { return store.Waiting() == 1 }, "the write waits")
	go func() { stays <- store.Delete(t.Context(), record(1).ID) }()
	eventually(t, func() bool { return store.Waiting() == 2 }, "the other waits")

	cancel()
	err := <-given
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "not begun")
	require.Equal(t, 1, store.Waiting())
	unlock()
	require.NoError(t, <-stays)
	require.Equal(t, []core.Revision{1, 0}, revisions(t, store, 2))
}

func TestALoadDoesNotWaitForWhoWrites(t *testing.T) {
	store, path := used(t, 1)
	other := newRival(t, path)
	defer other.lock()()
	other.exec("DELETE FROM sessions")
	got, err := store.Load(t.Context(), record(0).ID)
	require.NoError(t, err)
	require.Equal(t, record(0), got)
	require.NoError(t, store.Ping(t.Context()))
}

func TestCloseEndsWhatWaitsForALock(t *testing.T) {
	store, path := used(t, 1)
	defer newRival(t, path).lock()()
	answer := make(chan error, 1)
	go func() { answer <- store.Delete(context.Background(), record(0).ID) }()
	eventually(t, func() bool { return store.Waiting() == 1 }, "the write waits")
	require.NoError(t, store.Close())
	require.EqualError(t, <-answer, "sqlitestore: the store is closed")
}

// TestCloseUnderLoad lets the answers decide: what was acknowledged is there afterwards, and what
// was refused is not.
func TestCloseUnderLoad(t *testing.T) {
	store, path := used(t, 0)
	const writers, each = 50, 20
	answers := make([]error, writers*each)
	begun := make(chan struct{}, writers*each)
	closed := make(chan error, 1)
	go func() {
		for range writers {
			<-begun
		}
		closed <- store.Close()
	}()
	together(writers, func(g int) {
		for i := range each {
			n := g*each + i
			begun <- struct{}{}
			answers[n] = store.Create(context.Background(), record(n))
		}
	})
	require.NoError(t, <-closed)
	for n, revision := range revisions(t, open(t, path), len(answers)) {
		if answers[n] == nil {
			require.EqualValues(t, 1, revision, "an acknowledged record")
		} else {
			require.EqualError(t, answers[n], "sqlitestore: the store is closed")
			require.Zero(t, revision, "a refused record")
		}
	}
}
