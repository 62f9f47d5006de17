package postgresstore

import "strings"

// What a write answers, in its first column.
const (
	written  = 1
	conflict = 2
	absent   = 3
	existing = 4
)

// statements are the texts of all that a Store sends in operation. Each is one statement, so that
// it is one round trip, a transaction by itself, and works behind a pooler of transactions.
type statements struct {
	ping, load, create, update, touch, renew, delete, sweep string
}

func newStatements(table string, standby bool) statements {
	fill := strings.NewReplacer("{table}", table, "{verdict}", verdictSQL,
		"{carefully}", carefully(standby)).Replace
	// Twice, since what is put in has places to fill, too.
	text := func(s string) string { return fill(fill(s)) }
	return statements{
		ping:   text(pingSQL),
		load:   text(loadSQL),
		create: text(createSQL),
		update: text(updateSQL),
		touch:  text(touchSQL),
		renew:  text(renewSQL),
		delete: text(deleteSQL),
		sweep:  text(sweepSQL),
	}
}

// pingSQL fails where there is no table.
const pingSQL = `SELECT 1 FROM {table} LIMIT 0`

const loadSQL = `SELECT revision, owner, used, expires, data FROM {table} WHERE id = $1`

const createSQL = `WITH created AS (
  INSERT INTO {table} (id, revision, owner, used, expires, due, data)
  VALUES ($1::text, $2::bigint, $3::text, $4::bigint, $5::bigint, $5::bigint, $6::bytea)
  ON CONFLICT (id) DO NOTHING RETURNING 1)
SELECT CASE WHEN EXISTS (SELECT FROM created) THEN 1 ELSE 4 END, true, ''`

// verdictSQL tells what became of a write that needs a record of Revision $2. The statement sees
// the table as it was when it began, but waits for others that write the same record, so what it
// sees may be outdated: a record that had the Revision and yet was not written has been changed or
// removed meanwhile. Only a lock looks at the newest state, and it is taken only then, for it costs
// a write.
const verdictSQL = `CASE
  WHEN EXISTS (SELECT FROM written) THEN 1
  WHEN EXISTS (SELECT FROM {table} WHERE id = $1::text AND revision <> $2::bigint) THEN 2
  WHEN EXISTS (SELECT FROM {table} WHERE id = $1::text FOR KEY SHARE) THEN 2
  ELSE 3 END`

// due is only ever lowered here, in which LEAST takes NULL for later than any time. A column with an
// index that stays as it is lets PostgreSQL update a row in its page, without touching an index.
const updateSQL = `WITH written AS (
  UPDATE {table} SET revision = $3::bigint, owner = $4::text, used = $5::bigint,
    expires = $6::bigint, due = LEAST(due, $6::bigint), data = $7::bytea
  WHERE id = $1::text AND revision = $2::bigint RETURNING 1)
SELECT {verdict}, true, ''`

const renewSQL = `WITH written AS (
  UPDATE {table} SET revision = $3::bigint, owner = $4::text, used = $5::bigint,
    expires = $6::bigint, due = LEAST(due, $6::bigint), data = $7::bytea
  WHERE id = $1::text AND revision = $2::bigint RETURNING 1)
SELECT {verdict}, {carefully}`

// A touch that a crash undoes costs a visitor a few minutes of idle time, which is not worth
// waiting for the disk. The setting ends with the transaction.
const touchSQL = `WITH written AS (
  UPDATE {table} SET revision = $3::bigint, used = $4::bigint, expires = $5::bigint,
    due = LEAST(due, $5::bigint)
  WHERE id = $1::text AND revision = $2::bigint RETURNING 1)
SELECT {verdict}, true, set_config('synchronous_commit', 'off', true)`

// A transaction that writes nothing waits neither for the disk nor for a standby, so that a second
// attempt would seem to confirm an end that the first could not. Where the row is gone already a
// message is written instead, into the log that standbys receive, and nowhere else. (A number for
// the transaction alone would not do: it is its writing that a commit waits for.)
const deleteSQL = `WITH gone AS (DELETE FROM {table} WHERE id = $1::text RETURNING 1)
SELECT CASE WHEN EXISTS (SELECT FROM gone) THEN 1
  WHEN pg_logical_emit_message(true, 'sessions', '') IS NULL THEN 3
  ELSE 1 END, {carefully}`

// carefully are the last two columns of an end and a renewal: whether the server was told to wait
// for standbys, and the setting with which it commits. It must not be one with which an
// acknowledged end is lost in a crash; with standby, nor in a failover. What the server does beyond
// that, such as remote_apply, stays.
func carefully(standby bool) string {
	if standby {
		return `current_setting('synchronous_standby_names') <> ''
    AND current_setting('max_wal_senders') <> '0',
  set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit')
    IN ('off', 'local') THEN 'on' ELSE current_setting('synchronous_commit') END, true)`
	}
	return `true,
  set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit')
    = 'off' THEN 'local' ELSE current_setting('synchronous_commit') END, true)`
}

// sweepSQL looks at some of the rows that may have expired by $1: it deletes those that have, and
// notes a later time to look at the others. The lock gives each row as it is now, not as it was
// when the statement began; rows that somebody else has locked are being written, or swept.
const sweepSQL = `WITH due AS MATERIALIZED (
  SELECT id, expires FROM {table} WHERE due <= $1::bigint
  ORDER BY due LIMIT 500 FOR UPDATE SKIP LOCKED),
gone AS (
  DELETE FROM {table} t USING due WHERE t.id = due.id AND due.expires <= $1::bigint RETURNING 1),
later AS (
  UPDATE {table} t SET due = due.expires FROM due
  WHERE t.id = due.id AND (due.expires > $1::bigint OR due.expires IS NULL) RETURNING 1)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM later),
  set_config('synchronous_commit', 'off', true)`

// sweepBatch is the LIMIT of sweepSQL.
const sweepBatch = 500
