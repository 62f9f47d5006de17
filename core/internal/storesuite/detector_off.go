//go:build !race

package storesuite

// slower is how many times fewer races are run with the race detector.
const slower = 1
