package postgresstore

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Open makes a Store with a pool of connections of its own. The URL is that of pgx and libpq, as in
//
//	postgres://user:password@host:5432/database?sslmode=verify-full&pool_max_conns=20
//
// or the same as words, "host=… user=…"; what it leaves out comes from the variables PGHOST and so
// on. pool_max_conns is how many connections there are at most, and so how many calls are under way
// at once: 4, or one for each processor if that is more, unless it is said. With several hosts, the
// one that takes writes is used.
//
// Open does not connect: the first call does, and each call tries again where that fails. Close the
// Store when it is not used any more. The error is one or several joined *core.ConfigError.
func Open(url string, options Options) (*Store, error) {
	config, urlErr := parse("postgresstore.Open's url", url)
	s, err := New(noDB{}, options)
	if err := errors.Join(urlErr, err); err != nil {
		return nil, err
	}
	Configure(config.ConnConfig)
	hurry(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	s.use(pool)
	s.close = pool.Close
	return s, nil
}

const connectTimeout = 5 * time.Second

// hurry sets a limit for connecting if there is none: pgx's two minutes is how long a pool would go
// without a connection that is in vain.
func hurry(config *pgx.ConnConfig) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
}

// noDB stands for the pool until it is there.
type noDB struct{ DB }

// parse keeps what pgx says of a URL to itself: it may hold the password.
func parse(field, url string) (*pgxpool.Config, error) {
	reason := "is empty"
	if url != "" {
		config, err := pgxpool.ParseConfig(url)
		if err == nil {
			return config, nil
		}
		reason = "is not one that pgx understands (it is not shown, since it may hold a password)"
	}
	return nil, &core.ConfigError{Field: field, Reason: reason}
}

// New makes a Store over a database that the program has already, as a rule a *pgxpool.Pool; see
// Configure for what its connections should know. It does not connect. The error is one or several
// joined *core.ConfigError.
//
// Where the database is a pool, what may wait for a standby takes three of four of its connections
// at most, so that loads go on if no standby answers.
func New(db DB, options Options) (*Store, error) {
	names, err := options.names()
	ear, earErr := newEar(options)
	if db == nil {
		earErr = errors.Join(earErr,
			&core.ConfigError{Field: "postgresstore.New's db", Reason: "is nil"})
	}
	if err := errors.Join(err, earErr); err != nil {
		return nil, err
	}
	s := &Store{
		close:      func() {},
		options:    options,
		ear:        ear,
		tables:     names,
		schema:     newSchema(names),
		statements: newStatements(names, options),
	}
	s.use(db)
	return s, nil
}

// use sets the database, and lets three of four connections wait for a standby.
func (s *Store) use(db DB) {
	most := math.MaxInt32
	if pool, ok := db.(interface{ Config() *pgxpool.Config }); ok {
		n := int(pool.Config().MaxConns)
		most = max(1, n-max(1, n/4))
	}
	s.db, s.waiters = db, make(chan struct{}, most)
}

// Close closes the connections that Open has made, waiting for calls that are under way, and
// returns nil. The database of New stays as it is.
func (s *Store) Close() error {
	s.close()
	return nil
}
