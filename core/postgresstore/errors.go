package postgresstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The codes of PostgreSQL's errors that mean something to a Store.
const (
	undefinedTable       = "42P01"
	undefinedColumn      = "42703"
	undefinedStatement   = "26000"
	duplicateStatement   = "42P05"
	diskFull             = "53100"
	serializationFailure = "40001"
	deadlock             = "40P01"
	queueFull            = "54000" // too many notifications that somebody has not taken
)

// failure is what a call on the table of records answers when PostgreSQL, or the way to it, failed.
func (s *Store) failure(ctx context.Context, err error) error {
	return s.failureAt(ctx, s.table, err)
}

// failureAt is failure for a table. Neither pgx nor PostgreSQL put a password into their errors;
// what pgx says of a URL never gets here.
func (s *Store) failureAt(ctx context.Context, table string, err error) error {
	if over := ctx.Err(); over != nil && !errors.Is(err, over) {
		return fmt.Errorf("postgresstore: %w: %w", over, err)
	}
	switch code(err) {
	case undefinedTable:
		return fmt.Errorf("postgresstore: there is no table %s: call Migrate, or run what Schema "+
			"prints: %w", table, err)
	case undefinedColumn:
		return fmt.Errorf("postgresstore: the table %s is not one of this store: %w", table, err)
	case undefinedStatement, duplicateStatement:
		return fmt.Errorf("postgresstore: a pooler of transactions seems to be in between: add "+
			"default_query_exec_mode=cache_describe to the URL: %w", err)
	case diskFull:
		return fmt.Errorf("postgresstore: %w: %w", core.ErrStoreFull, err)
	}
	return fmt.Errorf("postgresstore: %w", err)
}

// code returns the code of an error of PostgreSQL, else "".
func code(err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}

// attempts is how often a statement is tried that the server rolls back because of others.
const attempts = 10

// unlessRolledBack sends a statement, and does so again if it was not carried out because of others
// that wrote at the same time. With the isolation "read committed", which is PostgreSQL's default,
// that does not happen; but a server, a database or a role may be set to a stricter one.
func unlessRolledBack(send func() error) error {
	for n := 1; ; n++ {
		err := send()
		if err == nil || n == attempts {
			return err
		}
		if c := code(err); c != serializationFailure && c != deadlock {
			return err
		}
	}
}
