package child_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/child"
)

// double answers with twice the number, and refuses negative ones.
func double(n int) (int, error) {
	if n < 0 {
		return 0, errors.New("negative")
	}
	return 2 * n, nil
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "double" {
		if err := child.Serve(os.Stdin, os.Stdout, double); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestAChildAnswersUntilItIsClosed(t *testing.T) {
	p, err := child.Start(t.Context(), "double")
	require.NoError(t, err)
	var answer int
	require.NoError(t, p.Call(21, &answer))
	require.Equal(t, 42, answer)
	require.EqualError(t, p.Call(-1, &answer), "negative")
	require.NoError(t, p.Call(4, &answer), "a refusal is not its end")
	require.Equal(t, 8, answer)
	require.NoError(t, p.Close())
}

func TestAChildThatDoesNotUnderstandEnds(t *testing.T) {
	p, err := child.Start(t.Context(), "double")
	require.NoError(t, err)
	var answer int
	require.ErrorContains(t, p.Call("a word", &answer), "hear from a child")
	require.Error(t, p.Close())
}

func TestServeReportsWhatItCannotRead(t *testing.T) {
	var out strings.Builder
	require.Error(t, child.Serve(strings.NewReader("{"), &out, double))
	require.Empty(t, out.String())
}
