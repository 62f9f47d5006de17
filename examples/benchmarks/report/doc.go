// Package report keeps what was measured and tells of it: results.json is all there is, and the
// page docs/benchmarks.md, its charts and the marked lines of README.md are rendered from that and
// a template of prose. A test compares them, so that no figure is written by hand.
package report
