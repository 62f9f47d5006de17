package shared

import (
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// An Operation is what is done to a session.
type Operation string

// The operations. A touch gives new times, without new values.
const (
	Load   Operation = "load"
	Change Operation = "change"
	Touch  Operation = "touch"
	Create Operation = "create"
	Delete Operation = "delete"
)

// A Result is what Measure has found.
type Result struct {
	Rounds   int           `json:"rounds"`
	Slice    time.Duration `json:"slice_ns"`
	Sessions int           `json:"sessions"` // in each store, while its speed is measured
	Pool     int           `json:"pool"`     // connections of each contestant to PostgreSQL
	Engines  []Engine      `json:"engines"`
	// Missing are the engines that were not on the machine.
	Missing []string `json:"missing,omitempty"`
	Sizes   []Size   `json:"sizes"`
	// SizedAt is how many sessions there were when their size was measured.
	SizedAt int `json:"sized_at"`
	// Frame is how many bytes core gives a store to keep, by the number of values.
	Frame map[int]int `json:"frame_bytes"`
}

// An Engine is a server, or what stands for one, and its contestants.
type Engine struct {
	Name        string       `json:"name"`
	Version     string       `json:"version"`
	Contestants []Described  `json:"contestants"`
	Entries     []Entry      `json:"entries"`
	Ratios      []Ratio      `json:"ratios"`
	Hot         []HotTouches `json:"hot,omitempty"`
}

// Described is a contestant in words.
type Described struct {
	Name    string `json:"name"`
	What    string `json:"what"`
	Guarded bool   `json:"guarded"`
}

// An Entry is one operation of one contestant with a number of goroutines.
type Entry struct {
	Name       string        `json:"name"`
	Operation  Operation     `json:"operation"`
	Goroutines int           `json:"goroutines"`
	PerSecond  sample.Spread `json:"per_second"`
	P50        sample.Spread `json:"p50_ns"`
	P99        sample.Spread `json:"p99_ns"`
	ServerCPU  sample.Spread `json:"server_cpu_ns"` // of an operation; 0: there is no server
}

// A Ratio is ours to another contestant in the same operation, taken within a round.
type Ratio struct {
	To         string        `json:"to"`
	Operation  Operation     `json:"operation"`
	Goroutines int           `json:"goroutines"`
	Time       sample.Spread `json:"time"` // of the median times of an operation
	Rate       sample.Spread `json:"rate"` // of the operations per second
}

// HotTouches is how many of a contestant's touches PostgreSQL made without writing to an index.
type HotTouches struct {
	Name    string  `json:"name"`
	Touches int     `json:"touches"`
	Percent float64 `json:"percent"`
}

// A Size is what one session takes in a store.
type Size struct {
	Engine string  `json:"engine"`
	Name   string  `json:"name"`
	Values int     `json:"values"`
	Bytes  float64 `json:"bytes"` // per session
}

// Engine returns an engine by name; ok is false if it was not measured.
func (r Result) Engine(name string) (e Engine, ok bool) {
	for _, e := range r.Engines {
		if e.Name == name {
			return e, true
		}
	}
	return Engine{}, false
}

// Entry returns one contestant's figures; ok is false if there are none.
func (e Engine) Entry(name string, operation Operation, goroutines int) (Entry, bool) {
	for _, entry := range e.Entries {
		if entry.Name == name && entry.Operation == operation && entry.Goroutines == goroutines {
			return entry, true
		}
	}
	return Entry{}, false
}

// Ratio returns ours to another contestant; ok is false if it was not measured.
func (e Engine) Ratio(to string, operation Operation, goroutines int) (Ratio, bool) {
	for _, r := range e.Ratios {
		if r.To == to && r.Operation == operation && r.Goroutines == goroutines {
			return r, true
		}
	}
	return Ratio{}, false
}

// Size returns what one session of ours takes; ok is false if it was not measured.
func (r Result) Size(engine, name string, values int) (bytes float64, ok bool) {
	for _, s := range r.Sizes {
		if s.Engine == engine && s.Name == name && s.Values == values {
			return s.Bytes, true
		}
	}
	return 0, false
}
