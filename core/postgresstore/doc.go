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
// Times are milliseconds since 1970; an expires that is NULL means never. The sweep looks for what
// has expired by due, which is never later than expires: nothing but a sweep raises it, so that a
// touch and most updates change no column that has an index. PostgreSQL then writes the new row into
// the page of the old one and leaves the indexes alone (a HOT update).
//
// In operation a Store needs the privileges SELECT, INSERT, UPDATE and DELETE on the table.
//
// # What it sends
//
// Each operation is one statement, which is one round trip and one transaction:
//
//	load    SELECT revision, owner, used, expires, data FROM "sessions" WHERE id = $1
//	create  INSERT … ON CONFLICT (id) DO NOTHING
//	update  UPDATE … WHERE id = $1 AND revision = $2, and if that finds nothing whether there is
//	        a record of another revision or none
//	touch   the same without owner and data; set_config('synchronous_commit', 'off', true)
//	renew   as update, with care
//	delete  DELETE … WHERE id = $1, with care
//	sweep   500 rows at most with due <= $1, FOR UPDATE SKIP LOCKED: DELETE of those that have
//	        expired, UPDATE … SET due = expires of the others
//
// # What an end is worth
//
// An end or a renewal is on the primary's disk when it is acknowledged, also where synchronous_commit
// is off (it is 'local' then, for that transaction alone). Where synchronous standbys are configured
// it is on them, too, and with Options.Standby it must be: what is not confirmed is
// core.ErrNotDurable. A wait for a standby that was cancelled counts as not confirmed, although
// PostgreSQL reports success. To confirm an end again a Delete writes something even if its record
// is gone (pg_logical_emit_message), since a transaction that writes nothing waits for nobody.
// All other writes are as durable as the server's synchronous_commit says, but for touches, which
// wait for nothing.
//
// A failover to a standby that was not synchronous undoes what it had not received, ends included.
//
// # Poolers
//
// Behind PgBouncer in transaction mode, add default_query_exec_mode=cache_describe to the URL: the
// statements that pgx prepares by default belong to a connection of the server.
package postgresstore
