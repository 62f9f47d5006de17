package shared

import (
	"context"
	"os"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared/server"
)

// The engines.
const (
	Redis    = "Redis"
	Valkey   = "Valkey"
	Postgres = "PostgreSQL"
	SQLite   = "SQLite"
	Memory   = "memory store" // of which only the size is measured
)

// An engineMaker knows how an engine is started, and who competes on it.
type engineMaker struct {
	name   string
	makers []Maker
	// start starts it, for a measurement of speed or, if sized, of size alone.
	start func(ctx context.Context, sized bool) (engine, error)
}

// An engine is running.
type engine interface {
	version() string
	// place is where one contestant may be: of the same name the same place.
	place(ctx context.Context, name string) (Place, error)
	// bytes is what everything in a place takes.
	bytes(ctx context.Context, at Place) (int64, error)
	// server is the one whose processor time counts; nil if there is none.
	server() *server.Server
	Close() error
}

func engineMakers() []engineMaker {
	return []engineMaker{
		redisEngine(Redis, server.Redis), redisEngine(Valkey, server.Valkey),
		{
			name:   Postgres,
			makers: []Maker{postgresOurs(), postgresByHand(), postgresSCS()},
			start: func(ctx context.Context, sized bool) (engine, error) {
				settings := []string{"fsync=on"}
				if sized {
					settings = []string{"fsync=off"}
				}
				s, err := server.Postgres(ctx, settings...)
				return postgresServer{s}, err
			},
		},
		{
			name:   SQLite,
			makers: []Maker{sqliteOurs(), sqliteOneWriter(), sqlitePool()},
			start: func(context.Context, bool) (engine, error) {
				dir, err := os.MkdirTemp("", "benchmark-")
				return sqliteFiles{dir}, err
			},
		},
	}
}

// Engines are the names of all that can be measured.
func Engines() []string {
	var names []string
	for _, m := range engineMakers() {
		names = append(names, m.name)
	}
	return names
}

func redisEngine(
	name string, start func(context.Context) (*server.Server, error),
) engineMaker {
	return engineMaker{
		name: name, makers: []Maker{redisOurs(), redisByHand(), redisSCS()},
		start: func(ctx context.Context, sized bool) (engine, error) {
			s, err := start(ctx)
			return redisServer{Server: s, alone: sized}, err
		},
	}
}
