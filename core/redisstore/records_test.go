package redisstore_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// newRecord returns a record that nobody has, and that expires in an hour.
func newRecord() core.Record {
	var id [24]byte
	_, _ = rand.Read(id[:])
	now := time.Now().UTC().Truncate(time.Millisecond)
	return core.Record{
		ID:       core.ID(base64.RawURLEncoding.EncodeToString(id[:])),
		Revision: newRevision(),
		Owner:    "user:42",
		Used:     now,
		Expires:  now.Add(time.Hour),
		Data:     "data\x00\xff",
	}
}

func newRevision() core.Revision {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return core.Revision(binary.BigEndian.Uint64(b[:]))
}

// changed returns the record as a next write has it.
func changed(rec core.Record, data string) core.Record {
	rec.Revision, rec.Data = newRevision(), data
	rec.Used = rec.Used.Add(time.Second)
	return rec
}

// created stores a record that nobody has.
func created(t testing.TB, store *redisstore.Store) core.Record {
	t.Helper()
	rec := newRecord()
	require.NoError(t, store.Create(t.Context(), rec))
	return rec
}

func requireStored(t testing.TB, store *redisstore.Store, want core.Record) {
	t.Helper()
	got, err := store.Load(t.Context(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func requireGone(t testing.TB, store *redisstore.Store, id core.ID) {
	t.Helper()
	_, err := store.Load(t.Context(), id)
	require.ErrorIs(t, err, core.ErrNotFound)
}

func isNotDurable(err error) bool { return errors.Is(err, core.ErrNotDurable) }

func contextWithTimeout(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

func isNotFound(err error) bool { return errors.Is(err, core.ErrNotFound) }

func isConflict(err error) bool { return errors.Is(err, core.ErrConflict) }
