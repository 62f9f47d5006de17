package shared

import (
	"context"
	"io"

	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

func redisOurs() Maker {
	return Maker{
		Name: Ours, Guarded: true,
		What: "redisstore as Open makes it; an end asks besides whether there is a replica to confirm it",
		New: func(_ context.Context, at Place) (Contestant, error) {
			s, err := redisstore.Open("redis://"+string(at), redisstore.Options{})
			if err != nil {
				return nil, err
			}
			return ours{store: s, close: []io.Closer{s}}, nil
		},
	}
}
