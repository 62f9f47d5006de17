// Package parity holds the four adapters, and core's own middleware for net/http, against each
// other: every behaviour of its table is checked in each framework, over a real connection, with
// the same handlers. Nobody imports it, so that what it needs of all frameworks burdens no user.
//
// A behaviour is a sentence and a function that checks it against one framework. What a framework
// cannot do is skipped with its reason; the list of skips is part of the test, so that none comes
// or goes unnoticed. Nothing waits for time to pass: a check waits for the event itself.
package parity
