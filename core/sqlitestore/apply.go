package sqlitestore

import (
	"database/sql/driver"
	"io"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// fewPages, of 4096 bytes, are not worth giving back.
	fewPages = 1000
	// shrinkStep is how many pages are given back at once.
	shrinkStep = "100"
	// ownedSlack is for how many milliseconds entries and epochs are kept beyond their time.
	ownedSlack = 5 * 60_000
)

// apply runs an operation's statements, and notes what they found. An error is neither a verdict
// nor the operation's fault.
func (c *writing) apply(o *operation) error {
	o.found, o.swept, o.moved, o.tidied = nil, 0, 0, 0
	switch o.kind {
	case create:
		return c.create(o)
	case update:
		return c.replace(o, c.update, c.updateDue, o.values(true))
	case touch:
		return c.replace(o, c.touch, c.touchDue, o.values(false))
	case renew:
		return c.renew(o)
	case remove:
		return c.delete(o)
	case addOwned:
		return c.add(o)
	case removeOwned:
		return c.removeEach(o.owned)
	case raiseEpoch:
		return c.raise(o.owned)
	case raiseMark:
		_, err := c.raiseMark.run(o.mark, o.markAt)
		return err
	}
	return c.sweepOnce(o)
}

func (c *writing) create(o *operation) error {
	rec := &o.rec
	n, err := c.insert.run(string(rec.ID), int64(rec.Revision), rec.Owner,
		rec.Used.UnixMilli(), valueOf(rec.Expires), []byte(rec.Data))
	if err == nil && n == 0 {
		o.found = core.ErrExists
	}
	return err
}

// values are the parameters of update and of touch.
func (o *operation) values(all bool) []driver.Value {
	rec := &o.rec
	values := make([]driver.Value, 0, 7)
	values = append(values, string(rec.ID), int64(o.was), int64(rec.Revision))
	if all {
		values = append(values, rec.Owner)
	}
	values = append(values, rec.Used.UnixMilli(), valueOf(rec.Expires))
	if all {
		values = append(values, []byte(rec.Data))
	}
	return values
}

// replace changes the record whose Revision is o.was: by the statement that leaves due as it is if
// that may be, and if not by the one that sets it.
func (c *writing) replace(o *operation, plain, due *statement, values []driver.Value) error {
	n, err := plain.run(values...)
	if err != nil || n > 0 {
		return err
	}
	n, err = due.run(values...)
	if err != nil || n > 0 {
		return err
	}
	var dest [1]driver.Value
	err = c.exists.first(dest[:], string(o.rec.ID))
	switch err {
	case nil:
		o.found = core.ErrConflict
	case io.EOF:
		o.found, err = core.ErrNotFound, nil
	}
	return err
}

// sweepOnce takes one step of a sweep: it looks at the records that are first due, removes those
// that have expired, and moves due where it is too early.
func (c *writing) sweepOnce(o *operation) (err error) {
	if err := c.tidy(o); err != nil {
		return err
	}
	if o.swept, err = c.sweep.run(o.now); err != nil {
		return err
	}
	if o.moved, err = c.advance.run(o.now); err != nil || o.swept == 0 {
		return err
	}
	return c.shrink()
}

// tidy removes what need not be kept any longer beside the records. Clocks differ, and so do a
// record's end and the moment at which its Manager is done with it: entries and epochs stay a
// while longer than they were asked to.
func (c *writing) tidy(o *operation) error {
	for _, step := range []*statement{c.sweepOwned, c.sweepEpochs} {
		n, err := step.run(o.now - ownedSlack)
		if err != nil {
			return err
		}
		o.tidied += n
	}
	return nil
}

// shrink gives room back to the disk, a little at each step of a sweep, if more than half of the
// file is free. What is free beyond that new sessions will use.
func (c *writing) shrink() error {
	free, err := c.number("PRAGMA freelist_count")
	if err != nil || free < fewPages {
		return err
	}
	all, err := c.number("PRAGMA page_count")
	if err != nil || 2*free < all {
		return err
	}
	return c.drain("PRAGMA incremental_vacuum(" + shrinkStep + ")")
}

// valueOf is NULL for the zero time, which is never.
func valueOf(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}
