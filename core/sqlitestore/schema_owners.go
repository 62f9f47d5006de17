package sqlitestore

// The statements of the index of owners, and of the marks. {t} stands for Options.Table.
//
// An entry is a row of its own, in the order of owners and IDs: what one owner has lies together,
// and ten thousand of it are no worse for who adds one than ten thousand owners. The partial
// indexes are the sweep's.
const (
	createOwners = `
CREATE TABLE IF NOT EXISTS "{t}_owned" (
	owner    TEXT    NOT NULL,
	id       TEXT    NOT NULL,
	revision INTEGER NOT NULL,
	until    INTEGER,
	PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "{t}_owned_until" ON "{t}_owned" (until) WHERE until IS NOT NULL;
CREATE TABLE IF NOT EXISTS "{t}_epochs" (
	owner TEXT    NOT NULL PRIMARY KEY,
	epoch INTEGER NOT NULL,
	until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "{t}_epochs_until" ON "{t}_epochs" (until) WHERE until IS NOT NULL;`

	epochQuery = `SELECT epoch FROM "{t}_epochs" WHERE owner = ?1`
	// An Epoch is kept as long as any call has asked for. max of NULL, which is for ever, is NULL.
	raiseEpochQuery = `INSERT INTO "{t}_epochs" (owner, epoch, until) VALUES (?1, ?2, ?3)
		ON CONFLICT DO UPDATE SET epoch = excluded.epoch, until = max(until, excluded.until)`
	sweepEpochsQuery = `DELETE FROM "{t}_epochs" WHERE owner IN (
		SELECT owner FROM "{t}_epochs" WHERE until <= ?1 ORDER BY until LIMIT ` + sweepStep + `)`

	listOwnedQuery = `SELECT id, revision, until FROM "{t}_owned" WHERE owner = ?1`
	// Without those of the same ID. So it looks at the owner's rows without reading each one's ID.
	countOwnedQuery = `SELECT (SELECT count(*) FROM "{t}_owned" WHERE owner = ?1)
		- (SELECT count(*) FROM "{t}_owned" WHERE owner = ?1 AND id = ?2)`
	addOwnedQuery = `INSERT INTO "{t}_owned" (owner, id, revision, until)
		VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT DO UPDATE SET revision = excluded.revision, until = excluded.until`
	removeOwnedQuery = `DELETE FROM "{t}_owned" WHERE owner = ?1 AND id = ?2 AND revision = ?3`
	sweepOwnedQuery  = `DELETE FROM "{t}_owned" WHERE (owner, id) IN (
		SELECT owner, id FROM "{t}_owned" WHERE until <= ?1 ORDER BY until LIMIT ` + sweepStep + `)`
)

const (
	createMarks = `
CREATE TABLE IF NOT EXISTS "{t}_marks" (
	name TEXT    NOT NULL PRIMARY KEY,
	at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;`

	markQuery      = `SELECT at FROM "{t}_marks" WHERE name = ?1`
	raiseMarkQuery = `INSERT INTO "{t}_marks" (name, at) VALUES (?1, ?2)
		ON CONFLICT DO UPDATE SET at = excluded.at WHERE excluded.at > at`
)
