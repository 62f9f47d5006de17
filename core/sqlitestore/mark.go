package sqlitestore

import (
	"context"
	"database/sql/driver"
	"io"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Mark implements core.Marker. It does not wait for those who write.
func (s *Store) Mark(ctx context.Context, name string) (at time.Time, err error) {
	if err := s.prepare(ctx); err != nil {
		return time.Time{}, err
	}
	err = s.read(ctx, func(r *reader) error {
		var dest [1]driver.Value
		err := r.mark.first(dest[:], name)
		if err == io.EOF {
			return nil
		}
		at = timeOf(dest[0])
		return err
	})
	return at, err
}

// RaiseMark implements core.Marker. When it returns nil the moment is on the disk.
func (s *Store) RaiseMark(ctx context.Context, name string, at time.Time) error {
	o := newOperation(ctx, raiseMark, core.Record{}, 0)
	o.mark, o.markAt = name, at.UnixMilli()
	return s.write(o)
}
