package sqlitestore

import (
	"database/sql/driver"
	"errors"
)

// checkpointAfter is after how many written pages of 4096 bytes, roughly, the log is brought into
// the file: so long does it grow.
const checkpointAfter = 2000

// readersLeave is how many milliseconds a checkpoint waits at most for those who read the log. A
// Load takes hundredths of one.
const readersLeave = "50"

var errLogInUse = errors.New("sqlitestore: the log cannot be begun anew while it is read")

// checkpoint brings the log into the file from time to time, after the answers were given. A reader
// that goes on for long (a shell, a backup) keeps the log growing as long as it does.
func (w *writer) checkpoint() {
	if w.work < w.checkpointAfter || w.conn == nil {
		return
	}
	w.work = 0
	if err := w.conn.restartLog(); err != nil && !errors.Is(err, errLogInUse) {
		w.suspect = true
		w.abandon() // the next write will say what is wrong
	}
}

// restartLog brings all of the log into the file, and makes the next transaction begin it anew. For
// that nobody may read the log at that moment, and under load somebody always does: so it waits
// for those who do, while those who come read the file alone.
func (c *writing) restartLog() error {
	if err := c.exec("PRAGMA busy_timeout = " + readersLeave); err != nil {
		return err
	}
	var dest [3]driver.Value
	err := c.row("PRAGMA wal_checkpoint(RESTART)", dest[:])
	if inTheWay, _ := dest[0].(int64); err == nil && inTheWay != 0 {
		err = errLogInUse
	}
	return errors.Join(err, c.exec("PRAGMA busy_timeout = 0"))
}

// makeRoom is tried when the disk is full: a log that is begun anew needs no more of it, so that
// at least what ends a session, or notes a use, can be written.
func (w *writer) makeRoom() {
	if w.conn == nil { // SQLite may have rolled back by itself, and then it was given up
		c, err := w.store.file.openWriting()
		if err != nil {
			return
		}
		w.conn = c
	}
	_ = w.conn.restartLog()
}
