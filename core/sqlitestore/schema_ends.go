package sqlitestore

// nowByFile is the machine's time in milliseconds since 1970, in terms that every version of SQLite
// knows.
const nowByFile = `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`

// The statements of the table that tells other processes what ended or was renewed: {t} stands for
// Options.Table, {now} for nowByFile.
//
// A trigger writes the ends, in the transaction of the end itself. So those are told of that an
// older version of this package brings about while it still runs beside, and those of a DELETE by
// hand. It is silent where a record expired more than a minute ago: no Manager took it for alive,
// and the sweep, which removes no others, would double its work.
//
// The last row is never removed. As the next one gets the number after the greatest there is, the
// numbers have no gaps: who has read up to one, and finds neither it nor the next, has missed some.
const (
	createEnds = `
CREATE TABLE IF NOT EXISTS "{t}_ends" (
	seq     INTEGER NOT NULL PRIMARY KEY,
	id      TEXT    NOT NULL,
	renewed INTEGER NOT NULL,
	at      INTEGER NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS "{t}_ended" AFTER DELETE ON "{t}"
WHEN OLD.expires IS NULL OR OLD.expires > {now} - 60000
BEGIN
	INSERT INTO "{t}_ends" (id, renewed, at) VALUES (OLD.id, 0, {now});
END;`

	renewedQuery  = `INSERT INTO "{t}_ends" (id, renewed, at) VALUES (?1, 1, {now})`
	lastEndQuery  = `SELECT coalesce(max(seq), 0) FROM "{t}_ends"`
	endsFromQuery = `SELECT seq, id, renewed FROM "{t}_ends" WHERE seq >= ?1 ORDER BY seq`
	// What is a minute old goes, and what is from a time when the clock was ahead.
	sweepEndsQuery = `DELETE FROM "{t}_ends" WHERE seq IN (
		SELECT seq FROM "{t}_ends" ORDER BY seq LIMIT ` + sweepStep + `)
		AND abs(at - {now}) > 60000 AND seq < (SELECT max(seq) FROM "{t}_ends")`
)
