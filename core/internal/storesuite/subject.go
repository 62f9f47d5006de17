package storesuite

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Subject is a store under test.
type Subject struct {
	// Open opens the store, and closes it with t.Cleanup. Each call within one test opens another
	// handle on the same data, as another node would. Nobody else may use the data meanwhile, but
	// it need not be empty. A Sweeper is not asked to sweep.
	Open func(t testing.TB) core.Store

	// Local says that the store lives in this process alone, does no I/O, starts no goroutine and
	// costs nothing to make: Open then makes a new, empty one each time, each race gets its own,
	// and two nodes share it. Where it is false the tests open one for each node and keep to it.
	Local bool

	// Share is how many races there are for each one that is run: 0 and 1 mean that all are run.
	// Which ones are taken follows from the seed, and is the same each time. Unless the store is
	// Local, with -short it is ten times as many, and with the race detector five times.
	Share int

	// Flags are the program's; nil means that none was given.
	Flags *Flags
}

// Flags are what the command line of go test says of these tests. A test makes them with NewFlags.
type Flags struct {
	seed uint64
	all  bool
}

// NewFlags adds the flags -seed and -allraces to the command line. It is to be called once in a
// test program, for a package variable of the test.
func NewFlags() *Flags {
	f := &Flags{}
	flag.Uint64Var(&f.seed, "seed", 0,
		"of the random tests, and of what is left out; 0: the usual ones and a new one")
	flag.BoolVar(&f.all, "allraces", false, "run every race, however long that takes")
	return f
}

// Seeds are those of n usual runs of a random test, and a new one; or the one that the command line
// asks for.
func (f *Flags) Seeds(n int) []uint64 {
	if f != nil && f.seed != 0 {
		return []uint64{f.seed}
	}
	seeds := []uint64{rand.Uint64()}
	for seed := range uint64(n) {
		seeds = append(seeds, seed+1)
	}
	return seeds
}

// all reports whether nothing is to be left out.
func (s Subject) all() bool { return s.Flags != nil && s.Flags.all }

// share is the Share that counts.
func (s Subject) share() int {
	if s.all() {
		return 1
	}
	share := max(s.Share, 1)
	if s.Local {
		return share
	}
	if testing.Short() {
		share *= 10
	}
	return share * slower
}

// A sample says which of many races are run.
type sample struct {
	rng   *rand.Rand
	share int
}

// sample is the Subject's share of the races, or where fewer will do one in so many of that.
func (s Subject) sample(fewer int) *sample {
	if s.all() {
		fewer = 1
	}
	seed := uint64(1)
	if s.Flags != nil && s.Flags.seed != 0 {
		seed = s.Flags.seed
	}
	return &sample{rng: rand.New(rand.NewPCG(seed, 0)), share: s.share() * fewer}
}

// takes reports whether the next race is run.
func (s *sample) takes() bool { return s.share == 1 || s.rng.IntN(s.share) == 0 }

// lanes is how many tests run at once.
func (s Subject) lanes() int {
	if s.Local {
		return runtime.GOMAXPROCS(0)
	}
	return 8 // they mostly wait for answers
}
