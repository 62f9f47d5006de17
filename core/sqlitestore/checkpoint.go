package sqlitestore

import (
	"database/sql/driver"
	"errors"
)

const (
	// checkpointAfter is after how many written pages, roughly, the log is brought into the file.
	checkpointAfter = 4000
	// longLog is how many pages a log may hold before the writer waits for readers, so that it can
	// be begun anew.
	longLog = 16000
)

var errLogInUse = errors.New("sqlitestore: the log cannot be begun anew while it is read")

// checkpoint brings the log into the file from time to time, after the answers were given.
//
// It does so without waiting for readers. That normally is enough: where all of the log is in the
// file, and nobody reads the log at that instant, the next transaction begins it anew. If somebody
// always does, the log grows, and then the writer waits a little for that instant. A reader that
// goes on for long (a shell, a backup) keeps the log growing as long as it does.
func (w *writer) checkpoint() {
	if w.work < checkpointAfter || w.conn == nil {
		return
	}
	w.work = 0
	pages, _, err := w.conn.checkpoint("PASSIVE")
	if err == nil && pages > longLog {
		err = w.conn.restartLog()
	}
	if err != nil && !errors.Is(err, errLogInUse) {
		w.abandon() // the next write will say what is wrong
	}
}

// checkpoint returns how many pages are in the log, and whether somebody was in the way.
func (c *writing) checkpoint(mode string) (pages int64, busy bool, err error) {
	var dest [3]driver.Value
	if err := c.row("PRAGMA wal_checkpoint("+mode+")", dest[:]); err != nil {
		return 0, false, err
	}
	in, _ := dest[0].(int64)
	pages, _ = dest[1].(int64)
	return pages, in != 0, nil
}

// restartLog brings all of the log into the file, and makes the next transaction begin it anew. It
// waits a moment for those who read it.
func (c *writing) restartLog() error {
	if err := c.exec("PRAGMA busy_timeout = 50"); err != nil {
		return err
	}
	_, busy, err := c.checkpoint("RESTART")
	if err == nil && busy {
		err = errLogInUse
	}
	return errors.Join(err, c.exec("PRAGMA busy_timeout = 0"))
}

// makeRoom is tried when the disk is full: a log that is begun anew needs no more of it, so that
// at least what ends a session, or notes a use, can be written.
func (w *writer) makeRoom() {
	if w.conn != nil {
		_ = w.conn.restartLog()
	}
}
