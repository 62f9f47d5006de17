package storesuite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
)

type wrong string

const (
	right           wrong = ""
	upserts         wrong = "upserts"
	comparesNothing wrong = "compares nothing"
)

var flags = storesuite.NewFlags()

func TestAServerPasses(t *testing.T) {
	s := newServer(right)
	storesuite.Run(t, storesuite.Subject{Flags: flags, Open: open(s), Share: 20})
	require.NotEmpty(t, s.records)
}

func TestAServerThatCannotTouchPasses(t *testing.T) {
	s := newServer(right)
	storesuite.Run(t, storesuite.Subject{Flags: flags, Share: 40,
		Open: func(t testing.TB) core.Store { return bare{distant{s}} }})
}
