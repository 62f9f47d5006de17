//go:build race

package storesuite

// slower is how many times fewer races are run with the race detector, which makes each of them
// slower, on a store that waits for a network or a disk.
const slower = 5
