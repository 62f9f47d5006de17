package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// lookEvery is how often a watch looks for what other processes have ended. A look takes some
	// hundredths of a millisecond.
	lookEvery = 100 * time.Millisecond
	// blindFor is how long the file may be locked until a watch gives up.
	blindFor = 3 * time.Second
)

var (
	errMissed = errors.New("sqlitestore: more ended than is kept for those who watch: watch anew")
	// errNoMore ends the reading of rows.
	errNoMore = errors.New("sqlitestore: no more ends")
)

// A lookout is a connection that reads the ring as it goes on.
type lookout struct {
	*conn
	file *file
	ends *statement
	seen int64 // the number of the last row that was told, or was there before
	dest [3]driver.Value
}

func (f *file) openLookout() (*lookout, error) {
	c, err := f.openReading()
	if err != nil {
		return nil, err
	}
	l := &lookout{conn: c, file: f}
	if l.ends, err = c.prepare(f.sql.ends); err == nil {
		l.seen, err = c.number(f.sql.maxEnd)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return l, nil
}

// follow tells of what comes, until the context or the Store ends or something is wrong.
func (l *lookout) follow(ctx context.Context, closing <-chan struct{}, w core.Watching) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	sound := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-closing:
			return errClosed
		case <-ticker.C:
		}
		err := l.look(w)
		if err == nil {
			sound = time.Now()
		} else if !isBusy(err) || time.Since(sound) > blindFor {
			return err
		}
	}
}

// look tells of the rows that are new. It begins with the one that was seen last, which must still
// be there, and after the ring's last row goes on with its first.
func (l *lookout) look(w core.Watching) error {
	if err := l.file.same(); err != nil {
		return err
	}
	for slot := l.seen % ringLength; ; slot = 0 {
		last := slot - 1
		err := l.ends.each(l.dest[:], func() error {
			last++
			return l.next(w)
		}, slot)
		if err == errNoMore {
			return nil
		}
		if err != nil {
			return err
		}
		if last != ringLength-1 {
			return errMissed // somebody has removed rows
		}
	}
}

// next looks at one row.
func (l *lookout) next(w core.Watching) error {
	seq, _ := l.dest[0].(int64)
	switch seq {
	case l.seen:
		return nil
	case l.seen + 1 - ringLength:
		return errNoMore
	case l.seen + 1:
	default:
		return errMissed
	}
	l.seen = seq
	id, _ := l.dest[1].(string)
	if renewed, _ := l.dest[2].(int64); renewed != 0 {
		w.Renewed(core.ID(id))
	} else {
		w.Ended(core.ID(id))
	}
	return nil
}
