package sqlitestore_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

func TestOpenNamesEveryFault(t *testing.T) {
	for name, c := range map[string]struct {
		path, table string
		faults      []string
	}{
		"no path":          {"", "", []string{"sqlitestore.Open path is empty"}},
		"memory":           {":memory:", "", []string{`path is ":memory:"`}},
		"a URI":            {"file:a.db?mode=memory", "", []string{"path is a URI"}},
		"a NUL":            {"a\x00b", "", []string{"path contains a NUL"}},
		"a table's quotes": {"a", `x"; --`, []string{"sqlitestore.Options.Table is not"}},
		"a digit first":    {"a", "1x", []string{"sqlitestore.Options.Table is not"}},
		"SQLite's own":     {"a", "SQLite_x", []string{`Table begins with "sqlite_"`}},
		"long":             {"a", strings.Repeat("x", 64), []string{"Table is longer than 63"}},
		"several at once":  {"", "x y", []string{"path is empty", "Options.Table is not"}},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := sqlitestore.Open(c.path, sqlitestore.Options{Table: c.table})
			require.Nil(t, store)
			var fault *core.ConfigError
			require.ErrorAs(t, err, &fault)
			require.Len(t, strings.Split(err.Error(), "\n"), len(c.faults))
			for _, text := range c.faults {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

func TestOpenTouchesNoDisk(t *testing.T) {
	dir := t.TempDir()
	open(t, filepath.Join(dir, "sessions.db"))
	open(t, filepath.Join(dir, "missing", "sessions.db"))
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestARelativePathIsOfTheDirectoryAtOpen(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	store := open(t, "sessions.db")
	t.Chdir(other)
	require.NoError(t, store.Create(t.Context(), record(1)))
	require.FileExists(t, filepath.Join(dir, "sessions.db"))
}

func TestTheFilesAreForTheirUserAlone(t *testing.T) {
	_, path := used(t, 1)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode(), suffix)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, names, 3, "nothing else is left")
}

func TestAPathMayHoldWhatAURIMayNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a%20b?mode=ro#c ü&.db")
	require.NoError(t, open(t, path).Create(t.Context(), record(1)))
	require.FileExists(t, path)
}

func TestTheFirstUseMayBeALoad(t *testing.T) {
	_, err := fresh(t).Load(t.Context(), record(1).ID)
	require.ErrorIs(t, err, core.ErrNotFound)
	require.NoError(t, fresh(t).Delete(t.Context(), record(1).ID))
}

func TestAMissingDirectoryIsAnErrorUntilItIsThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	store := open(t, filepath.Join(dir, "sessions.db"))
	_, err := store.Load(t.Context(), record(1).ID)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "the directory of "+dir)
	require.Error(t, store.Create(t.Context(), record(1)))
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, store.Create(t.Context(), record(1)))
}

// refused requires that every method gives an error with a text, and none a verdict.
func refused(t *testing.T, store *sqlitestore.Store, text string) {
	t.Helper()
	_, load := store.Load(t.Context(), record(1).ID)
	for name, err := range map[string]error{
		"Load": load, "Ping": store.Ping(t.Context()),
		"Create": store.Create(t.Context(), record(1)),
		"Update": store.Update(t.Context(), version(1, 2), 1),
		"Touch":  store.Touch(t.Context(), version(1, 2), 1),
		"Delete": store.Delete(t.Context(), record(1).ID),
	} {
		require.ErrorContains(t, err, text, name)
		noVerdict(t, err)
	}
}

func noVerdict(t *testing.T, err error) {
	t.Helper()
	for _, verdict := range []error{
		core.ErrNotFound, core.ErrConflict, core.ErrExists, core.ErrStoreFull,
	} {
		require.NotErrorIs(t, err, verdict)
	}
}

