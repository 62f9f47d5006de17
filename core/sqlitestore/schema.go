package sqlitestore

import "strings"

const (
	// applicationID marks a file as this store's: "Sess" in the file's header.
	applicationID = 0x53657373
	// layout is the version of the tables that this code reads and writes, the file's user_version.
	// It grows when a program that knows less must not use the file. Tables that such a program
	// merely does not know need no other version: they are made where they are missing, and an
	// older program can go on with the file, also when it is begun anew.
	layout = 1
)

// sweepStep is how many records one step of a sweep looks at, so that other writes wait no longer
// than for that.
const sweepStep = "200"

// A schema is the text of every statement, for the tables of one application.
type schema struct {
	create                      string // tables and indexes that are missing
	load, ping                  string
	insert, update, touch       string
	updateDue, touchDue, exists string
	remove, sweep, advance      string

	epoch, raiseEpoch, sweepEpochs  string
	listOwned, countOwned, addOwned string
	removeOwned, sweepOwned         string
	mark, raiseMark                 string
	tell, endAt, maxEnd, ends       string
}

// newSchema writes the statements.
//
// The column due is where the sweep looks: it is never later than expires, and may be long before
// it. A touch moves expires, and most touches leave due as it is, so that they write one page and
// not three, which the index would cost. The sweep moves due forward where it finds it early: once
// in a session's idle time at most.
func newSchema(table string) schema {
	text := func(query string) string { return strings.ReplaceAll(query, "{t}", table) }
	return schema{
		create: text(`
CREATE TABLE IF NOT EXISTS "{t}" (
	id       TEXT    NOT NULL PRIMARY KEY,
	revision INTEGER NOT NULL,
	owner    TEXT    NOT NULL,
	used     INTEGER NOT NULL,
	expires  INTEGER,
	due      INTEGER,
	data     BLOB    NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS "{t}_due" ON "{t}" (due) WHERE due IS NOT NULL;` +
			createOwners + createMarks + createEnds),

		load: text(`SELECT revision, owner, used, expires, data FROM "{t}" WHERE id = ?1`),
		ping: text(`SELECT count(*) FROM (SELECT 1 FROM "{t}" LIMIT 1)`),

		insert: text(`INSERT INTO "{t}" (id, revision, owner, used, expires, due, data)
			VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT DO NOTHING`),

		update: text(`UPDATE "{t}" SET revision = ?3, owner = ?4, used = ?5, expires = ?6, data = ?7
			WHERE id = ?1 AND revision = ?2 AND (due <= ?6 OR ?6 IS NULL)`),
		updateDue: text(`UPDATE "{t}"
			SET revision = ?3, owner = ?4, used = ?5, expires = ?6, due = ?6, data = ?7
			WHERE id = ?1 AND revision = ?2`),

		touch: text(`UPDATE "{t}" SET revision = ?3, used = ?4, expires = ?5
			WHERE id = ?1 AND revision = ?2 AND (due <= ?5 OR ?5 IS NULL)`),
		touchDue: text(`UPDATE "{t}" SET revision = ?3, used = ?4, expires = ?5, due = ?5
			WHERE id = ?1 AND revision = ?2`),

		exists: text(`SELECT 1 FROM "{t}" WHERE id = ?1`),
		remove: text(`DELETE FROM "{t}" WHERE id = ?1`),

		sweep: text(`DELETE FROM "{t}" WHERE expires <= ?1 AND rowid IN (
			SELECT rowid FROM "{t}" WHERE due <= ?1 ORDER BY due LIMIT ` + sweepStep + `)`),
		advance: text(`UPDATE "{t}" SET due = expires WHERE rowid IN (
			SELECT rowid FROM "{t}" WHERE due <= ?1 ORDER BY due LIMIT ` + sweepStep + `)
			AND (expires > ?1 OR expires IS NULL)`),

		epoch:       text(epochQuery),
		raiseEpoch:  text(raiseEpochQuery),
		sweepEpochs: text(sweepEpochsQuery),
		listOwned:   text(listOwnedQuery),
		countOwned:  text(countOwnedQuery),
		addOwned:    text(addOwnedQuery),
		removeOwned: text(removeOwnedQuery),
		sweepOwned:  text(sweepOwnedQuery),

		mark:      text(markQuery),
		raiseMark: text(raiseMarkQuery),

		tell:   text(tellQuery),
		endAt:  text(endAtQuery),
		maxEnd: text(maxEndQuery),
		ends:   text(endsQuery),
	}
}
