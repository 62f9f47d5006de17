package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
)

var suiteFlags = storesuite.NewFlags()

// modelSeeds are those of the random tests that are core's own.
func modelSeeds() []uint64 { return suiteFlags.Seeds(20) }

// memorySubject lets each race have a MemoryStore of its own.
func memorySubject() storesuite.Subject {
	return storesuite.Subject{
		Flags: suiteFlags, Local: true,
		Open: func(testing.TB) core.Store { return core.NewMemoryStore(core.MemoryOptions{}) },
	}
}

// None is left out: a race that silently is not run any more would not be missed otherwise.
func TestRaces(t *testing.T) {
	require.Equal(t, 19008, storesuite.Races(t, memorySubject()))
}

func TestRacesThroughHandler(t *testing.T) {
	require.Equal(t, 4194, storesuite.RacesThroughHandler(t, memorySubject()))
}

func TestCases(t *testing.T) {
	require.Equal(t, 56, storesuite.Cases(t, memorySubject()))
}

func TestModels(t *testing.T) { storesuite.Models(t, memorySubject()) }

func TestNodes(t *testing.T) { storesuite.Nodes(t, memorySubject()) }
