package storesuite

import "testing"

// Run runs everything, each part in a subtest.
func Run(t *testing.T, s Subject) {
	t.Helper()
	t.Run("Races", func(t *testing.T) { Races(t, s) })
	t.Run("Cases", func(t *testing.T) { Cases(t, s) })
	t.Run("Models", func(t *testing.T) { Models(t, s) })
	t.Run("Nodes", func(t *testing.T) { Nodes(t, s) })
}

// Races runs every race of two requests with one session, or the Subject's share of them, and
// returns how many these were.
func Races(t *testing.T, s Subject) int {
	t.Helper()
	g := s.ground(t, 1)
	return g.races(t, s.sample(1))
}

// RacesThroughHandler runs a part of the races through Manager.Handler, or the Subject's share of
// them, and returns how many these were.
func RacesThroughHandler(t *testing.T, s Subject) int {
	t.Helper()
	g := s.ground(t, 1)
	return g.racesThroughHandler(t, s.sample(1))
}

// Cases runs the stories that have more to them than two requests, or are told one by one, and
// returns how many there are.
func Cases(t *testing.T, s Subject) int {
	t.Helper()
	return s.ground(t, 1).cases(t)
}

// Models runs the random model.
func Models(t *testing.T, s Subject) {
	t.Helper()
	s.ground(t, 1).models(t, max(1, 20/s.share()))
}

// Nodes runs a part of the same with two Managers, each with its own handle on the store: races in
// which the other request comes to the other node, cases, the model, and what fits no bubble: both
// nodes at work as fast as they can.
func Nodes(t *testing.T, s Subject) {
	t.Helper()
	g := s.ground(t, 2)
	const fewer = 10 // of the races: that a store has two handles does not change most of them
	t.Run("Races", func(t *testing.T) { g.races(t, s.sample(fewer)) })
	t.Run("Cases", func(t *testing.T) { g.cases(t) })
	t.Run("Models", func(t *testing.T) { g.models(t, max(1, 6/s.share())) })
	t.Run("AtOnce", func(t *testing.T) { g.atOnce(t) })
}
