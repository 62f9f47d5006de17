package store

import (
	"sync/atomic"
	"time"
)

// leastReads is from how many reads on a reader of a window may stop: one in a thousand of them is
// then a hundred.
const leastReads = 100_000

// A reader does one operation after the other, in a goroutine of its own, and notes how long each
// took, from the end of the one before: whatever stops it in between counts.
type reader struct {
	stop      atomic.Bool
	done      chan struct{}
	began     time.Time
	read      time.Duration
	missed    int
	least     int
	histogram *histogram
}

// startReader reads the keys again and again until it is told to stop, and least times in any
// case. A nil get reads nothing: what it then measures is the machine. A histogram is made
// beforehand so that the reader's own memory is never counted for the contestant's.
func startReader(h *histogram, keys []string, least int, get func(key string) bool) *reader {
	*h = histogram{}
	r := &reader{done: make(chan struct{}), histogram: h, least: least}
	if get == nil {
		get = func(string) bool { return true }
	}
	reading := make(chan struct{})
	r.began = time.Now()
	go r.run(keys, get, reading)
	<-reading
	return r
}

// run closes reading when it is about to begin, and reads at least once.
func (r *reader) run(keys []string, get func(string) bool, reading chan<- struct{}) {
	defer close(r.done)
	close(reading)
	began := time.Now()
	for i, last := 0, time.Duration(0); ; i++ {
		if !get(keys[i%len(keys)]) {
			r.missed++
		}
		now := time.Since(began)
		r.histogram.add(now - last)
		last = now
		if r.stop.Load() && i+1 >= r.least {
			r.read = now
			return
		}
	}
}

// finish stops the reader. It returns what it noted, for how long it read, and how often a session
// was not there.
func (r *reader) finish() (l Latency, read time.Duration, missed int) {
	r.stop.Store(true)
	<-r.done
	return r.histogram.latency(), r.read, r.missed
}
