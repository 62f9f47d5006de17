package faults

import (
	"flag"
	"time"
)

// Settings are what a test run was told on its command line.
type Settings struct {
	seed     *uint64
	duration *time.Duration
}

// Flags defines the flags -faults.seed and -faults.duration. A test package calls it once, for a
// variable of the package:
//
//	var settings = faults.Flags(flag.CommandLine)
func Flags(set *flag.FlagSet) Settings {
	return Settings{
		seed: set.Uint64("faults.seed", 1, "what the load of the fault tests does"),
		duration: set.Duration("faults.duration", 0,
			"how long the fault tests go on with other seeds; 0 for the quick set alone"),
	}
}

// Seed is the seed of the quick set.
func (s Settings) Seed() uint64 { return *s.seed }

// Quick reports whether nothing was said of a duration.
func (s Settings) Quick() bool { return *s.duration == 0 }

// Seeds calls do with one seed after another, beginning with the one of the command line, for as
// long as the command line says: once if it says nothing. do returns false to stop.
func (s Settings) Seeds(do func(seed uint64) bool) {
	end := time.Now().Add(*s.duration)
	for seed := *s.seed; ; seed++ {
		if !do(seed) || !time.Now().Before(end) {
			return
		}
	}
}
