// Package sqlitestore keeps sessions in one SQLite file: for a program on one machine whose
// sessions outlive it. It needs no server and no C compiler.
//
//	store, err := sqlitestore.Open("/var/lib/shop/sessions.db", sqlitestore.Options{})
//	manager, err := core.New(core.Config{Store: store})
//	...
//	manager.Close()
//	store.Close()
//
// # What it promises
//
// Its class is core.Durable. When a method that writes returns nil, the write is on the disk: it
// survives a kill -9 of the program, and a crash or power failure of the machine as far as the
// disk honours fsync. Only touches are brought to the disk later, with the next other write: after
// a power failure a session may seem to have been used a little earlier than it was.
//
// Writes that come at the same time share one transaction, since what takes time is to wait for
// the disk: with fifty requests at once that is more than ten times faster than one transaction
// for each. Each still gets its own answer, and none is refused for what is wrong with another.
// Loads wait for nobody.
//
// A context that ends while a write waits for its turn takes it back, and the error says that it
// was not begun. If it ends later, the error says that the write may or may not take effect.
//
// # Processes and machines
//
// Several processes on one machine may use the file, as two versions of a program do during a
// restart. The file must be on a local disk: network file systems (NFS, SMB) do not keep the locks
// and the shared memory that this rests on, and the file would be damaged. Mind that also of
// containers' volumes. Two machines need package redisstore or postgresstore.
//
// No other program should read the file for long. While one does (a backup by copying inside a
// transaction, a forgotten shell), everything goes on, but the -wal file grows.
//
// # Owners, and who waits for an end
//
// The store is a core.OwnerIndex and a core.Marker: entries, epochs and marks are in tables beside
// the records, in the same group commits, as durable as a Delete. An entry takes some 140 bytes. To
// add one to an owner who has ten thousand takes a millisecond, to few a hundredth. The sweep
// removes entries and epochs five minutes after their time. Sessions that an older version of this
// package began are not in the index before their owner signs in again; nor are those that it
// begins while it still runs beside.
//
// It is a core.Watcher. Those who watch this Store are told before the Delete or Renew returns, and
// those who watch another one on the same file, in this process or another, within about a tenth of
// a second: each looks ten times a second, on a connection of its own, into a table of the last
// 4096 ends, which takes 200 kilobytes. Nobody looks unless somebody watches. To write there makes
// a Delete a tenth dearer where it has a transaction of its own, and a fifth where fifty share one.
// Not told are the ends of an older version of this package and of a DELETE by hand, and what the
// sweep removes, which has expired.
//
// # The file
//
// The file, and while it is open its -wal and -shm files, belong to the user who runs the program
// (mode 0600). The -wal file normally takes some 10 megabytes. Sessions of 300 bytes take about 440
// bytes each, and what has expired makes room for new ones; when more than half of the file is free
// the sweep gives it back to the disk.
//
// To back it up, do not copy it while the program runs:
//
//	sqlite3 sessions.db "VACUUM INTO 'backup.db'"
//
// Who puts a backup back brings back the sessions that had ended since, and the marks as they were.
// To end all sessions, stop the program and remove the three files.
//
// A file that is another program's database is refused and left as it is (application_id and
// user_version tell). A damaged one gives an error, never the answer that there is no session. On a
// full disk a write that finds no room is refused with core.ErrStoreFull and has no effect, and all
// goes on when there is room again. As the -wal file is written over and over, ends, touches and
// small changes normally need none. After a restart, or while the number of sessions grows, they
// may, so a disk that is full is to be put right at once.
//
// Tables that are missing are made, also in a file that an older version of this package uses at
// the same time; both go on with it, and the older one may be started again. A file that only a
// newer version can use is refused.
//
// # Literally
//
// The tables, with Options.Table for sessions; times are in milliseconds since 1970, and a
// revision or epoch, of 64 bits, is kept as the signed number of the same bits:
//
//	CREATE TABLE sessions (
//		id       TEXT    NOT NULL PRIMARY KEY,
//		revision INTEGER NOT NULL,
//		owner    TEXT    NOT NULL,
//		used     INTEGER NOT NULL,
//		expires  INTEGER,            -- NULL: never
//		due      INTEGER,            -- where the sweep looks: never later than expires
//		data     BLOB    NOT NULL
//	) STRICT;
//	CREATE INDEX sessions_due ON sessions (due) WHERE due IS NOT NULL;
//	CREATE TABLE sessions_owned (
//		owner    TEXT    NOT NULL,
//		id       TEXT    NOT NULL,
//		revision INTEGER NOT NULL,
//		until    INTEGER,            -- NULL: never
//		PRIMARY KEY (owner, id)
//	) STRICT, WITHOUT ROWID;
//	CREATE INDEX sessions_owned_until ON sessions_owned (until) WHERE until IS NOT NULL;
//	CREATE TABLE sessions_epochs (
//		owner TEXT    NOT NULL PRIMARY KEY,
//		epoch INTEGER NOT NULL,
//		until INTEGER
//	) STRICT, WITHOUT ROWID;
//	CREATE INDEX sessions_epochs_until ON sessions_epochs (until) WHERE until IS NOT NULL;
//	CREATE TABLE sessions_marks (
//		name TEXT    NOT NULL PRIMARY KEY,
//		at   INTEGER NOT NULL
//	) STRICT, WITHOUT ROWID;
//	CREATE TABLE sessions_ends (
//		slot    INTEGER NOT NULL PRIMARY KEY, -- 0 to 4095: seq % 4096
//		seq     INTEGER NOT NULL,             -- from 2^40 on, without gaps
//		id      TEXT    NOT NULL,
//		renewed INTEGER NOT NULL              -- 1 by Renew, 0 by Delete
//	) STRICT;
//
// Each file has PRAGMA application_id = 1399157619, user_version = 1, auto_vacuum = INCREMENTAL
// and journal_mode = WAL. Load, on up to two connections a processor with query_only, is
//
//	SELECT revision, owner, used, expires, data FROM sessions WHERE id = ?
//
// and the others run on the one connection that writes, up to 256 of them between BEGIN IMMEDIATE
// and COMMIT, with synchronous = FULL, or NORMAL if they are touches only:
//
//	INSERT INTO sessions (...) VALUES (...) ON CONFLICT DO NOTHING                    -- Create
//	UPDATE sessions SET revision, owner, used, expires, data
//		WHERE id = ? AND revision = ? AND due <= expires                          -- Update
//	UPDATE sessions SET revision, used, expires
//		WHERE id = ? AND revision = ? AND due <= expires                          -- Touch
//	DELETE FROM sessions WHERE id = ?                                                 -- Delete
//	UPDATE sessions_ends SET seq, id, renewed WHERE slot = ?                 -- Delete and Renew
//	INSERT INTO sessions_owned (...) VALUES (...) ON CONFLICT DO UPDATE SET ...     -- AddOwned
//	DELETE FROM sessions WHERE expires <= ? AND rowid IN
//		(SELECT rowid FROM sessions WHERE due <= ? ORDER BY due LIMIT 200)        -- sweep
//
// AddOwned first reads the epoch and counts the owner's entries, and RaiseEpoch lists them, in that
// transaction. Who watches runs, ten times a second,
//
//	SELECT seq, id, renewed FROM sessions_ends WHERE slot >= ? ORDER BY slot
//
// up to the first row that is not new.
//
// An Update or Touch that finds no such row is tried again with due set, too, and then asks
// whether the record is there. The sweep also sets due to expires where it is earlier than it need
// be. Between transactions, after some 2000 written pages,
//
//	PRAGMA wal_checkpoint(RESTART)
package sqlitestore
