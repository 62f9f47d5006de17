package shared

import (
	"context"
	"io"
	"path/filepath"

	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

func sqliteOurs() Maker {
	return Maker{
		Name: Ours, Guarded: true, What: "sqlitestore as Open makes it",
		New: func(_ context.Context, at Place) (Contestant, error) {
			s, err := sqlitestore.Open(
				filepath.Join(string(at), "sessions.sqlite"), sqlitestore.Options{})
			if err != nil {
				return nil, err
			}
			return ours{store: s, close: []io.Closer{s}}, nil
		},
	}
}
