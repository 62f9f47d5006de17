package postgresstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/sessionserverstore/sessionserverstore/core"
)

var (
	errUnstable  = errors.New("postgresstore: what is written comes and goes meanwhile")
	errNoStandby = errors.New("postgresstore: the server's synchronous_standby_names is empty")
	errCancelled = errors.New("postgresstore: the wait for a standby was cancelled")
	errReplaced  = errors.New("postgresstore: the server was restarted or replaced meanwhile")
	errUnwatched = errors.New("postgresstore: the pool was not prepared by Configure")
)

// An answer is what a write comes back with.
type answer struct {
	done      bool      // it took effect
	standby   string    // copied, alone, or "" where standbys do not matter
	cancelled bool      // the wait for them was given up
	watched   bool      // else cancelled says nothing
	more      [2]string // what the third and the fourth column say, if there are any
}

// replace sends a write of a record whose Revision is was, until that can be judged. The ID and was
// are the first arguments, and the Revision that it then has is the third.
func (s *Store) replace(
	ctx context.Context, id core.ID, was core.Revision,
	send func(args ...any) (answer, error), revision core.Revision, args ...any,
) error {
	for range attempts {
		a, err := send(append([]any{string(id), int64(was), int64(revision)}, args...)...)
		if err != nil {
			return s.failure(ctx, err)
		}
		if a.done {
			return s.confirm(ctx, a, id, int64(revision))
		}
		if err := s.refusal(ctx, id, was); err != nil {
			return err
		}
		// There was nothing, and now there is.
	}
	return errUnstable
}

// refusal tells why a write was refused. It is nil if there is no reason any more.
func (s *Store) refusal(ctx context.Context, id core.ID, was core.Revision) error {
	var revision string
	err := unlessRolledBack(func() error {
		return s.db.QueryRow(ctx, s.refused, string(id)).Scan(&revision)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return core.ErrNotFound
	case err != nil:
		return s.failure(ctx, err)
	case revision != strconv.FormatInt(int64(was), 10):
		return core.ErrConflict
	}
	return nil
}

// confirmed tells whether a write that took effect has all the copies that it should. The wait for
// them ends early if somebody cancels it, pgx among them when the context is over: then the server
// may yet answer as if all were well.
func (s *Store) confirmed(ctx context.Context, a answer) error {
	switch {
	case a.cancelled:
		return fmt.Errorf("%w: %w", core.ErrNotDurable, errCancelled)
	case a.standby == alone:
		return fmt.Errorf("%w: %w", core.ErrNotDurable, errNoStandby)
	case a.standby == copied && !a.watched:
		return fmt.Errorf("%w: %w", core.ErrNotDurable, errUnwatched)
	case ctx.Err() != nil:
		return fmt.Errorf("postgresstore: done, but perhaps not by a standby: %w", ctx.Err())
	case a.standby == copied:
		return s.stillCopied(ctx)
	}
	return nil
}

// confirm is confirmed for a write that may have left that for later. Then the record is to be of a
// Revision, or gone if that is nil.
func (s *Store) confirm(ctx context.Context, a answer, id core.ID, revision any) error {
	if a.standby == later {
		process := a.more[0]
		var err error
		if a, err = s.writeAndWait(ctx, s.fence, string(id), revision, process); err != nil {
			return s.failure(ctx, err)
		}
		if a.more[0] != "same" {
			return errReplaced
		}
	}
	return s.confirmed(ctx, a)
}

// stillCopied makes sure that the server did not stop waiting while it waited: whoever empties
// synchronous_standby_names because the standby is lost lets all go that wait for it, as if it had
// answered.
func (s *Store) stillCopied(ctx context.Context) error {
	var setting string
	if err := s.db.QueryRow(ctx, s.statements.standby).Scan(&setting); err != nil {
		return s.failure(ctx, err)
	}
	if setting != copied {
		return fmt.Errorf("%w: %w", core.ErrNotDurable, errNoStandby)
	}
	return nil
}

// writeAndWait sends a statement that waits for a standby, where there is one. Those are not to
// take all connections: where the standby does not answer, others go on reading and touching.
func (s *Store) writeAndWait(ctx context.Context, sql string, args ...any) (answer, error) {
	select {
	case s.waiters <- struct{}{}:
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	defer func() { <-s.waiters }()
	return s.write(ctx, sql, args...)
}

// A news is a write that others are to hear of.
type news struct {
	aloud  string // the statement, whose last argument is whether there are others under way
	quiet  string // one that tells nobody
	others bool
}

// tell sends a write that others are to hear of.
func (s *Store) tell(ctx context.Context, n news, args ...any) (answer, error) {
	if s.options.Unwatched {
		return s.writeAndWait(ctx, n.quiet, args...)
	}
	a, err := s.writeAndWait(ctx, n.aloud, append(args, n.others)...)
	if code(err) == queueFull {
		// Somebody on this server listens and does not hear. That must not keep a session alive.
		// Nobody can be told of it, but those who watch know it by the next beat.
		return s.writeAndWait(ctx, n.quiet, args...)
	}
	return a, err
}

// write sends a statement that writes.
func (s *Store) write(ctx context.Context, sql string, args ...any) (a answer, err error) {
	err = unlessRolledBack(func() (err error) {
		a, err = s.writeOnce(ctx, sql, args)
		return err
	})
	return a, err
}

func (s *Store) writeOnce(ctx context.Context, sql string, args []any) (a answer, err error) {
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
		columns := rows.RawValues()
		a.done, a.standby = true, standby(columns[0])
		for i := 2; i < min(len(columns), 4); i++ {
			a.more[i-2] = string(columns[i])
		}
	}
	rows.Close()
	// Others may have the connection by now; a warning of theirs only makes this call careful.
	a.watched, a.cancelled = w != nil, w.count() != before
	return a, rows.Err()
}

func standby(column []byte) string {
	switch string(column) {
	case copied:
		return copied
	case alone:
		return alone
	case later:
		return later
	}
	return ""
}
