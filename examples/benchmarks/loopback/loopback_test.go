package loopback_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/loopback"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == loopback.ChildArg {
		if err := loopback.Child(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestEveryServerAnswersOverConnections(t *testing.T) {
	cfg := loopback.Config{Rounds: 1, Slice: 3 * time.Millisecond, Connections: 2}
	result, err := loopback.Measure(t.Context(), cfg, func(string) {})
	require.NoError(t, err)
	for _, c := range request.Contestants() {
		e, ok := result.Entry(c.Framework, c.Name)
		require.Equal(t, c.Concurrent(), ok, c)
		if ok {
			require.Positive(t, e.PerSecond.Median, c)
			require.Positive(t, e.ToBare.Median, c)
		}
	}
}
