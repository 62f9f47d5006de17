package sqlitestore

// The statements of the table that tells other processes what was ended or renewed: {t} stands for
// Options.Table.
//
// It is a ring: the row for the end of number seq is seq modulo its length, and took the place of
// an older one. All rows are there from the beginning, and none changes its size (numbers of 2^40
// and above take six bytes, and an ID is 32 characters), so that an end needs no room that a full
// disk might not have. Numbers have no gaps: who has read up to one, and finds neither the next nor
// what was there before it, has missed some.
//
// A trigger would write the rows by itself, but makes each DELETE, also the sweep's, some three
// times as slow, since SQLite then keeps a journal of every single statement.
const (
	// ringLength is how many ends are kept: more than can be written between two looks.
	ringLength = 4096 // as in createEnds
)

const (
	createEnds = `
CREATE TABLE IF NOT EXISTS "{t}_ends" (
	slot    INTEGER NOT NULL PRIMARY KEY,
	seq     INTEGER NOT NULL,
	id      TEXT    NOT NULL,
	renewed INTEGER NOT NULL
) STRICT;
INSERT INTO "{t}_ends"
	WITH RECURSIVE ring (slot) AS (SELECT 0 UNION ALL SELECT slot + 1 FROM ring LIMIT 4096)
	SELECT slot, slot + (1 << 40), printf('%32s', ''), 0 FROM ring
	WHERE NOT EXISTS (SELECT 1 FROM "{t}_ends");`

	tellQuery   = `UPDATE "{t}_ends" SET seq = ?2, id = ?3, renewed = ?4 WHERE slot = ?1`
	endAtQuery  = `SELECT seq FROM "{t}_ends" WHERE slot = ?1`
	maxEndQuery = `SELECT max(seq) FROM "{t}_ends"`
	endsQuery   = `SELECT seq, id, renewed FROM "{t}_ends" WHERE slot >= ?1 ORDER BY slot`
)
