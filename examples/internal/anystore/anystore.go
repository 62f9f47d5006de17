// Package anystore opens the store that an example program's flag -store names. A program of one's
// own knows its store, and calls that one's Open itself.
package anystore

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/serve"
)

// Memory is the flag's value that means a store in the program's own memory.
const Memory = "memory"

// Usage says what values the flag can have, for package flag.
const Usage = "keep the sessions in this `store`:\n" + possible + "\n"

const possible = `  memory                          this process; sessions end with it
  sqlite:FILE                     a file; programs on one machine can share it
  postgres://USER@HOST/DATABASE   PostgreSQL; makes its tables if they are not there
  redis://HOST:PORT               Redis or Valkey; rediss:// with TLS, unix:// a socket`

// startTime is how long a server may take at the start, for all that there is to do. Other nodes
// that start at the same time may be making the tables.
const startTime = 30 * time.Second

// A server is a store that something has to be there for.
type server interface {
	core.Store
	Ping(ctx context.Context) error
	Close() error
}

// Open opens a store, and returns what closes it, to be called when the Manager is closed. A name
// that means none is a *serve.UsageError. A server must be there, and is asked; if it does not
// answer, the error is one line. No error holds a password.
func Open(ctx context.Context, name string) (store core.Store, closeStore func() error, err error) {
	if name == Memory {
		return core.NewMemoryStore(core.MemoryOptions{}), func() error { return nil }, nil
	}
	s, err := find(name)
	if err != nil {
		return nil, nil, err
	}
	if err := prepare(ctx, s); err != nil {
		_ = s.Close() // What went wrong first is what there is to know.
		return nil, nil, fmt.Errorf("the store at %s cannot be used: %s", place(name), line(err))
	}
	return s, s.Close, nil
}

// find returns the store that a name means. Nothing is connected yet.
func find(name string) (server, error) {
	scheme, rest, ok := strings.Cut(name, ":")
	if !ok || rest == "" {
		return nil, usage("there is no such store")
	}
	var s server
	var err error
	switch scheme {
	case "sqlite":
		s, err = sqlitestore.Open(rest, sqlitestore.Options{})
	case "postgres", "postgresql":
		s, err = postgresstore.Open(name, postgresstore.Options{})
	case "redis", "rediss", "valkey", "valkeys", "unix":
		s, err = redisstore.Open(name, redisstore.Options{})
	default:
		return nil, usage("there is no such store")
	}
	if err != nil {
		return nil, usage(line(err))
	}
	return s, nil
}

func usage(reason string) error {
	return &serve.UsageError{Flag: "store", Reason: reason + "\nThe stores are:\n" + possible}
}

// prepare makes sure that the store can be used.
func prepare(ctx context.Context, s server) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if p, ok := s.(*postgresstore.Store); ok {
		if err := p.Migrate(ctx); err != nil {
			return err
		}
	}
	return s.Ping(ctx)
}

// place says where a store is, without user, password and options.
func place(name string) string {
	scheme, rest, _ := strings.Cut(name, ":")
	if scheme == "sqlite" {
		return rest
	}
	at, err := url.Parse(name)
	if err != nil || strings.Contains(at.Path+at.RawQuery+at.Fragment, "@") {
		return scheme + ":" // What looks like the host may be a part of a password.
	}
	if scheme == "unix" {
		return at.Path
	}
	return scheme + "://" + at.Host
}

// line returns an error's text as one line.
func line(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
