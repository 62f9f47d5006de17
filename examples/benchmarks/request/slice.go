package request

import (
	"fmt"
	"net/http"
	"runtime"
	"syscall"
	"time"
)

// A cost is what one request needed, on average over a slice.
type cost struct {
	cpu    float64 // nanoseconds, of the whole process, so that the collector's work counts
	wall   float64 // nanoseconds
	allocs float64
	bytes  float64
}

func (c cost) minus(other cost) cost {
	return cost{
		cpu:    c.cpu - other.cpu,
		wall:   c.wall - other.wall,
		allocs: c.allocs - other.allocs,
		bytes:  c.bytes - other.bytes,
	}
}

// repeat has the request answered n times.
func repeat(x Exchange, n int) error {
	for range n {
		if status := x.Do(); status != http.StatusOK {
			return fmt.Errorf("answered %d, %q", status, x.Body())
		}
	}
	return nil
}

// slice measures n requests. It begins with a collection, so that nobody pays for the garbage of
// whoever came before.
func slice(x Exchange, n, warm int) (cost, error) {
	runtime.GC()
	if err := repeat(x, warm); err != nil {
		return cost{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, cpu := time.Now(), cpuTime()
	err := repeat(x, n)
	cpu, wall := cpuTime()-cpu, time.Since(start)
	runtime.ReadMemStats(&after)
	ops := float64(n)
	return cost{
		cpu:    float64(cpu.Nanoseconds()) / ops,
		wall:   float64(wall.Nanoseconds()) / ops,
		allocs: float64(after.Mallocs-before.Mallocs) / ops,
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / ops,
	}, err
}

// cpuTime is what the process has used so far, in the program and in the kernel for it.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it cannot fail with these arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
