package postgresstore

import (
	"context"
	"time"
)

// Mark implements core.Marker.
func (s *Store) Mark(ctx context.Context, name string) (time.Time, error) {
	var at int64
	found, err := s.lookUp(ctx, s.marks, s.mark, name, &at)
	if err != nil || !found {
		return time.Time{}, err
	}
	return milliseconds(at), nil
}

// RaiseMark implements core.Marker. It is as durable as Delete.
func (s *Store) RaiseMark(ctx context.Context, name string, at time.Time) error {
	a, err := s.writeAndWait(ctx, s.raiseMark, name, at.UnixMilli())
	if err != nil {
		return s.failureAt(ctx, s.marks, err)
	}
	return s.confirmed(ctx, a)
}
