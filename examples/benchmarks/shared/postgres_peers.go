package shared

import (
	"context"
	"errors"
	"strconv"

	"github.com/alexedwards/scs/pgxstore"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// poolSize is how many connections each contestant's pool has at most.
const poolSize = 50

// newPool connects to a database, as all contestants do.
func newPool(ctx context.Context, at Place) (*pgxpool.Pool, error) {
	return pgxpool.New(ctx, string(at)+"&pool_max_conns="+strconv.Itoa(poolSize))
}

func postgresByHand() Maker {
	return Maker{
		Name: ByHand,
		What: "INSERT, SELECT, UPDATE and DELETE by a primary key of a table with the same bytes " +
			"and an end that is in no index",
		New: func(ctx context.Context, at Place) (Contestant, error) {
			pool, err := newPool(ctx, at)
			if err != nil {
				return nil, err
			}
			_, err = pool.Exec(ctx, `CREATE TABLE sessions (
				id text PRIMARY KEY, data bytea NOT NULL, expires timestamptz NOT NULL)`)
			return plainPostgres{pool}, err
		},
	}
}

// plainPostgres is what one would do without guards.
type plainPostgres struct{ pool *pgxpool.Pool }

func (p plainPostgres) Create(ctx context.Context, rec core.Record) error {
	_, err := p.pool.Exec(ctx, "INSERT INTO sessions (id, data, expires) VALUES ($1, $2, $3)",
		string(rec.ID), []byte(rec.Data), rec.Expires)
	return err
}

func (p plainPostgres) Load(ctx context.Context, id core.ID) (string, bool, error) {
	var data []byte
	err := p.pool.QueryRow(ctx, "SELECT data FROM sessions WHERE id = $1", string(id)).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	return string(data), err == nil, err
}

func (p plainPostgres) Change(ctx context.Context, rec core.Record, _ core.Revision) error {
	_, err := p.pool.Exec(ctx, "UPDATE sessions SET data = $2, expires = $3 WHERE id = $1",
		string(rec.ID), []byte(rec.Data), rec.Expires)
	return err
}

func (p plainPostgres) Touch(ctx context.Context, rec core.Record, _ core.Revision) error {
	_, err := p.pool.Exec(ctx, "UPDATE sessions SET expires = $2 WHERE id = $1",
		string(rec.ID), rec.Expires)
	return err
}

func (p plainPostgres) Delete(ctx context.Context, id core.ID) error {
	_, err := p.pool.Exec(ctx, "DELETE FROM sessions WHERE id = $1", string(id))
	return err
}

func (p plainPostgres) Close() error {
	p.pool.Close()
	return nil
}

// scsTable is what pgxstore's documentation says to make.
const scsTable = `
CREATE TABLE sessions (
	token TEXT PRIMARY KEY,
	data BYTEA NOT NULL,
	expiry TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_expiry_idx ON sessions (expiry);`

func postgresSCS() Maker {
	return Maker{
		Name: SCS,
		What: "scs' pgxstore of the same bytes, with the table of its documentation",
		New: func(ctx context.Context, at Place) (Contestant, error) {
			pool, err := newPool(ctx, at)
			if err != nil {
				return nil, err
			}
			store := pgxstore.New(pool)
			_, err = pool.Exec(ctx, scsTable)
			return scsStore{store: store, close: func() error {
				store.StopCleanup()
				pool.Close()
				return nil
			}}, err
		},
	}
}
