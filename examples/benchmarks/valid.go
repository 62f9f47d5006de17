package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
)

// What may be wrong with a command line.
var (
	errUnknownPart      = errors.New("benchmarks: there is no such part")
	errUnknownScenario  = errors.New("benchmarks: there is no such scenario")
	errUnknownEngine    = errors.New("benchmarks: there is no such engine")
	errUnknownFramework = errors.New("benchmarks: there is no such framework")
	errNegative         = errors.New("benchmarks: rounds and slice are not negative")
	errSessions         = errors.New("benchmarks: sessions are a power of ten, 1e3 to 1e7, or 0")
	errLook             = errors.New("benchmarks: this part has nothing to choose from")
)

// valid demands that everything can be measured as it is wanted, before the first part takes
// minutes and its figures replace good ones.
func (s settings) valid() error {
	if s.rounds < 0 || s.slice < 0 {
		return errNegative
	}
	if s.sessions != 0 && !slices.Contains([]float64{1e3, 1e4, 1e5, 1e6, 1e7}, s.sessions) {
		return fmt.Errorf("%w: %v", errSessions, s.sessions)
	}
	return errors.Join(
		known(list(s.only), append(partNames(), "none"), errUnknownPart),
		known(list(s.scenarios), scenarioNames(), errUnknownScenario),
		known(list(s.frameworks), frameworkNames(), errUnknownFramework),
		known(list(s.engines), shared.Engines(), errUnknownEngine),
		s.validLook(),
	)
}

// validLook demands that each part knows what is chosen.
func (s settings) validLook() error {
	for _, part := range list(s.only) {
		scenarios := part == "requests"
		frameworks := scenarios || part == "loopback"
		if s.scenarios != "" && !scenarios || s.frameworks != "" && !frameworks ||
			s.engines != "" && part != "shared" {
			return fmt.Errorf("%w: %s", errLook, part)
		}
	}
	return nil
}

// known returns an error that wraps unknown if one of wanted is not among names.
func known(wanted, names []string, unknown error) error {
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: %q", unknown, name)
		}
	}
	return nil
}

func scenarioNames() []string {
	var names []string
	for _, s := range request.Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

func frameworkNames() []string {
	var names []string
	for _, c := range request.Contestants() {
		if c.Name == request.Bare {
			names = append(names, c.Framework)
		}
	}
	return names
}
