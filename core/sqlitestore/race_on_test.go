//go:build race

package sqlitestore_test

// raced says that the race detector looks on, which makes SQLite, being Go here, ten times slower.
const raced = true
