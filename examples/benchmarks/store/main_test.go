package store_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

// The test binary is its own child, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == store.ChildArg {
		if err := store.Child(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
