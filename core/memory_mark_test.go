package core_test

import (
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestAMarkIsRaisedAndNeverLowered(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{MaxBytes: -1})
	mark := func(name string) time.Time {
		at, err := store.Mark(t.Context(), name)
		require.NoError(t, err)
		return at
	}
	raise := func(name string, at time.Time) {
		require.NoError(t, store.RaiseMark(t.Context(), name, at), "also where nothing else fits")
	}
	assert.Equal(t, time.Time{}, mark("before"))
	raise("before", epoch)
	assert.Equal(t, epoch, mark("before"))
	raise("before", epoch.Add(-time.Hour))
	raise("before", time.Time{})
	assert.Equal(t, epoch, mark("before"))
	raise("before", epoch.Add(time.Second+time.Microsecond).In(time.FixedZone("here", 3600)))
	assert.Equal(t, epoch.Add(time.Second), mark("before"), "whole milliseconds of UTC")
	assert.Equal(t, time.Time{}, mark("another"))
	raise("another", time.Time{})
	assert.Equal(t, time.Time{}, mark("another"))
	raise("another", time.UnixMilli(-5))
	assert.Equal(t, time.UnixMilli(-5).UTC(), mark("another"), "any time but the zero one")

	_, err := store.DeleteExpired(t.Context(), epoch.Add(1e6*time.Hour))
	require.NoError(t, err)
	assert.Equal(t, epoch.Add(time.Second), mark("before"), "it is kept for ever")
}

func TestOfManyMarksTheLatestStays(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			at := epoch.Add(time.Duration(i*37%64) * time.Millisecond)
			assert.NoError(t, store.RaiseMark(t.Context(), "m", at))
			got, err := store.Mark(t.Context(), "m")
			assert.NoError(t, err)
			assert.False(t, got.Before(at))
		})
	}
	wg.Wait()
	got, err := store.Mark(t.Context(), "m")
	require.NoError(t, err)
	assert.Equal(t, epoch.Add(63*time.Millisecond), got)
}

func TestAMarkKeepsANameOfItsOwn(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	buffer := []byte(strings.Repeat("n", 8))
	name := unsafe.String(&buffer[0], len(buffer))
	require.NoError(t, store.RaiseMark(t.Context(), name, epoch))
	clear(buffer)
	got, err := store.Mark(t.Context(), strings.Repeat("n", 8))
	require.NoError(t, err)
	assert.Equal(t, epoch, got)
}
