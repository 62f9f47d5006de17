package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/growth"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/loopback"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/report"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

func of(v float64) sample.Spread { return sample.Spread{Low: v, Median: v, High: v} }

func TestABoundIsMetAtItsLimit(t *testing.T) {
	for _, at := range []struct {
		name  string
		bound report.Bound
		met   bool
		miss  float64
	}{
		{"at most, below", report.Bound{Limit: 2, Value: of(1)}, true, 0},
		{"at most, at it", report.Bound{Limit: 2, Value: of(2)}, true, 0},
		{"at most, above", report.Bound{Limit: 2, Value: of(3)}, false, 50},
		{"at least, above", report.Bound{Limit: 2, Value: of(3), Least: true}, true, 0},
		{"at least, below", report.Bound{Limit: 2, Value: of(1), Least: true}, false, 50},
	} {
		t.Run(at.name, func(t *testing.T) {
			assert.Equal(t, at.met, at.bound.Met())
			assert.InDelta(t, at.miss, at.bound.Miss(), 1e-9)
		})
	}
}

// results has everything once. Ours costs ratio times the guarded floor.
func results(ratio float64) report.Results {
	read := request.ScenarioResult{
		Name: "read", Title: "read 2 values",
		Entries: []request.Entry{
			{Framework: request.Chi, Name: request.Bare},
			{Framework: request.Chi, Name: request.Guarded, Added: of(1000)},
			{Framework: request.Chi, Name: request.Ours, Added: of(1000 * ratio), Allocs: 4},
			{Framework: request.Chi, Name: request.SCS, Added: of(50000), Note: "a note"},
		},
		Ratios: []request.Ratio{{
			Framework: request.Chi, Of: request.Ours, To: request.Guarded, Spread: of(ratio),
		}},
	}
	return report.Results{
		Requests: &report.Section[request.Result]{
			Data: request.Result{Scenarios: []request.ScenarioResult{read}},
		},
		Loopback: &report.Section[loopback.Result]{Data: loopback.Result{Entries: []loopback.Entry{
			{Framework: request.Chi, Name: request.Ours, PerSecond: of(1e5), ToBare: of(0.95)},
		}}},
		Store: &report.Section[[]store.Result]{Data: []store.Result{
			{Store: "ours", Sessions: 1_000_000, BytesPerSession: 150, Expiry: &store.Expiry{}},
			{Store: "quasoft", Sessions: 1_000_000, BytesPerSession: 600},
		}},
		Growth: &report.Section[growth.Result]{Data: growth.Result{BySessions: []growth.Series{{
			Contestant: "ours", Operation: growth.Read,
			Points: []growth.Point{{X: 1_000_000,
				Spread: sample.Spread{Low: 90, Median: 100, High: 110}}},
		}}}},
	}
}

func TestThePageSaysWhatIsMetAndWhatIsNot(t *testing.T) {
	good, err := results(1.25).Render()
	require.NoError(t, err)
	assert.Contains(t, good["benchmarks.md"], "✓ 1.25")
	assert.NotContains(t, good["benchmarks.md"], "What is not met")
	assert.Contains(t, good["benchmarks.md"], "<sup>1</sup> chi, scs: a note.")

	bad, err := results(1.8).Render()
	require.NoError(t, err)
	assert.Contains(t, bad["benchmarks.md"], "**✗ 1.80**, by 20 %")
	assert.Contains(t, bad["benchmarks.md"], "## What is not met")
	assert.Contains(t, bad["benchmarks.md"], "guarded floor: chi 1.80 (by 20 %)")
}

func TestThePageShowsWhatNeverExpires(t *testing.T) {
	files, err := results(1).Render()
	require.NoError(t, err)
	assert.Contains(t, files["benchmarks.md"], "never expires")
	assert.Contains(t, files["benchmarks-store.svg"], "never expires")
}

