package postgresstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
)

var (
	errUnanswered = errors.New("postgresstore: the server did not say what became of a write")
	errNoStandby  = errors.New("postgresstore: the server's synchronous_standby_names is empty")
	errCancelled  = errors.New("postgresstore: the wait for a standby was cancelled")
	errUnwatched  = errors.New("postgresstore: the pool was not prepared by Configure")
)

// An answer is what a write comes back with.
type answer struct {
	verdict   int32
	copied    bool // whether the server waits for standbys, if that was asked for
	cancelled bool // the wait for them was given up
	watched   bool // else cancelled says nothing
}

// write sends a statement that answers with a verdict, and makes an error of that.
func (s *Store) write(ctx context.Context, sql string, args ...any) error {
	var a answer
	err := unlessRolledBack(func() (err error) {
		a, err = s.send(ctx, sql, args)
		return err
	})
	if err != nil {
		return s.failure(ctx, err)
	}
	switch a.verdict {
	case conflict:
		return core.ErrConflict
	case absent:
		return core.ErrNotFound
	case existing:
		return core.ErrExists
	case written:
		return s.confirmed(ctx, a)
	}
	return errUnanswered
}

// confirmed tells whether a write that took effect has all the copies that it should. The wait for
// them ends early if somebody cancels it, pgx among them when the context is over: then the server
// may yet answer as if all were well.
func (s *Store) confirmed(ctx context.Context, a answer) error {
	switch {
	case a.cancelled:
		return fmt.Errorf("%w: %w", core.ErrNotDurable, errCancelled)
	case !a.copied:
		return fmt.Errorf("%w: %w", core.ErrNotDurable, errNoStandby)
	case s.options.Standby && !a.watched:
		return fmt.Errorf("%w: %w", core.ErrNotDurable, errUnwatched)
	case ctx.Err() != nil:
		return fmt.Errorf("postgresstore: done, but perhaps not by the standby: %w", ctx.Err())
	}
	return nil
}

// send sends the statement once.
func (s *Store) send(ctx context.Context, sql string, args []any) (a answer, err error) {
	rows, err := s.db.Query(ctx, sql, args...)
	if err != nil {
		return a, err
	}
	defer rows.Close()
	// A warning about the commit comes after the row at the earliest, and is read by Close.
	var w *watchedConn
	if conn := rows.Conn(); conn != nil {
		w = watched(conn.PgConn())
	}
	before := w.count()
	if rows.Next() {
		err = rows.Scan(&a.verdict, &a.copied, nil)
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	// Others may have the connection by now; a warning of theirs only makes this call careful.
	a.watched, a.cancelled = w != nil, w.count() != before
	return a, err
}
