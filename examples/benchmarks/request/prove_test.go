package request_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
)

func TestEveryContestantDoesTheWork(t *testing.T) {
	for _, c := range request.Contestants() {
		t.Run(c.String(), func(t *testing.T) {
			if c.Name == request.Bare {
				require.NoError(t, c.Prove())
				return
			}
			for _, p := range request.Proofs() {
				t.Run(p.Sentence, func(t *testing.T) { require.NoError(t, p.Check(c)) })
			}
		})
	}
}
