package postgresstore

// All that is known of an owner is in one row, and all that is asked of it is one statement on that
// row. INSERT … ON CONFLICT DO UPDATE locks it and then judges it as it is now, not as it was when
// the statement began: what has waited for another one sees what that one did. With a row for each
// entry it would not, since PostgreSQL shows a statement that waits its tables as they were before.
// entries is {"ID": "revision until", …}, the until of one that stays for ever is 0.
// As with records, due is lowered by writes and raised only by the sweep.

const epochSQL = `SELECT epoch FROM {owners} WHERE owner = $1`

// addSQL answers nothing if the epoch is another one, or if there is no room. Where there is no row
// the epoch is zero; who comes with another one has seen a row, and inserts none in its place.
const addSQL = `INSERT INTO {owners} AS o (owner, epoch, before, kept, due, entries)
SELECT $1::text, $5::bigint, 0, 0, $4::bigint, jsonb_build_object($2::text, $3::text)
WHERE $5::bigint = 0
  OR EXISTS (SELECT FROM {owners} WHERE owner = $1::text AND epoch = $5::bigint)
ON CONFLICT (owner) DO UPDATE SET entries = o.entries || EXCLUDED.entries,
  due = LEAST(o.due, EXCLUDED.due)
WHERE o.epoch = EXCLUDED.epoch AND ($6::bigint = 0
  OR $6::bigint > (SELECT count(*) FROM jsonb_object_keys(o.entries - $2::text)))
RETURNING {carefully}, (SELECT count(*) FROM jsonb_object_keys(o.entries))::text`

// notAddedSQL tells why an entry was not added.
const notAddedSQL = `SELECT epoch = $3::bigint,
  (SELECT count(*) FROM jsonb_object_keys(entries - $2::text)) >= $4::bigint
FROM {owners} WHERE owner = $1::text`

const listSQL = `SELECT entries::text FROM {owners} WHERE owner = $1`

// removeSQL does not wait for the disk: an entry that comes back in a crash has no record. What is to
// go are the names in $2, {"ID revision": "", …}, which are found in it by bisection.
const removeSQL = `UPDATE {owners} AS o SET due = COALESCE(o.due, o.kept),
  entries = COALESCE((SELECT jsonb_object_agg(key, value) FROM jsonb_each_text(o.entries)
    WHERE NOT $2::text::jsonb ? (key || ' ' || split_part(value, ' ', 1))), '{}')
WHERE o.owner = $1::text AND EXISTS (SELECT FROM jsonb_each_text(o.entries)
  WHERE $2::text::jsonb ? (key || ' ' || split_part(value, ' ', 1)))
RETURNING '', set_config('synchronous_commit', 'off', true)`

// raiseSQL has a column for the epoch before, since a statement can give back only what it wrote.
const raiseSQL = `INSERT INTO {owners} AS o (owner, epoch, before, kept, due, entries)
VALUES ($1::text, $2::bigint, 0, $3::bigint, $3::bigint, '{}')
ON CONFLICT (owner) DO UPDATE SET epoch = EXCLUDED.epoch, before = o.epoch,
  kept = GREATEST(o.kept, EXCLUDED.kept), due = LEAST(o.due, EXCLUDED.due)
RETURNING {carefully}, o.before::text, o.entries::text`

// haveOwnersSQL keeps a sweep from failing where the table was not made yet.
const haveOwnersSQL = `SELECT to_regclass('{owners}') IS NOT NULL`

// sweepOwnersSQL looks at some owners of whom something may have been forgotten by $1.
const sweepOwnersSQL = `WITH due AS MATERIALIZED (
  SELECT owner, kept, entries FROM {owners} WHERE due <= $1::bigint
  ORDER BY due LIMIT 100 FOR UPDATE SKIP LOCKED),
rest AS MATERIALIZED (
  SELECT owner, kept, alive.entries, alive.until FROM due CROSS JOIN LATERAL (
    SELECT COALESCE(jsonb_object_agg(key, value), '{}') AS entries, min(until) AS until
    FROM (SELECT key, value, NULLIF(split_part(value, ' ', 2), '0')::bigint AS until
      FROM jsonb_each_text(due.entries)) AS entry
    WHERE until IS NULL OR until > $1::bigint) AS alive),
gone AS (
  DELETE FROM {owners} o USING rest
  WHERE o.owner = rest.owner AND rest.entries = '{}' AND rest.kept <= $1::bigint RETURNING 1),
later AS (
  UPDATE {owners} o SET entries = rest.entries,
    due = LEAST(rest.until, CASE WHEN rest.kept > $1::bigint THEN rest.kept END)
  FROM rest
  WHERE o.owner = rest.owner AND (rest.entries <> '{}' OR rest.kept > $1::bigint) RETURNING 1)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM later),
  set_config('synchronous_commit', 'off', true)`

// ownersBatch is the LIMIT of sweepOwnersSQL. Some owners have thousands of entries.
const ownersBatch = 100

const markSQL = `SELECT at FROM {marks} WHERE name = $1`

// raiseMarkSQL writes even if the mark stays as it is, so that its commit confirms it.
const raiseMarkSQL = `INSERT INTO {marks} AS m (name, at) VALUES ($1::text, $2::bigint)
ON CONFLICT (name) DO UPDATE SET at = GREATEST(m.at, EXCLUDED.at) RETURNING {carefully}`
