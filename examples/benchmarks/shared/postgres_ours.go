package shared

import (
	"context"
	"io"
	"strconv"

	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

func postgresOurs() Maker {
	return Maker{
		Name: Ours, Guarded: true, What: "postgresstore as Open makes it",
		New: func(ctx context.Context, at Place) (Contestant, error) {
			url := string(at) + "&pool_max_conns=" + strconv.Itoa(poolSize)
			s, err := postgresstore.Open(url, postgresstore.Options{})
			if err != nil {
				return nil, err
			}
			return ours{store: s, close: []io.Closer{s}}, s.Migrate(ctx)
		},
	}
}
