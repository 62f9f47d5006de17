package sqlitestore

import (
	"errors"
)

// A writing is the connection that writes.
type writing struct {
	*conn
	synced bool // how PRAGMA synchronous stands: FULL, or else NORMAL

	beginning, commit, rollback         *statement
	insert, update, touch, remove       *statement
	updateDue, touchDue, sweep, advance *statement
	exists                              *statement

	epoch, raiseEpoch, sweepEpochs                           *statement
	listOwned, countOwned, addOwned, removeOwned, sweepOwned *statement
	raiseMark, tell, endAt, maxEnd                           *statement

	lastEnd int64 // the number of the last end in the ring, as this connection knows; 0: not at all
}

func (f *file) openWriting() (*writing, error) {
	c, err := connect(f.dsn)
	if err != nil {
		return nil, err
	}
	w := &writing{conn: c, synced: true}
	// Checkpoints are made between transactions, when nobody waits for an answer. What a log had to
	// grow to, behind a long reader, it gives back.
	err = c.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; " +
		"PRAGMA journal_size_limit = 67108864")
	for _, p := range []struct {
		to    **statement
		query string
	}{
		{&w.beginning, "BEGIN IMMEDIATE"}, {&w.commit, "COMMIT"}, {&w.rollback, "ROLLBACK"},
		{&w.insert, f.sql.insert}, {&w.update, f.sql.update}, {&w.touch, f.sql.touch},
		{&w.remove, f.sql.remove}, {&w.updateDue, f.sql.updateDue},
		{&w.touchDue, f.sql.touchDue}, {&w.sweep, f.sql.sweep}, {&w.advance, f.sql.advance},
		{&w.exists, f.sql.exists},
		{&w.epoch, f.sql.epoch}, {&w.raiseEpoch, f.sql.raiseEpoch},
		{&w.sweepEpochs, f.sql.sweepEpochs}, {&w.listOwned, f.sql.listOwned},
		{&w.countOwned, f.sql.countOwned}, {&w.addOwned, f.sql.addOwned},
		{&w.removeOwned, f.sql.removeOwned}, {&w.sweepOwned, f.sql.sweepOwned},
		{&w.raiseMark, f.sql.raiseMark}, {&w.tell, f.sql.tell},
		{&w.endAt, f.sql.endAt}, {&w.maxEnd, f.sql.maxEnd},
	} {
		if err == nil {
			*p.to, err = c.prepare(p.query)
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return w, nil
}

// sync sets how the next transaction comes to the disk: synced at COMMIT, or not.
func (c *writing) sync(full bool) error {
	if full == c.synced {
		return nil
	}
	setting := "PRAGMA synchronous = NORMAL"
	if full {
		setting = "PRAGMA synchronous = FULL"
	}
	err := c.exec(setting)
	if err == nil {
		c.synced = full
	}
	return err
}

// beginOnce opens a transaction, or finds the file locked by another process.
func (w *writer) beginOnce(light bool) error {
	if err := w.store.file.same(); err != nil {
		return err
	}
	if w.conn == nil {
		c, err := w.store.file.openWriting()
		if err != nil {
			return err
		}
		w.conn = c
	}
	if w.suspect {
		if err := w.conn.restartLog(); err != nil {
			return err
		}
		w.suspect = false
	}
	err := w.conn.sync(!light)
	if err == nil {
		_, err = w.conn.beginning.run()
	}
	if err != nil && !isBusy(err) {
		w.abandon()
	}
	return err
}

// carryOut answers every operation of a batch, for which a transaction has been begun. If a
// statement fails, nothing of the batch is kept, and each operation gets a transaction of its own,
// so that it is not refused for what is wrong with its neighbour.
func (w *writer) carryOut(batch []*operation) {
	again, err := w.transact(batch)
	if again && isFull(err) {
		w.makeRoom()
	} else if len(batch) == 1 {
		again = false
	}
	if !again {
		for _, o := range batch {
			w.settle(o, err)
		}
		return
	}
	for _, o := range batch {
		w.carryOutAlone(o)
	}
}

func (w *writer) carryOutAlone(o *operation) {
	if o.ctx.Err() != nil {
		o.answer(over(o.ctx))
		return
	}
	again, err := w.transactAlone(o)
	if again && isFull(err) { // those before it may have used up what the log had
		w.makeRoom()
		_, err = w.transactAlone(o)
	}
	w.settle(o, err)
}

func (w *writer) transactAlone(o *operation) (again bool, err error) {
	if err := w.store.patiently(o.ctx, func() error { return w.beginOnce(false) }); err != nil {
		return false, err
	}
	return w.transact([]*operation{o})
}

// settle answers what the operation's statements found, unless they were not committed. Before
// that it tells those who watch: who gets the answer may rely on it that they know.
func (w *writer) settle(o *operation, err error) {
	if err != nil {
		// If it has taken effect nevertheless, the table of ends tells them.
		o.answer(w.store.explain(err))
		return
	}
	if o.found == nil {
		w.store.watches.tell(o.kind, o.rec.ID)
	}
	o.answer(o.found)
}

// transact carries out operations and commits them. After an error, again says that certainly none
// of them has taken effect.
func (w *writer) transact(batch []*operation) (again bool, err error) {
	for _, o := range batch {
		if err := w.conn.apply(o); err != nil {
			w.rollback(err)
			return true, err
		}
		w.work += 2 + len(o.rec.Data)/4096 + int(o.swept+o.moved+o.tidied) + o.owned.pages()
	}
	if _, err = w.conn.commit.run(); err == nil {
		return false, nil
	}
	// A full disk is found while the log is written, before there is a commit in it. Any other
	// error may have come after that.
	again = isFull(err)
	w.suspect = w.suspect || !again
	w.rollback(err)
	return again, err
}

// rollback ends a transaction without effect. Unless all is well with the connection, the next
// transaction gets a new one.
func (w *writer) rollback(cause error) {
	w.conn.lastEnd = 0
	_, err := w.conn.rollback.run()
	if err != nil || cause != nil && !isFull(cause) {
		w.abandon()
	}
}

// abandon closes a connection that gave an error.
func (w *writer) abandon() {
	_ = w.conn.close()
	w.conn = nil
}