func TestLargeNumbersAreGrouped(t *testing.T) {
	files, err := results(1).Render()
	require.NoError(t, err)
	assert.Contains(t, files["benchmarks.md"], "| 1,000,000 |")
	assert.Contains(t, files["benchmarks.md"], "1,000,000 sessions of the same small payload")
}

func TestWhatWasNotMeasuredHasNoChart(t *testing.T) {
	files, err := report.Results{}.Render()
	require.NoError(t, err)
	assert.Len(t, files, 1)
	assert.Contains(t, files["benchmarks.md"], "Not measured yet.")
}

func TestResultsAreReadAsTheyWereSaved(t *testing.T) {
	file := t.TempDir() + "/results.json"
	none, err := report.Load(file)
	require.NoError(t, err)
	require.Equal(t, report.Results{}, none)
	require.NoError(t, results(1.5).Save(file))
	loaded, err := report.Load(file)
	require.NoError(t, err)
	require.Equal(t, results(1.5), loaded)
}

func TestOnlyMarkedLinesOfTheReadmeChange(t *testing.T) {
	const (
		begin = "<!-- benchmarks: rendered by examples/benchmarks -->\n"
		end   = "<!-- benchmarks: end -->\n"
	)
	text, err := results(1).Readme("before\n" + begin + "old\n" + end + "after\n")
	require.NoError(t, err)
	assert.Regexp(t, "(?s)^before\n"+begin+".*adds 1 to 1 µs.*"+end+"after\n$", text)
	assert.NotContains(t, text, "old")

	unmarked, err := results(1).Readme("no marks\n")
	require.NoError(t, err)
	assert.Equal(t, "no marks\n", unmarked)

	_, err = results(1).Readme("before\n" + begin + "old\n")
	require.Error(t, err)
}

func TestALimitThatIsNotKeptNeedsAReason(t *testing.T) {
	unexplained, err := results(1.25).Unexplained()
	require.NoError(t, err)
	require.Empty(t, unexplained)
	large := results(1.25)
	large.Store.Data[0].BytesPerSession = 1e6
	unexplained, err = large.Unexplained()
	require.NoError(t, err)
	require.Len(t, unexplained, 1)
}

func TestALimitThatDiffersByFrameworkIsInTheCell(t *testing.T) {
	files, err := results(1.25).Render()
	require.NoError(t, err)
	assert.Contains(t, files["benchmarks.md"], "✓ 4 of 4")
}

func TestLimitsOfTheStoreAreForAMillionSessions(t *testing.T) {
	const limit = "heap, bytes per session: at most 200"
	r := results(1)
	files, err := r.Render()
	require.NoError(t, err)
	assert.Contains(t, files["benchmarks.md"], limit)
	assert.Contains(t, files["benchmarks-store.svg"], "at 1,000,000 sessions")

	r.Store.Data[0].Sessions = 200_000
	files, err = r.Render()
	require.NoError(t, err)
	assert.NotContains(t, files["benchmarks.md"], limit)
	assert.Contains(t, files["benchmarks.md"], "![Memory stores at 200,000 sessions]")
	assert.Contains(t, files["benchmarks-store.svg"], "at 200,000 sessions")
}

func TestThePageShowsTheMachinesOwnWorstAndWhatWasLost(t *testing.T) {
	r := results(1)
	r.Store.Data[0].Machine.Worst = 7 * time.Millisecond
	r.Store.Data[0].Expiry.Missed = 12345
	files, err := r.Render()
	require.NoError(t, err)
	assert.Contains(t, files["benchmarks.md"], "| 0 | 7 | 0 | 0 | **12,345** |")
}

func TestThePageNamesTheCommitIfItIsKnown(t *testing.T) {
	r := results(1)
	r.Requests.Run = report.Run{Commit: "0123456789ab", CPU: "a processor"}
	files, err := r.Render()
	require.NoError(t, err)
	assert.Contains(t, files["benchmarks.md"], "in examples/benchmarks of 0123456789ab: a processor,")
	assert.Contains(t, files["benchmarks.md"], "in examples/benchmarks: GOMAXPROCS", "without both")
}
