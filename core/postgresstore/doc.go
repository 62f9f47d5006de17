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
// # The tables
//
// Migrate makes them, or whoever runs what Schema prints:
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
//	CREATE TABLE IF NOT EXISTS "sessions_owners" (
//	  owner   text COLLATE "C" PRIMARY KEY,
//	  epoch   bigint NOT NULL,
//	  before  bigint NOT NULL,
//	  kept    bigint NOT NULL,
//	  due     bigint,
//	  entries jsonb  NOT NULL
//	) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
//	CREATE INDEX IF NOT EXISTS "sessions_owners_due" ON "sessions_owners" (due)
//	  WHERE due IS NOT NULL;
//	CREATE TABLE IF NOT EXISTS "sessions_marks" (
//	  name text COLLATE "C" PRIMARY KEY,
//	  at   bigint NOT NULL
//	);
//
// Times are milliseconds since 1970, and an expires that is NULL means never. The sweep looks for
// what has expired by due, which is never later than expires. Nothing but a sweep raises due, so
// that a touch and most updates change no column that has an index. PostgreSQL then writes the new
// row into the page of the old one and leaves the indexes alone (a HOT update).
//
// An owner is one row, under a hash of the owner and Config.Namespace: entries is {"ID": "revision
// until", …}, and kept is how long the epoch, and the one before, must be known. An owner whose
// entries are all over is forgotten ten minutes later.
//
// To make the tables needs the privilege CREATE on their schema. In operation a Store needs
//
//	GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, sessions_owners TO app;
//	GRANT SELECT, INSERT, UPDATE ON sessions_marks TO app;
//
// and nothing else. Versions that knew no owners made the first table only. Until Migrate has made
// the others, or somebody has run Schema again, records are kept as before, and what is asked of
// owners and marks is an error that names the missing table.
//
// # What it sends
//
// Each operation is one statement: one round trip, and a transaction by itself. Where a second one
// follows it is said below.
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
// Renew, as it is with Options.Unwatched. It does wait, whatever the server is told; with
// Options.Standby see below:
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
// A second statement follows where a write found nothing. An Update, a Touch or a Renew asks why:
//
//	SELECT revision::text FROM "sessions" WHERE id = $1::text
//
// And a Delete whose record is gone writes something else, into the log that standbys receive and
// nowhere else. It may be a second attempt at an end that was not confirmed, and a transaction that
// writes nothing waits for nobody:
//
//	SELECT '', CASE WHEN current_setting('synchronous_commit') = 'off'
//	  THEN set_config('synchronous_commit', 'local', true) END, CASE
//	    WHEN (SELECT revision FROM "sessions" WHERE id = $1::text) IS NOT DISTINCT FROM $2::bigint
//	    THEN 'same'
//	    WHEN split_part($3::text, ' ', 2) = extract(epoch FROM pg_postmaster_start_time())::text
//	      AND EXISTS (SELECT FROM pg_stat_get_activity(split_part($3::text, ' ', 1)::int))
//	    THEN 'same' ELSE 'other' END,
//	  pg_logical_emit_message(true, 'sessions', '')
//
// It makes sure besides that the server is still the one, and has not crashed since: if the record
// is there again the Delete is sent anew.
//
// # What it sends of owners and marks
//
// OwnerEpoch:
//
//	SELECT epoch FROM "sessions_owners" WHERE owner = $1
//
// AddOwned, as durable as Delete:
//
//	INSERT INTO "sessions_owners" AS o (owner, epoch, before, kept, due, entries)
//	SELECT $1::text, $5::bigint, 0, 0, $4::bigint, jsonb_build_object($2::text, $3::text)
//	WHERE $5::bigint = 0
//	  OR EXISTS (SELECT FROM "sessions_owners" WHERE owner = $1::text AND epoch = $5::bigint)
//	ON CONFLICT (owner) DO UPDATE SET entries = o.entries || EXCLUDED.entries,
//	  due = LEAST(o.due, EXCLUDED.due)
//	WHERE o.epoch = EXCLUDED.epoch AND ($6::bigint = 0
//	  OR $6::bigint > (SELECT count(*) FROM jsonb_object_keys(o.entries - $2::text)))
//	RETURNING '', CASE WHEN current_setting('synchronous_commit') = 'off'
//	  THEN set_config('synchronous_commit', 'local', true) END, (SELECT count(*) FROM jsonb_object_keys(o.entries))::text
//
// and where that answers nothing, to tell why:
//
//	SELECT epoch = $3::bigint,
//	  (SELECT count(*) FROM jsonb_object_keys(entries - $2::text)) >= $4::bigint
//	FROM "sessions_owners" WHERE owner = $1::text
//
// ListOwned:
//
//	SELECT entries::text FROM "sessions_owners" WHERE owner = $1
//
// RemoveOwned, which does not wait for the disk:
//
//	UPDATE "sessions_owners" AS o SET due = COALESCE(o.due, o.kept),
//	  entries = COALESCE((SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(o.entries)
//	    WHERE NOT $2::text::jsonb ? (key || ' ' || split_part(value, ' ', 1))), '{}')
//	WHERE o.owner = $1::text AND EXISTS (SELECT FROM jsonb_each_text(o.entries)
//	  WHERE $2::text::jsonb ? (key || ' ' || split_part(value, ' ', 1)))
//	RETURNING '', set_config('synchronous_commit', 'off', true)
//
// RaiseEpoch, as durable as Delete:
//
//	INSERT INTO "sessions_owners" AS o (owner, epoch, before, kept, due, entries)
//	VALUES ($1::text, $2::bigint, 0, $3::bigint, $3::bigint, '{}')
//	ON CONFLICT (owner) DO UPDATE SET epoch = EXCLUDED.epoch, before = o.epoch,
//	  kept = GREATEST(o.kept, EXCLUDED.kept), due = LEAST(o.due, EXCLUDED.due)
//	RETURNING '', CASE WHEN current_setting('synchronous_commit') = 'off'
//	  THEN set_config('synchronous_commit', 'local', true) END, o.before::text, o.entries::text
//
// The sweep, when no more records have expired; the first one asks whether there are owners:
//
//	SELECT to_regclass('"sessions_owners"') IS NOT NULL
//
//	WITH due AS MATERIALIZED (
//	  SELECT owner, kept, entries FROM "sessions_owners" WHERE due <= $1::bigint
//	  ORDER BY due LIMIT 100 FOR UPDATE SKIP LOCKED),
//	rest AS MATERIALIZED (
//	  SELECT owner, kept, alive.entries, alive.until FROM due CROSS JOIN LATERAL (
//	    SELECT COALESCE(jsonb_object_agg(key, value), '{}') AS entries, min(until) AS until
//	    FROM (SELECT key, value, NULLIF(split_part(value, ' ', 2), '0')::bigint AS until
//	      FROM jsonb_each_text(due.entries)) AS entry
//	    WHERE until IS NULL OR until > $1::bigint) AS alive),
//	gone AS (
//	  DELETE FROM "sessions_owners" o USING rest
//	  WHERE o.owner = rest.owner AND rest.entries = '{}' AND rest.kept <= $1::bigint RETURNING 1),
//	later AS (
//	  UPDATE "sessions_owners" o SET entries = rest.entries,
//	    due = LEAST(rest.until, CASE WHEN rest.kept > $1::bigint THEN rest.kept END)
//	  FROM rest
//	  WHERE o.owner = rest.owner AND (rest.entries <> '{}' OR rest.kept > $1::bigint) RETURNING 1)
//	SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM later),
//	  set_config('synchronous_commit', 'off', true)
//
// Mark, and RaiseMark, as durable as Delete:
//
//	SELECT at FROM "sessions_marks" WHERE name = $1
//
//	INSERT INTO "sessions_marks" AS m (name, at) VALUES ($1::text, $2::bigint)
//	ON CONFLICT (name) DO UPDATE SET at = GREATEST(m.at, EXCLUDED.at) RETURNING '', CASE WHEN current_setting('synchronous_commit') = 'off'
//	  THEN set_config('synchronous_commit', 'local', true) END
//
// # How it watches
//
// Unless Options.Unwatched is set, a Delete and a Renew send a notification, which others get when
// they are committed. On a whole server PostgreSQL lets one transaction at a time commit that sends
// one, from before it waits for the disk and for standbys until that is done. So where the server
// waits for standbys, and while this process has others of them under way, such a commit waits for
// nothing, and a second statement does: the one that confirms the end of a record that is gone.
// Else all is one round trip.
//
// Renew:
//
//	UPDATE "sessions" SET revision = $3::bigint, owner = $4::text,
//	  used = $5::bigint, expires = $6::bigint, due = LEAST(due, $6::bigint), data = $7::bytea
//	WHERE id = $1::text AND revision = $2::bigint
//	RETURNING CASE WHEN $8::boolean OR current_setting('synchronous_standby_names') <> ''
//	    AND current_setting('max_wal_senders') <> '0'
//	    AND current_setting('synchronous_commit') NOT IN ('off', 'local')
//	  THEN 'later' || left(set_config('synchronous_commit', 'off', true), 0)
//	  WHEN current_setting('synchronous_commit') = 'off'
//	  THEN '' || left(set_config('synchronous_commit', 'local', true), 0) ELSE '' END,
//	  pg_notify('sessionserverstore_' || '"sessions"'::regclass::oid, 'r' || id),
//	  pg_backend_pid() || ' ' || extract(epoch FROM pg_postmaster_start_time())::text
//
// Delete:
//
//	WITH gone AS (DELETE FROM "sessions" WHERE id = $1::text RETURNING 1)
//	SELECT CASE WHEN $2::boolean OR current_setting('synchronous_standby_names') <> ''
//	    AND current_setting('max_wal_senders') <> '0'
//	    AND current_setting('synchronous_commit') NOT IN ('off', 'local')
//	    OR NOT EXISTS (SELECT FROM gone)
//	  THEN 'later' || left(set_config('synchronous_commit', 'off', true), 0)
//	  WHEN current_setting('synchronous_commit') = 'off'
//	  THEN '' || left(set_config('synchronous_commit', 'local', true), 0) ELSE '' END,
//	  pg_notify('sessionserverstore_' || '"sessions"'::regclass::oid, 'd' || $1::text),
//	  pg_backend_pid() || ' ' || extract(epoch FROM pg_postmaster_start_time())::text
//
// A server whose queue of notifications is full, because somebody listens and does not hear,
// refuses them: then the statements of Options.Unwatched are sent.
//
// Each Watch has a connection of its own, beside the pool, and listens there in the channel that
// this names, and in one for what it sends to itself every two seconds by way of the pool:
//
//	SELECT 'sessionserverstore_' || '"sessions"'::regclass::oid
//
//	SELECT set_config('synchronous_commit', 'off', true),
//	  pg_notify('sessionserverstore_' || '"sessions"'::regclass::oid || '_' || $1::text, $2::text)
//
// If that is not heard within three seconds, Watch returns an error. That also happens while
// another program waits for a standby with a notification in hand: nobody can be told anything
// then.
//
// # What an end is worth
//
// An end or a renewal is on the primary's disk when it is acknowledged, as are an addition to an
// owner, a raised epoch and a raised mark. Where the server waits for synchronous standbys it is on
// them, too; if somebody cancels that wait, PostgreSQL reports success with a warning, and the
// Store reports core.ErrNotDurable. All other writes are as durable as the server's
// synchronous_commit says, but for touches, which wait for nothing.
//
// With Options.Standby there must be such a standby: synchronous_commit is raised to 'on' for ends
// and renewals if it is 'off' or 'local', and they are core.ErrNotDurable if the server's
// synchronous_standby_names is empty, before or after. While the standby is away ends, renewals,
// sign-ins, new sessions and changes wait for it, on three of four of the pool's connections at
// most; loads and touches go on with the rest. Ends and renewals take effect and are told before
// they wait, unless Options.Unwatched is set.
//
// A failover to a standby that was not synchronous undoes what it had not received, ends included;
// so does a restored backup.
//
// # Poolers
//
// Behind PgBouncer in transaction mode, add default_query_exec_mode=cache_describe to the URL: the
// statements that pgx prepares by default belong to a connection of the server, which is another
// one each time. All of pgx's modes work, without a pooler and, but for the default one, with it.
// Notifications do not come through it: Options.Listen names another way. Without one Watch returns
// an error three seconds after each time that the Manager calls it.
package postgresstore
