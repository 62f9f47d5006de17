// Package postgresstore keeps sessions in a table of a PostgreSQL database, of version 13 or later.
// It is for a program that has such a database already, on one node or many: sessions survive
// restarts, and all nodes share them.
//
//	store, err := postgresstore.Open("postgres://app:secret@db/app?pool_max_conns=20",
//		postgresstore.Options{})
//	…
//	defer store.Close()
//	if err := store.Migrate(ctx); err != nil { … }
//	manager, err := core.New(core.Config{Store: store})
//
// A program that has a *pgxpool.Pool gives it to New instead, and prepares it with Configure.
//
// # The table
//
// Migrate makes it, or whoever runs what Schema prints:
//
//	CREATE TABLE IF NOT EXISTS "sessions" (
//	  id       text COLLATE "C" PRIMARY KEY,
//	  revision bigint NOT NULL,
//	  owner    text   NOT NULL,
//	  used     bigint NOT NULL,
//	  expires  bigint,
//	  due      bigint,
//	  data     bytea  NOT NULL
//	) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
//	CREATE INDEX IF NOT EXISTS "sessions_due" ON "sessions" (due) WHERE due IS NOT NULL;
//
// Times are milliseconds since 1970, and an expires that is NULL means never. The sweep looks for
// what has expired by due, which is never later than expires. Nothing but a sweep raises due, so
// that a touch and most updates change no column that has an index. PostgreSQL then writes the new
// row into the page of the old one and leaves the indexes alone (a HOT update).
//
// To make the table needs the privilege CREATE on its schema. In operation a Store needs SELECT,
// INSERT, UPDATE and DELETE on the table, and nothing else.
//
// # What it sends
//
// Each operation is one statement: one round trip, and a transaction by itself.
//
// Load:
//
//	SELECT revision, owner, used, expires, data FROM "sessions" WHERE id = $1
//
// Create:
//
//	INSERT INTO "sessions" (id, revision, owner, used, expires, due, data)
//	VALUES ($1::text, $2::bigint, $3::text, $4::bigint, $5::bigint, $5::bigint, $6::bytea)
//	ON CONFLICT (id) DO NOTHING RETURNING ''
//
// Update:
//
//	UPDATE "sessions" SET revision = $3::bigint, owner = $4::text, used = $5::bigint,
//	  expires = $6::bigint, due = LEAST(due, $6::bigint), data = $7::bytea
//	WHERE id = $1::text AND revision = $2::bigint RETURNING ''
//
// Touch, which does not wait for the disk:
//
//	UPDATE "sessions" SET revision = $3::bigint, used = $4::bigint, expires = $5::bigint,
//	  due = LEAST(due, $5::bigint)
//	WHERE id = $1::text AND revision = $2::bigint
//	RETURNING '', set_config('synchronous_commit', 'off', true)
//
// Renew, which does, whatever the server is told (with Options.Standby see below):
//
//	UPDATE "sessions" SET revision = $3::bigint, owner = $4::text, used = $5::bigint,
//	  expires = $6::bigint, due = LEAST(due, $6::bigint), data = $7::bytea
//	WHERE id = $1::text AND revision = $2::bigint
//	RETURNING '', CASE WHEN current_setting('synchronous_commit') = 'off'
//	  THEN set_config('synchronous_commit', 'local', true) END
//
// Delete, likewise:
//
//	DELETE FROM "sessions" WHERE id = $1::text
//	RETURNING '', CASE WHEN current_setting('synchronous_commit') = 'off'
//	  THEN set_config('synchronous_commit', 'local', true) END
//
// The sweep, in batches, any number of nodes at once:
//
//	WITH due AS MATERIALIZED (
//	  SELECT id, expires FROM "sessions" WHERE due <= $1::bigint
//	  ORDER BY due LIMIT 500 FOR UPDATE SKIP LOCKED),
//	gone AS (
//	  DELETE FROM "sessions" t USING due WHERE t.id = due.id AND due.expires <= $1::bigint RETURNING 1),
//	later AS (
//	  UPDATE "sessions" t SET due = due.expires FROM due
//	  WHERE t.id = due.id AND (due.expires > $1::bigint OR due.expires IS NULL) RETURNING 1)
//	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM later),
//	  set_config('synchronous_commit', 'off', true)
//
// Ping:
//
//	SELECT 1 FROM "sessions" LIMIT 0
//
// A second statement follows only where a write found nothing. An Update, a Touch or a Renew asks
// why:
//
//	SELECT revision::text FROM "sessions" WHERE id = $1::text
//
// And a Delete whose record is gone writes something else, into the log that standbys receive and
// nowhere else. It may be a second attempt at an end that was not confirmed, and a transaction that
// writes nothing waits for nobody:
//
//	SELECT '', CASE WHEN current_setting('synchronous_commit') = 'off'
//	  THEN set_config('synchronous_commit', 'local', true) END,
//	  pg_logical_emit_message(true, 'sessions', '')
//
// # What an end is worth
//
// An end or a renewal is on the primary's disk when it is acknowledged. Where the server waits for
// synchronous standbys it is on them, too; if somebody cancels that wait, PostgreSQL reports success
// with a warning, and the Store reports core.ErrNotDurable. All other writes are as durable as the
// server's synchronous_commit says, but for touches, which wait for nothing.
//
// With Options.Standby there must be such a standby: synchronous_commit is raised to 'on' for ends
// and renewals if it is 'off' or 'local', and they are core.ErrNotDurable if the server's
// synchronous_standby_names is empty, before or after. While the standby is away ends, renewals,
// new sessions and changes wait for it, on three of four of the pool's connections at most; loads
// and touches go on with the rest.
//
// A failover to a standby that was not synchronous undoes what it had not received, ends included;
// so does a restored backup.
//
// # Poolers
//
// Behind PgBouncer in transaction mode, add default_query_exec_mode=cache_describe to the URL: the
// statements that pgx prepares by default belong to a connection of the server, which is another
// one each time. All of pgx's modes work, without a pooler and, but for the default one, with it.
package postgresstore
