package sqlitestore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// TestTheSweepFollowsExpires takes a record through every way in which Expires can move, since the
// index that the sweep reads does not move with it each time.
func TestTheSweepFollowsExpires(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return record(0).Used.Add(time.Duration(minute) * time.Minute) }
	const never = -1
	for name, c := range map[string]struct {
		expires []int // what Create, and then each write, sets
		swept   int   // the first minute at which a sweep must remove the record
	}{
		"as created":            {[]int{10}, 10},
		"later":                 {[]int{10, 20}, 20},
		"later twice":           {[]int{10, 20, 30}, 30},
		"earlier":               {[]int{20, 10}, 10},
		"later and earlier":     {[]int{10, 30, 20}, 20},
		"much earlier":          {[]int{20, 30, 10}, 10},
		"never":                 {[]int{never}, never},
		"no more":               {[]int{10, never}, never},
		"after all":             {[]int{never, 10}, 10},
		"no more and after all": {[]int{20, never, 10}, 10},
		"and after all later":   {[]int{10, never, 20}, 20},
	} {
		for _, way := range []string{"Update", "Touch"} {
			t.Run(name+" by "+way, func(t *testing.T) {
				store := fresh(t)
				rec := record(0)
				for i, minute := range c.expires {
					was := rec.Revision
					rec.Revision, rec.Expires = core.Revision(i+1), at(minute)
					if minute == never {
						rec.Expires = time.Time{}
					}
					var err error
					switch {
					case i == 0:
						err = store.Create(t.Context(), rec)
					case way == "Update":
						err = store.Update(t.Context(), rec, was)
					default:
						err = store.Touch(t.Context(), rec, was)
					}
					require.NoError(t, err)
				}
				for minute := 5; minute <= 40; minute += 5 {
					n, err := store.DeleteExpired(t.Context(), at(minute))
					require.NoError(t, err)
					require.Equal(t, minute == c.swept, n == 1, "in minute %d", minute)
				}
			})
		}
	}
}

// TestASweepLooksOnceAtWhatLives shows that what was prolonged does not lie in every sweep's way.
func TestASweepLooksOnceAtWhatLives(t *testing.T) {
	store, path := used(t, 500)
	later := record(0).Expires.Add(time.Hour)
	together(500, func(n int) {
		rec := version(n, 2)
		rec.Expires = later
		if err := store.Touch(context.Background(), rec, 1); err != nil {
			t.Error(err)
		}
	})
	stale := func() int64 {
		return newRival(t, path).number("SELECT count(*) FROM sessions WHERE due < expires")
	}
	require.EqualValues(t, 500, stale())
	n, err := store.DeleteExpired(t.Context(), record(0).Expires)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Zero(t, stale())
	before := commits(t, path)
	_, err = store.DeleteExpired(t.Context(), record(0).Expires)
	require.NoError(t, err)
	require.Equal(t, before, commits(t, path), "nothing is left to write")
	n, err = store.DeleteExpired(t.Context(), later)
	require.NoError(t, err)
	require.Equal(t, 500, n)
}

func TestASweepGivesRoomBackToTheDisk(t *testing.T) {
	path := memory(t)
	store := open(t, path)
	together(20, func(g int) {
		for i := range 20 {
			rec := record(20*g + i)
			rec.Data = strings.Repeat("x", 20_000)
			if err := store.Create(context.Background(), rec); err != nil {
				t.Error(err)
			}
		}
	})
	rival := newRival(t, path)
	pages := rival.number("PRAGMA page_count")
	require.Greater(t, pages, int64(2000))
	n, err := store.DeleteExpired(t.Context(), record(0).Expires)
	require.NoError(t, err)
	require.Equal(t, 400, n)
	require.Less(t, rival.number("PRAGMA page_count"), pages)
}

func TestASweepEndsWithItsContext(t *testing.T) {
	store, _ := used(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n, err := store.DeleteExpired(ctx, record(0).Expires)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, n)
	require.Equal(t, []core.Revision{1}, revisions(t, store, 1))
}
