package postgresstore

import "strings"

// statements are the texts of all that a Store sends in operation. Each is one statement, so that
// it is one round trip, is a transaction by itself, and works behind a pooler of transactions.
type statements struct {
	ping, load, create, update, touch, renew, refused, delete, fence, sweep string
	standby, renewAndTell, deleteAndTell                                    string
	epoch, add, notAdded, list, remove, raise                               string
	haveOwners, sweepOwners, mark, raiseMark                                string
	channel, beat                                                           string
}

func newStatements(names tables, options Options) statements {
	// What is put in may itself hold names, so those come last.
	parts := strings.NewReplacer("{carefully}", carefully(options.Standby),
		"{told}", toldSQL, "{waits}", waits(options.Standby), "{alone}", ifAlone(options.Standby))
	fill := strings.NewReplacer("{table}", names.table, "{owners}", names.owners,
		"{marks}", names.marks)
	text := func(sql string) string { return fill.Replace(parts.Replace(parts.Replace(sql))) }
	return statements{
		ping:    text(pingSQL),
		load:    text(loadSQL),
		create:  text(createSQL),
		update:  text(updateSQL),
		touch:   text(touchSQL),
		renew:   text(renewSQL),
		refused: text(refusedSQL),
		delete:  text(deleteSQL),
		fence:   text(fenceSQL),
		sweep:   text(sweepSQL),
		standby: "SELECT " + standbySQL,

		renewAndTell:  text(renewAndTellSQL),
		deleteAndTell: text(deleteAndTellSQL),

		epoch:       text(epochSQL),
		add:         text(addSQL),
		notAdded:    text(notAddedSQL),
		list:        text(listSQL),
		remove:      text(removeSQL),
		raise:       text(raiseSQL),
		haveOwners:  text(haveOwnersSQL),
		sweepOwners: text(sweepOwnersSQL),
		mark:        text(markSQL),
		raiseMark:   text(raiseMarkSQL),
		channel:     text(channelSQL),
		beat:        text(beatSQL),
	}
}

// pingSQL fails where there is no table.
const pingSQL = `SELECT 1 FROM {table} LIMIT 0`

const loadSQL = `SELECT revision, owner, used, expires, data FROM {table} WHERE id = $1`

// A write that takes effect answers one row, whose first column is one of these, or nothing where
// standbys do not matter; what else is in it is there for its effect. These are texts, whose bytes
// are the same in all of pgx's modes. A write that is refused answers no row.
const (
	copied = "copied" // the server waits for standbys
	alone  = "alone"  // it waits for none, although it should
	later  = "later"  // it has waited for nothing, and fenceSQL is to follow
)

const createSQL = `INSERT INTO {table} (id, revision, owner, used, expires, due, data)
VALUES ($1::text, $2::bigint, $3::text, $4::bigint, $5::bigint, $5::bigint, $6::bytea)
ON CONFLICT (id) DO NOTHING RETURNING ''`

// due is only ever lowered here, in which LEAST takes NULL for later than any time. Where no column
// with an index changes, PostgreSQL updates a row within its page and leaves the indexes alone.
const updateSQL = `UPDATE {table} SET revision = $3::bigint, owner = $4::text, used = $5::bigint,
  expires = $6::bigint, due = LEAST(due, $6::bigint), data = $7::bytea
WHERE id = $1::text AND revision = $2::bigint RETURNING ''`

const renewSQL = `UPDATE {table} SET revision = $3::bigint, owner = $4::text, used = $5::bigint,
  expires = $6::bigint, due = LEAST(due, $6::bigint), data = $7::bytea
WHERE id = $1::text AND revision = $2::bigint RETURNING {carefully}`

// A touch that a crash undoes costs a visitor a few minutes of idle time, which is not worth
// waiting for the disk. The setting ends with the transaction.
const touchSQL = `UPDATE {table} SET revision = $3::bigint, used = $4::bigint, expires = $5::bigint,
  due = LEAST(due, $5::bigint)
WHERE id = $1::text AND revision = $2::bigint
RETURNING '', set_config('synchronous_commit', 'off', true)`

// refusedSQL tells why a write was refused that needs a record of some Revision. It is sent only
// then, which is seldom: to ask in the write itself would cost each one a twentieth of its time,
// and would look at the table as it was before the write waited for others.
const refusedSQL = `SELECT revision::text FROM {table} WHERE id = $1::text`

const deleteSQL = `DELETE FROM {table} WHERE id = $1::text RETURNING {carefully}`

// fenceSQL is sent where what came before it is to be confirmed: the end of a record that is gone
// already, or what deleteAndTellSQL and renewAndTellSQL have left for later. A transaction that
// writes nothing waits neither for the disk nor for a standby, so that a second attempt would seem
// to confirm an end that the first could not. This one writes a message into the log that standbys
// receive, and nowhere else. (A number for the transaction alone would not do: it is its writing
// that a commit waits for.)
//
// It does not go by what came before it: since then the server may have crashed and lost that, or
// another one may have taken its place. It answers 'same' if the record is what it should be, $2,
// or none if that is NULL; or if the very process of the server that came before it, $3, still
// lives there, and somebody else has gone on from that.
const fenceSQL = `SELECT {carefully}, CASE
    WHEN (SELECT revision FROM {table} WHERE id = $1::text) IS NOT DISTINCT FROM $2::bigint
    THEN 'same'
    WHEN split_part($3::text, ' ', 2) = ` + bornSQL + `
      AND EXISTS (SELECT FROM pg_stat_get_activity(split_part($3::text, ' ', 1)::int))
    THEN 'same' ELSE 'other' END,
  pg_logical_emit_message(true, 'sessions', '')`

// bornSQL is when the server was started.
const bornSQL = `extract(epoch FROM pg_postmaster_start_time())::text`

// carefully are the first two columns of an end and a renewal: whether the server was told to wait
// for standbys, and the setting with which it commits. It must not be one with which an
// acknowledged end is lost in a crash; with standby, nor in a failover. What the server does beyond
// that, such as remote_apply, stays.
func carefully(standby bool) string {
	if standby {
		return standbySQL + `, CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
  THEN set_config('synchronous_commit', 'on', true) END`
	}
	return `'', CASE WHEN current_setting('synchronous_commit') = 'off'
  THEN set_config('synchronous_commit', 'local', true) END`
}

const standbySQL = `CASE WHEN current_setting('synchronous_standby_names') = ''
    OR current_setting('max_wal_senders') = '0' THEN 'alone' ELSE 'copied' END`

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