func TestAnotherProgramsDatabaseIsLeftAlone(t *testing.T) {
	for name, statement := range map[string]string{
		"with tables":         "CREATE TABLE sessions (id, data)",
		"with an ID":          "PRAGMA application_id = 7",
		"with a version":      "PRAGMA user_version = 7",
		"of a newer version ": "PRAGMA application_id = 1399157619; PRAGMA user_version = 2",
	} {
		t.Run(name, func(t *testing.T) {
			path := memory(t)
			newRival(t, path).exec(statement)
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			text := "is another program's SQLite database"
			if strings.Contains(statement, "1399157619") {
				text = "was written by a newer version of this package (layout 2, this one knows 1)"
			}
			refused(t, open(t, path), text)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, before, after)
			require.NoFileExists(t, path+"-wal")
		})
	}
}

func TestWhatIsNoDatabaseIsLeftAlone(t *testing.T) {
	path := memory(t)
	text := []byte(strings.Repeat("dear diary, ", 1000))
	require.NoError(t, os.WriteFile(path, text, 0o600))
	refused(t, open(t, path), path+" is not an SQLite database, or its first page is damaged")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, text, after)
}

func TestADirectoryIsNoFile(t *testing.T) {
	dir := t.TempDir()
	refused(t, open(t, dir), dir+" cannot be opened")
}

// TestADamagedFileIsAnError overwrites one page after the other. Whatever is hit, a record is as it
// was written or its Load is an error: never is it not found, and never altered.
func TestADamagedFileIsAnError(t *testing.T) {
	t.Parallel()
	const n, page = 40, 4096
	path := memory(t)
	store, err := sqlitestore.Open(path, sqlitestore.Options{})
	require.NoError(t, err)
	create(t, store, n)
	require.NoError(t, store.Close())
	sound, err := os.ReadFile(path)
	require.NoError(t, err)

	damaged := 0
	for at := page; at+page <= len(sound); at += page {
		content := append([]byte(nil), sound...)
		for i := at; i < at+page; i++ {
			content[i] = 0xff
		}
		path := memory(t)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		store := open(t, path)
		for i := range n {
			got, err := store.Load(t.Context(), record(i).ID)
			if err == nil {
				require.Equal(t, record(i), got)
				continue
			}
			damaged++
			require.ErrorContains(t, err, path+" is damaged: restore it from a backup")
			noVerdict(t, err)
		}
	}
	require.NotZero(t, damaged)
}

// TestDamageHurtsOnlyItsOwn writes to a damaged and to a sound page in one transaction.
func TestDamageHurtsOnlyItsOwn(t *testing.T) {
	path := memory(t)
	store, err := sqlitestore.Open(path, sqlitestore.Options{})
	require.NoError(t, err)
	for i := range 40 {
		rec := record(i)
		rec.Data = strings.Repeat("d", 1000)
		require.NoError(t, store.Create(t.Context(), rec))
	}
	require.NoError(t, store.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	at := strings.LastIndex(string(content), string(record(0).ID)) / 4096 * 4096
	clear(content[at : at+4096])
	require.NoError(t, os.WriteFile(path, content, 0o600))

	store = open(t, path)
	errs := make([]error, 40)
	together(40, func(i int) { errs[i] = store.Update(t.Context(), version(i, 2), 1) })
	failed := 0
	for _, err := range errs {
		if err != nil {
			failed++
			require.ErrorContains(t, err, "is damaged")
			noVerdict(t, err)
		}
	}
	require.NotZero(t, failed)
	require.Less(t, failed, 20, "writes that meet the damaged page")
}

func TestAFileThatWasRemovedIsNotMadeAnew(t *testing.T) {
	path := memory(t)
	store := open(t, path)
	require.NoError(t, store.Create(t.Context(), record(1))) // no connection reads yet
	for _, suffix := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.Remove(path+suffix))
	}
	_, err := store.Load(t.Context(), record(1).ID)
	require.ErrorContains(t, err, path+" cannot be opened")
	noVerdict(t, err)
	require.NoFileExists(t, path)
}
