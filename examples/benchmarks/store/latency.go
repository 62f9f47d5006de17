package store

import (
	"cmp"
	"math/bits"
	"slices"
	"time"
)

// Latency sums up how long single operations of one reader took.
type Latency struct {
	Samples int           `json:"samples"`
	P50     time.Duration `json:"p50_ns"`
	P999    time.Duration `json:"p999_ns"`
	Worst   time.Duration `json:"worst_ns"`
	// Stalled is the time spent in operations of more than a millisecond. The reader asks again
	// only when it has its answer, so a long stop is one sample among many, which the quantiles
	// forgive; this is what they forgive.
	Stalled time.Duration `json:"stalled_ns"`
}

// stall is from when on an operation counts as stalled.
const stall = time.Millisecond

// subBuckets is in how many parts each power of two is cut: quantiles are exact to three percent.
const (
	subBits    = 5
	subBuckets = 1 << subBits
)

// A histogram counts durations. Its size is fixed, so that measuring allocates nothing.
type histogram struct {
	counts  [64 * subBuckets]uint32
	samples int
	worst   time.Duration
	stalled time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(uint64(d))]++
	h.samples++
	h.worst = max(h.worst, d)
	if d > stall {
		h.stalled += d
	}
}

// bucketOf keeps the five bits behind the leading one.
func bucketOf(ns uint64) int {
	if ns < subBuckets {
		return int(ns)
	}
	shift := bits.Len64(ns) - subBits - 1
	return (shift+1)*subBuckets + int(ns>>shift) - subBuckets
}

// topOf is the greatest duration of a bucket.
func topOf(bucket int) time.Duration {
	if bucket < subBuckets {
		return time.Duration(bucket)
	}
	shift := bucket/subBuckets - 1
	return time.Duration((uint64(bucket%subBuckets+subBuckets)+1)<<shift - 1)
}

// quantile is the duration which the share q of all samples does not exceed.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := int(q*float64(h.samples)), 0
	for bucket, count := range h.counts {
		if seen += int(count); seen > rank {
			return min(topOf(bucket), h.worst)
		}
	}
	return h.worst
}

func (h *histogram) latency() Latency {
	return Latency{
		Samples: h.samples, P50: h.quantile(0.5), P999: h.quantile(0.999),
		Worst: h.worst, Stalled: h.stalled,
	}
}

// medianOf is, figure by figure, the median of some latencies (the lower one of two), with the sum
// of their samples. It is zero if there are none.
func medianOf(list []Latency) Latency {
	if len(list) == 0 {
		return Latency{}
	}
	var samples int
	for _, l := range list {
		samples += l.Samples
	}
	return Latency{
		Samples: samples,
		P50:     middle(list, func(l Latency) time.Duration { return l.P50 }),
		P999:    middle(list, func(l Latency) time.Duration { return l.P999 }),
		Worst:   middle(list, func(l Latency) time.Duration { return l.Worst }),
		Stalled: middle(list, func(l Latency) time.Duration { return l.Stalled }),
	}
}

func middle(list []Latency, figure func(Latency) time.Duration) time.Duration {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b Latency) int {
		return cmp.Compare(figure(a), figure(b))
	})
	return figure(sorted[(len(sorted)-1)/2])
}
