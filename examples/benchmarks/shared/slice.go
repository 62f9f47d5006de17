package shared

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A slice is what one contestant has done in its turn.
type slice struct {
	perSecond, p50, p99 float64 // operations, nanoseconds
	operations          int
}

// work does one operation on one session after the other, each goroutine on sessions of its own,
// until the time is over, and one at least. Create begins sessions beyond the others, and Delete ends exactly those,
// however long that takes.
func (f *field) work(
	ctx context.Context, operation Operation, goroutines int, length time.Duration,
) (slice, error) {
	times := make([][]time.Duration, goroutines)
	began := time.Now()
	err := share(goroutines, func(g int) error {
		for i := 0; ; i++ {
			n, from := f.pick(operation, g, i, goroutines), time.Now()
			over := i > 0 && operation != Delete && from.Sub(began) >= length
			if n < 0 || over {
				return nil
			}
			if err := f.do(ctx, operation, n); err != nil {
				return fmt.Errorf("%s of session %d: %w", operation, n, err)
			}
			times[g] = append(times[g], time.Since(from))
		}
	})
	took := time.Since(began)
	switch operation {
	case Create:
		f.spare = begun(f.next, times)
		f.next += goroutines * len(slices.MaxFunc(times, func(a, b []time.Duration) int {
			return len(a) - len(b)
		}))
	case Delete:
		f.spare = nil
	}
	return sumOf(slices.Concat(times...), took), err
}

// pick is the session for the operation number i of a goroutine; negative if there is none left.
func (f *field) pick(operation Operation, goroutine, i, goroutines int) int {
	at := goroutine + i*goroutines
	switch operation {
	case Create:
		return f.next + at
	case Delete:
		if at < len(f.spare) {
			return f.spare[at]
		}
		return -1
	}
	own := (len(f.sessions) - goroutine + goroutines - 1) / goroutines
	return goroutine + goroutines*rand.IntN(own)
}

// begun are the numbers, from first on, of the sessions that goroutines have begun.
func begun(first int, times [][]time.Duration) []int {
	var all []int
	for g := range times {
		for i := range times[g] {
			all = append(all, first+g+i*len(times))
		}
	}
	return all
}

// sumOf sums up the operations of a slice.
func sumOf(times []time.Duration, took time.Duration) slice {
	slices.Sort(times)
	s := slice{operations: len(times), perSecond: float64(len(times)) / took.Seconds()}
	if len(times) != 0 {
		s.p50 = float64(times[len(times)/2])
		s.p99 = float64(times[len(times)*99/100])
	}
	return s
}
