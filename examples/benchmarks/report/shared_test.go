package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/report"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
)

// sharedResults have every kind of engine. A load of ours takes so many times what a GET does, and
// SQLite does so many changes.
func sharedResults(load, changes float64) report.Results {
	return report.Results{Shared: &report.Section[shared.Result]{
		Run: report.Run{Modules: map[string]string{
			"github.com/redis/rueidis": "v1", "github.com/alexedwards/scs/v2": "v2",
		}},
		Data: shared.Result{
			Sessions: 5000, SizedAt: 50_000, Frame: map[int]int{2: 96, 20: 1320},
			Missing: []string{shared.Valkey},
			Engines: []shared.Engine{
				{
					Name: shared.Redis, Version: "7.0",
					Contestants: []shared.Described{
						{Name: shared.Ours, What: "redisstore", Guarded: true},
						{Name: shared.ByHand, What: "GET and SETEX"},
					},
					Entries: []shared.Entry{
						{Name: shared.Ours, Operation: shared.Load, Goroutines: 1, P50: of(40_000)},
						{Name: shared.Ours, Operation: shared.Load, Goroutines: 50,
							PerSecond: of(123_456), ServerCPU: of(4000)},
					},
					Ratios: []shared.Ratio{{
						To: shared.ByHand, Operation: shared.Load, Goroutines: 1, Time: of(load),
					}},
				},
				{
					Name: shared.Postgres, Version: "15",
					Hot: []shared.HotTouches{{Name: shared.Ours, Percent: 90}},
				},
				{
					Name: shared.SQLite, Version: "3",
					Entries: []shared.Entry{
						{Name: shared.Ours, Operation: shared.Change, Goroutines: 50,
							PerSecond: of(changes)},
						{Name: shared.Pool, Operation: shared.Change, Goroutines: 50,
							PerSecond: of(500)},
					},
				},
			},
			Sizes: []shared.Size{
				{Engine: shared.Redis, Name: shared.Ours, Values: 2, Bytes: 277.6},
				{Engine: shared.Redis, Name: shared.Ours, Values: 20, Bytes: 1684.4},
			},
		},
	}}
}

func TestThePageShowsTheStoresOnServers(t *testing.T) {
	files, err := sharedResults(1.1, 9000).Render()
	require.NoError(t, err)
	page := files["benchmarks.md"]
	assert.Contains(t, page, "Redis 7.0: ✓ 1.10")
	assert.Contains(t, page, "PostgreSQL 15: ✓ 90")
	assert.Contains(t, page, "SQLite 3: ✓ 9000")
	assert.Contains(t, page, "| load | **ours** | 40 | 0 | 123,000 |")
	assert.Contains(t, page, "Valkey was not on the machine.")
	assert.Contains(t, page, "| Redis | **ours** | 278 | 1684 |")
	assert.Contains(t, page, "\n- github.com/redis/rueidis v1\n")
	assert.NotContains(t, page, "What is not met")
	assert.Contains(t, files["benchmarks-shared.svg"], "Redis 7.0")
}

func TestALimitOfTheStoresOnServersThatIsNotKeptIsTold(t *testing.T) {
	files, err := sharedResults(1.38, 9000).Render()
	require.NoError(t, err)
	assert.Contains(t, files["benchmarks.md"], "a plain GET: Redis 7.0 1.38 (by 20 %)")
}

func TestEachLimitOfTheServersHasAReasonInStock(t *testing.T) {
	for name, bad := range map[string]report.Results{
		"a load by GET": sharedResults(9, 9000), "SQLite": sharedResults(1, 100),
	} {
		unexplained, err := bad.Unexplained()
		require.NoError(t, err)
		assert.Empty(t, unexplained, name)
		files, err := bad.Render()
		require.NoError(t, err)
		assert.Contains(t, files["benchmarks.md"], "What is not met", name)
	}
	r := sharedResults(1, 9000)
	data := &r.Shared.Data
	data.Engines[0].Ratios = []shared.Ratio{
		{To: shared.ByHand, Operation: shared.Load, Goroutines: 1, Time: of(9)},
		{To: shared.ByHand, Operation: shared.Change, Goroutines: 1, Time: of(9)},
		{To: shared.SCS, Operation: shared.Load, Goroutines: 50, Rate: of(0.1)},
	}
	for _, operation := range []shared.Operation{shared.Load, shared.Change} {
		for _, goroutines := range []int{1, 50} {
			data.Engines[1].Ratios = append(data.Engines[1].Ratios, shared.Ratio{
				To: shared.SCS, Operation: operation, Goroutines: goroutines, Rate: of(0.1),
			})
		}
	}
	data.Engines[1].Hot[0].Percent = 10
	unexplained, err := r.Unexplained()
	require.NoError(t, err)
	assert.Empty(t, unexplained)
	files, err := r.Render()
	require.NoError(t, err)
	assert.Contains(t, files["benchmarks.md"],
		"touches that write to no index (HOT), %: at least 85: PostgreSQL")
}

func TestSQLiteMayReachEitherOfTwoLimits(t *testing.T) {
	for changes, met := range map[float64]bool{8000: true, 5000: true, 4999: false} {
		files, err := sharedResults(1, changes).Render()
		require.NoError(t, err)
		if met {
			assert.NotContains(t, files["benchmarks.md"], "What is not met", changes)
		} else {
			assert.Contains(t, files["benchmarks.md"], "one transaction each: SQLite 3 4999",
				changes)
		}
	}
}
