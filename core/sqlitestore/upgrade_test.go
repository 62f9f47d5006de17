package sqlitestore_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// firstTables is what the first version of this package made of a new file.
const firstTables = `
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE sessions (
	id       TEXT    NOT NULL PRIMARY KEY,
	revision INTEGER NOT NULL,
	owner    TEXT    NOT NULL,
	used     INTEGER NOT NULL,
	expires  INTEGER,
	due      INTEGER,
	data     BLOB    NOT NULL
) STRICT;
CREATE INDEX sessions_due ON sessions (due) WHERE due IS NOT NULL;
PRAGMA application_id = 1399157619; PRAGMA user_version = 1;`

// An older is the first version of this package, with its statements prepared.
type older struct {
	t                      *testing.T
	insert, update, remove *sql.Stmt
}

func newOlder(t *testing.T, r *rival) older {
	prepare := func(query string) *sql.Stmt {
		s, err := r.conn.PrepareContext(context.Background(), query)
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	return older{
		t: t,
		insert: prepare(`INSERT INTO sessions (id, revision, owner, used, expires, due, data)
			VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT DO NOTHING`),
		update: prepare(`UPDATE sessions SET revision = ?3, data = ?4
			WHERE id = ?1 AND revision = ?2`),
		remove: prepare(`DELETE FROM sessions WHERE id = ?1`),
	}
}

func (o older) create(n int) {
	o.t.Helper()
	rec := record(n)
	_, err := o.insert.Exec(string(rec.ID), int64(rec.Revision), rec.Owner,
		rec.Used.UnixMilli(), rec.Expires.UnixMilli(), []byte(rec.Data))
	assert.NoError(o.t, err)
}

func (o older) change(n, was, revision int) {
	o.t.Helper()
	res, err := o.update.Exec(string(record(n).ID), was, revision, []byte(version(n, revision).Data))
	require.NoError(o.t, err)
	changed, err := res.RowsAffected()
	require.NoError(o.t, err)
	require.EqualValues(o.t, 1, changed)
}

func (o older) delete(n int) {
	o.t.Helper()
	_, err := o.remove.Exec(string(record(n).ID))
	require.NoError(o.t, err)
}

// TestAFileOfTheFirstVersionIsUsedByBoth is a restart with a newer version of the program, while
// the older one still runs.
func TestAFileOfTheFirstVersionIsUsedByBoth(t *testing.T) {
	path := memory(t)
	rival := newRival(t, path)
	rival.exec(firstTables)
	old := newOlder(t, rival)
	for n := range 6 {
		old.create(n)
	}
	old.delete(5)

	store := open(t, path)
	got, err := store.Load(t.Context(), record(0).ID)
	require.NoError(t, err)
	require.Equal(t, record(0), got)
	h, outcome, _ := watch(t, store)
	old.create(6)
	old.change(0, 1, 2)
	old.delete(1)
	require.NoError(t, store.Delete(t.Context(), record(2).ID))
	require.NoError(t, store.Update(t.Context(), version(0, 3), 2))
	old.change(0, 3, 4)
	_, err = store.AddOwned(t.Context(), "user:1", entry(0), 0, 0)
	require.NoError(t, err)
	old.delete(3)
	require.NoError(t, open(t, path).Delete(t.Context(), record(4).ID))
	h.waitFor(t, ended(record(4).ID))
	require.Empty(t, outcome, "the watch goes on")
	require.Equal(t, []core.Revision{4, 0, 0, 0, 0, 0, 1}, revisions(t, store, 7))

	require.EqualValues(t, 1, rival.number("PRAGMA user_version"), "it may be begun anew, too")
}

// TestStoresUpgradeAFileAtOnce is about several processes that begin at the same time.
func TestStoresUpgradeAFileAtOnce(t *testing.T) {
	for range 2 {
		path := memory(t)
		rival := newRival(t, path)
		rival.exec(firstTables)
		old := newOlder(t, rival)
		list := make([]*sqlitestore.Store, 8)
		for i := range list {
			list[i] = open(t, path)
		}
		together(9, func(i int) {
			if i == 8 {
				for n := range 50 {
					old.create(100 + n)
				}
				return
			}
			_, err := list[i].AddOwned(context.Background(), "one", entry(i), 0, 0)
			if err != nil {
				t.Error(err)
			}
		})
		entries, err := list[0].ListOwned(t.Context(), "one")
		require.NoError(t, err)
		require.Len(t, entries, 8)
		require.EqualValues(t, 50, rival.number("SELECT count(*) FROM sessions"))
	}
}
