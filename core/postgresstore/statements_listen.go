package postgresstore

// Stores that share a table hear of its ends in a channel named by the number that PostgreSQL has
// given the table: whether a Store calls it "sessions" or "app.sessions" does not matter then.
const channelSQL = `SELECT 'sessionserverstore_' || '{table}'::regclass::oid`

// deleteAndTellSQL is deleteSQL where somebody may watch, who is told also if there was no record.
// It answers a row always, and leaves it for later to confirm that what is gone is gone.
const deleteAndTellSQL = `WITH gone AS (DELETE FROM {table} WHERE id = $1::text RETURNING 1)
SELECT CASE WHEN $2::boolean OR {waits}
    OR NOT EXISTS (SELECT FROM gone)
  {told}
  pg_notify('sessionserverstore_' || '{table}'::regclass::oid, 'd' || $1::text),
  ` + processSQL

const renewAndTellSQL = `UPDATE {table} SET revision = $3::bigint, owner = $4::text,
  used = $5::bigint, expires = $6::bigint, due = LEAST(due, $6::bigint), data = $7::bytea
WHERE id = $1::text AND revision = $2::bigint
RETURNING CASE WHEN $8::boolean OR {waits}
  {told}
  pg_notify('sessionserverstore_' || '{table}'::regclass::oid, 'r' || id),
  ` + processSQL

// processSQL names the process of the server that carries out a statement, and no other one ever.
const processSQL = `pg_backend_pid() || ' ' || ` + bornSQL

// toldSQL goes on with how carefully that is written. On a whole server PostgreSQL lets one
// transaction at a time commit that tells something, from before it waits for the disk and for
// standbys until that is done. So where there are standbys to wait for, or this process tells more
// than one thing at once (the last argument), it is committed without waiting, and a second
// statement waits, any number of them together. Else one round trip is enough.
const toldSQL = `THEN 'later' || left(set_config('synchronous_commit', 'off', true), 0)
  WHEN current_setting('synchronous_commit') = 'off'
  THEN {alone} || left(set_config('synchronous_commit', 'local', true), 0) ELSE {alone} END,`

// waits says whether the server waits for a standby, or is to.
func waits(standby bool) string {
	const has = `current_setting('synchronous_standby_names') <> ''
    AND current_setting('max_wal_senders') <> '0'`
	if standby {
		return has
	}
	return has + `
    AND current_setting('synchronous_commit') NOT IN ('off', 'local')`
}

// ifAlone is what a write answers that has waited for no standby.
func ifAlone(standby bool) string {
	if standby {
		return "'" + alone + "'"
	}
	return "''"
}

// beatSQL sends something to a Store that listens, and to no other one, by way of the pool. It does
// not wait for the disk, and so not for a standby either.
const beatSQL = `SELECT set_config('synchronous_commit', 'off', true),
  pg_notify('sessionserverstore_' || '{table}'::regclass::oid || '_' || $1::text, $2::text)`

// listenSQL listens to ends and to beats. The connection sends nothing from then on, for which a
// server may be told to end it.
const listenSQL = `LISTEN "%[1]s"; LISTEN "%[1]s_%[2]s";
SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'`
