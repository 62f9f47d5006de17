package storesuite

import (
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A raceReply is what becomes of the first calls of one verb, and of the answers to them.
type raceReply string

const (
	raceArrives      raceReply = "arrives"
	raceLost         raceReply = "is lost"       // done, but the answer is lost
	raceLostTwice    raceReply = "is lost twice" // so it goes the second time, too
	raceRefused      raceReply = "is refused"    // not done
	raceRefusedTwice raceReply = "is refused twice"
	raceUnconfirmed  raceReply = "is unconfirmed" // done, but not by as many copies as asked for
)

// at is the reply to the call of that number, counted from 0.
func (r raceReply) at(number int) raceReply {
	switch {
	case number == 0 && r == raceLostTwice, number == 1 && r == raceLostTwice:
		return raceLost
	case number == 0 && r == raceRefusedTwice, number == 1 && r == raceRefusedTwice:
		return raceRefused
	case number == 0:
		return r
	}
	return raceArrives
}

// answer does what the reply to the call of that number wants, and answers so.
func (r raceReply) answer(number int, do func() error) error {
	switch r.at(number) {
	case raceLost:
		_ = do()
		return errRaceStore
	case raceRefused:
		return errRaceStore
	case raceUnconfirmed:
		if err := do(); err != nil {
			return err
		}
		return fmt.Errorf("one copy of three: %w", core.ErrNotDurable)
	}
	return do()
}
