package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

const markSpace = "mark:"

func (s *Store) markKey(name string) string { return s.options.Prefix + markSpace + name }

// Mark implements core.Marker. It is tried again as a Load is.
func (s *Store) Mark(ctx context.Context, name string) (time.Time, error) {
	value, err := s.text(ctx, reading{key: s.markKey(name)})
	switch {
	case rueidis.IsRedisNil(err):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, s.failed(ctx, err)
	}
	ms, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: a mark", errNoRecord)
	}
	return moment(ms), nil
}

// RaiseMark implements core.Marker. It takes effect also if the server's maxmemory is reached.
func (s *Store) RaiseMark(ctx context.Context, name string, at time.Time) error {
	s.watch.prepare(ctx)
	w := write{
		script: s.scripts.mark, key: s.markKey(name),
		args: []string{strconv.FormatInt(millis(at), 10)},
	}
	a, err := s.write(ctx, &w, true)
	if tookEffect(err) {
		s.remember(func() { s.journal.marked(w) })
	}
	if err != nil {
		return err
	}
	return verdict(a.outcome)
}
