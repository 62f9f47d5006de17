package request

import (
	"math/rand/v2"
	"slices"
)

// Shuffle returns contestants in another order for a round, and leaves the caller's as it is. Those
// of a framework stay together, since it is those that are compared most closely.
func Shuffle[T any](all []T, framework func(T) string) []T {
	place := make(map[string]int)
	for i, at := range rand.Perm(len(all)) {
		place[framework(all[i])] = at
	}
	shuffled := slices.Clone(all)
	rand.Shuffle(len(shuffled), func(i, j int) {
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	})
	slices.SortStableFunc(shuffled, func(a, b T) int {
		return place[framework(a)] - place[framework(b)]
	})
	return shuffled
}
