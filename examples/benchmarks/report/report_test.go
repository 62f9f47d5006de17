package report_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/report"
)

const (
	resultsFile = "../results.json"
	docs        = "../../../docs"
	readme      = "../../../README.md"
	again       = "render it again: go run . -only none"
)

func TestThePageAndItsChartsAreRenderedFromTheResults(t *testing.T) {
	results, err := report.Load(resultsFile)
	require.NoError(t, err)
	files, err := results.Render()
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(docs, name))
		require.NoError(t, err, again)
		assert.Equal(t, want, string(got), "%s: %s", name, again)
	}
	there, err := filepath.Glob(filepath.Join(docs, "benchmarks*.svg"))
	require.NoError(t, err)
	for _, path := range there {
		assert.Contains(t, files, filepath.Base(path), "a chart of nothing")
	}
}

func TestTheFiguresInTheReadmeAreRenderedFromTheResults(t *testing.T) {
	results, err := report.Load(resultsFile)
	require.NoError(t, err)
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	require.Contains(t, string(text), "<!-- benchmarks: rendered by examples/benchmarks -->")
	want, err := results.Readme(string(text))
	require.NoError(t, err)
	assert.Equal(t, want, string(text), again)
}

func TestThePageHasAReasonForEachLimitThatIsNotKept(t *testing.T) {
	results, err := report.Load(resultsFile)
	require.NoError(t, err)
	unexplained, err := results.Unexplained()
	require.NoError(t, err)
	require.Empty(t, unexplained, "write why into benchmarks.md.tmpl, under \"reasons\"")
}
