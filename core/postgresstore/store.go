package postgresstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A DB is what a Store needs of a database: a *pgxpool.Pool is one. Each call must be a transaction
// by itself, so a pgx.Tx will not do, and be safe for concurrent use, so a *pgx.Conn will not
// either.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// A Store keeps records in a table of a PostgreSQL database. Make one with Open or New. It is safe
// for concurrent use, and any number of Stores, in any number of processes, may share a table.
//
// A call returns when its context is over, whatever the server does; without a deadline it waits as
// long as the server lets it.
type Store struct {
	db      DB
	close   func()
	options Options
	schema  string
	waiters chan struct{} // as many as may wait for a standby at once
	telling atomic.Int64  // how many ends and renewals are under way
	ear     ear
	tables
	statements
}

var (
	_ core.Store      = (*Store)(nil)
	_ core.Sweeper    = (*Store)(nil)
	_ core.Toucher    = (*Store)(nil)
	_ core.Renewer    = (*Store)(nil)
	_ core.OwnerIndex = (*Store)(nil)
	_ core.Watcher    = (*Store)(nil)
	_ core.Marker     = (*Store)(nil)
)

// Format writes a fixed text, whatever the verb: what a store holds is not for a log.
func (s *Store) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "[PostgreSQL session store]")
}

// Durability is core.Replicated with Options.Standby, else core.Durable. Either needs a server with
// fsync and full_page_writes on, as PostgreSQL has them by default.
func (s *Store) Durability() core.Durability {
	if s.options.Standby {
		return core.Replicated
	}
	return core.Durable
}

// Ping asks the server whether the table is there, and may be read.
func (s *Store) Ping(ctx context.Context) error {
	rows, err := s.db.Query(ctx, s.ping)
	if err == nil {
		rows.Close()
		err = rows.Err()
	}
	if err != nil {
		return s.failure(ctx, err)
	}
	return nil
}

// Create implements core.Store. It answers core.ErrStoreFull if the server's disk is full.
func (s *Store) Create(ctx context.Context, rec core.Record) error {
	a, err := s.writeAndWait(ctx, s.create, string(rec.ID), int64(rec.Revision), rec.Owner,
		rec.Used.UnixMilli(), end(rec), []byte(rec.Data))
	switch {
	case err != nil:
		return s.failure(ctx, err)
	case !a.done:
		return core.ErrExists
	}
	return s.confirmed(ctx, a)
}

// Update implements core.Store. It answers core.ErrStoreFull if the server's disk is full.
func (s *Store) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	send := func(args ...any) (answer, error) { return s.writeAndWait(ctx, s.update, args...) }
	return s.replace(ctx, rec.ID, was, send, rec.Revision, rec.Owner, rec.Used.UnixMilli(), end(rec),
		[]byte(rec.Data))
}

// Renew implements core.Renewer: it is an Update that is on stable storage whatever the server's
// synchronous_commit says, and that needs a standby with Options.Standby.
func (s *Store) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	n := news{aloud: s.renewAndTell, quiet: s.renew, others: s.telling.Add(1) > 1}
	defer s.telling.Add(-1)
	send := func(args ...any) (answer, error) { return s.tell(ctx, n, args...) }
	return s.replace(ctx, rec.ID, was, send, rec.Revision, rec.Owner, rec.Used.UnixMilli(), end(rec),
		[]byte(rec.Data))
}

// Delete implements core.Store. Once it has answered no error the end is on stable storage whatever
// the server's synchronous_commit says, and on the standbys with Options.Standby. That it was
// called before does not matter: it confirms an end anew, though the record be gone.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	n := news{aloud: s.deleteAndTell, quiet: s.delete, others: s.telling.Add(1) > 1}
	defer s.telling.Add(-1)
	for range attempts {
		a, err := s.tell(ctx, n, string(id))
		if err != nil {
			return s.failure(ctx, err)
		}
		if !a.done {
			a = answer{standby: later, more: [2]string{nobody}}
		}
		if err := s.confirm(ctx, a, id, nil); !errors.Is(err, errReplaced) {
			return err
		}
		// It is there again, or still.
	}
	return errUnstable
}

// nobody is a process that no server has.
const nobody = "0 0"

// Touch implements core.Toucher. It does not wait for the disk: a crash may undo the touches of the
// last second.
func (s *Store) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	send := func(args ...any) (answer, error) { return s.write(ctx, s.touch, args...) }
	return s.replace(ctx, rec.ID, was, send, rec.Revision, rec.Used.UnixMilli(), end(rec))
}

// end is a record's Expires as it is kept: nil, which is NULL, means never.
func end(rec core.Record) any {
	if rec.Expires.IsZero() {
		return nil
	}
	return rec.Expires.UnixMilli()
}
