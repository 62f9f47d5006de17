package faults_test

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

var settings = faults.Flags(flag.CommandLine)

func TestWithoutADurationThereIsOneSeed(t *testing.T) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	s := faults.Flags(set)
	require.NoError(t, set.Parse([]string{"-faults.seed=7"}))
	assert.Equal(t, uint64(7), s.Seed())
	assert.True(t, s.Quick())
	var seeds []uint64
	s.Seeds(func(seed uint64) bool { seeds = append(seeds, seed); return true })
	assert.Equal(t, []uint64{7}, seeds)
}

func TestForADurationSeedsFollowEachOtherUntilOneFails(t *testing.T) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	s := faults.Flags(set)
	require.NoError(t, set.Parse([]string{"-faults.seed=7", "-faults.duration=1h"}))
	assert.False(t, s.Quick())
	var seeds []uint64
	s.Seeds(func(seed uint64) bool { seeds = append(seeds, seed); return seed < 9 })
	assert.Equal(t, []uint64{7, 8, 9}, seeds)
}
