// Package cost holds what a session may add to a request in memory, over the bare framework, in
// each of them: allocations can be counted, and come out the same on every machine. Time cannot;
// for that there is examples/benchmarks, a module of its own.
package cost
