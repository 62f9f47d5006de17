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
// Who puts a backup back brings back the sessions that had ended since. To end all sessions, stop
// the program and remove the three files.
//
// A file that is another program's database is refused and left as it is (application_id and
// user_version tell). A damaged one gives an error, never the answer that there is no session. On a
// full disk a write that finds no room is refused with core.ErrStoreFull and has no effect, and all
// goes on when there is room again. As the -wal file is written over and over, ends, touches and
// small changes normally need none. After a restart, or while the number of sessions grows, they
// may, so a disk that is full is to be put right at once.
//
// # Literally
//
// The table, with Options.Table for sessions; times are in milliseconds since 1970, and a
// revision, of 64 bits, is kept as the signed number of the same bits:
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
//	DELETE FROM sessions WHERE expires <= ? AND rowid IN
//		(SELECT rowid FROM sessions WHERE due <= ? ORDER BY due LIMIT 200)        -- sweep
//
// An Update or Touch that finds no such row is tried again with due set, too, and then asks
// whether the record is there. The sweep also sets due to expires where it is earlier than it need
// be. Between transactions, after some 2000 written pages,
//
//	PRAGMA wal_checkpoint(RESTART)
package sqlitestore
