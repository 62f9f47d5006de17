package postgresstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// writeLate makes a server write nothing down by itself for a while, and with HoldLog nothing at
// all.
var writeLate = []string{
	"synchronous_commit = off", "wal_writer_delay = 10s", "bgwriter_lru_maxpages = 0",
	"autovacuum = off", "fsync = on", "full_page_writes = on",
}

// A server may be told that commits need not wait for the disk. Ends and renewals do.
func TestAnEndIsOnTheDiskWhateverTheServerIsTold(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t, writeLate...)
	store := open(t, server.URL(), postgresstore.Options{})
	run(t, connect(t, server.URL()), "CHECKPOINT")
	// after does something to a new record, which is on the disk, and lets the server crash.
	after := func(do func(rec core.Record)) core.Record {
		rec := created(t, store)
		requireBack(t, store, rec)
		server.HoldLog()
		require.NoError(t, store.Delete(t.Context(), newID())) // all before is written with it
		do(rec)
		server.Kill()
		server.Restart()
		require.Eventually(t, func() bool { return store.Ping(t.Context()) == nil }, patience, 1)
		return rec
	}
	var then core.Record
	rec := after(func(rec core.Record) {
		then = next(rec)
		require.NoError(t, store.Update(t.Context(), then, rec.Revision))
	})
	requireHolds(t, store, rec) // an update is lost, or the crash shows nothing

	after(func(rec core.Record) {
		then = next(rec)
		require.NoError(t, store.Renew(t.Context(), then, rec.Revision))
	})
	requireHolds(t, store, then)

	rec = after(func(rec core.Record) { require.NoError(t, store.Delete(t.Context(), rec.ID)) })
	requireLacks(t, store, rec.ID)

	entry := newEntry()
	after(func(core.Record) {
		_, err := store.AddOwned(t.Context(), "user:42", entry, 0, 0)
		require.NoError(t, err)
	})
	requireOwned(t, store, "user:42", entry)
	epoch, mark := newEpoch(), time.UnixMilli(1)
	after(func(core.Record) {
		_, _, err := store.RaiseEpoch(t.Context(), "user:42", epoch, time.Now())
		require.NoError(t, err)
	})
	raised, err := store.OwnerEpoch(t.Context(), "user:42")
	require.NoError(t, err)
	assert.Equal(t, epoch, raised)
	after(func(core.Record) { require.NoError(t, store.RaiseMark(t.Context(), "a", mark)) })
	at, err := store.Mark(t.Context(), "a")
	require.NoError(t, err)
	assert.True(t, at.Equal(mark))

	var other core.Record
	after(func(rec core.Record) {
		other = next(rec)
		require.NoError(t, store.Update(t.Context(), other, rec.Revision))
		require.NoError(t, store.Delete(t.Context(), newID()))
	})
	requireHolds(t, store, other) // the end of what was gone already writes all before it, too
	assert.Equal(t, core.Durable, store.Durability())
}
