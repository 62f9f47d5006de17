package sqlitestore

import (
	"database/sql/driver"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// renew is update, and a row for those who watch in other processes.
func (c *writing) renew(o *operation) error {
	err := c.replace(o, c.update, c.updateDue, o.values(true))
	if err == nil && o.found == nil {
		err = c.tellOthers(o.rec.ID, 1)
	}
	return err
}

// delete writes such a row, too, unless there is nothing to delete: then somebody has done so when
// there was. So an end of what is not there, which anybody can ask for with a token that was made
// up, writes nothing.
func (c *writing) delete(o *operation) error {
	n, err := c.remove.run(string(o.rec.ID))
	if err == nil && n > 0 {
		err = c.tellOthers(o.rec.ID, 0)
	}
	return err
}

// tellOthers writes the next row of the ring.
func (c *writing) tellOthers(id core.ID, renewed int64) error {
	last, err := c.findLastEnd()
	if err != nil {
		return err
	}
	next := last + 1
	_, err = c.tell.run(next%ringLength, next, string(id), renewed)
	c.lastEnd = next
	return err
}

// farBehind is after how many rows of others it is better to look through the whole ring.
const farBehind = 50

// findLastEnd begins where this connection has left the ring. Other processes may have gone on from
// there.
func (c *writing) findLastEnd() (int64, error) {
	var dest [1]driver.Value
	if c.lastEnd != 0 {
		if err := c.endAt.first(dest[:], c.lastEnd%ringLength); err != nil {
			return 0, err
		}
		if seq, _ := dest[0].(int64); seq != c.lastEnd {
			c.lastEnd = 0 // they have gone all the way round, or an older state was put back
		}
	}
	for range farBehind {
		if c.lastEnd == 0 {
			break
		}
		if err := c.endAt.first(dest[:], (c.lastEnd+1)%ringLength); err != nil {
			return 0, err
		}
		switch seq, _ := dest[0].(int64); seq {
		case c.lastEnd + 1 - ringLength:
			return c.lastEnd, nil
		case c.lastEnd + 1:
			c.lastEnd++
		default: // they have gone all the way round
			c.lastEnd = 0
		}
	}
	err := c.maxEnd.first(dest[:])
	last, _ := dest[0].(int64)
	return last, err
}
