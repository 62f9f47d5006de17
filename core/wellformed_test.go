package core

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Eight characters are looked at in one go, so each is tried in each place, beside each neighbour.
func TestEveryCharacterIsJudgedWhereverItStands(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for place := range 8 {
		for c := range 256 {
			for next := range 256 {
				text := []byte(strings.Repeat("aZ09-_mM", IDLength/8))
				text[8+place], text[8+place+1] = byte(c), byte(next)
				want := strings.IndexByte(alphabet, byte(c)) >= 0 &&
					strings.IndexByte(alphabet, byte(next)) >= 0
				if wellFormed(string(text), IDLength) != want {
					require.Failf(t, "misjudged", "%q", text)
				}
			}
		}
	}
	require.False(t, wellFormed(strings.Repeat("a", IDLength-1), IDLength))
	require.False(t, wellFormed(strings.Repeat("a", IDLength+1), IDLength))
	require.False(t, wellFormed("", IDLength))
}
