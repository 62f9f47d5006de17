// Package rules holds the house rules of this module as tests: who may import whom, what library
// code never does, and what lies in the repository. Nothing imports it.
//
// A rule is a pure function from what was read (go list's answer, a parsed file, a file's text) to
// the list of its violations. It runs twice: on this module, where the list must be empty, and on
// small inputs made to break it, where the violation must be found.
package rules
