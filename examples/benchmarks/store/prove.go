package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	proofSessions = 300
	proofLife     = time.Second

	// proofPatience is how long a store may take to notice an end: clocks of whole seconds that are
	// themselves a second late, and sweeps once a second.
	proofPatience = 6 * time.Second
	proofPause    = 20 * time.Millisecond
)

// Prove shows that a contestant does the work: it keeps every session and gives back the values
// that were put in, refuses keys that it was never given, keeps values through a touch, and ends
// sessions as its Traits say, and no others. The error says what it does not.
func Prove(m Maker) error {
	c, err := m.New(Settings{Sessions: proofSessions, Life: proofLife})
	if err != nil {
		return fmt.Errorf("%s: make: %w", m.Name, err)
	}
	p := proof{maker: m, contestant: c}
	return named(m.Name, errors.Join(p.run(), c.Close()))
}

func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

type proof struct {
	maker      Maker
	contestant Contestant
}

func (p proof) run() error {
	for _, step := range []func() error{p.refuses, p.keeps, p.touches, p.ends} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// refuses looks for what was never put in.
func (p proof) refuses() error {
	for n := range 2 * proofSessions {
		if err := p.absent(n); err != nil {
			return err
		}
	}
	return nil
}

func (p proof) keeps() error {
	far := time.Now().Add(time.Hour)
	for n := range proofSessions {
		if err := p.contestant.Put(n, far); err != nil {
			return fmt.Errorf("put: %w", err)
		}
	}
	if err := p.presentAll(0); err != nil {
		return err
	}
	for n := proofSessions; n < 2*proofSessions; n++ {
		if err := p.absent(n); err != nil {
			return err
		}
	}
	return nil
}

func (p proof) touches() error {
	far := time.Now().Add(2 * time.Hour)
	for n := range proofSessions {
		err := p.contestant.Touch(p.maker.Key(n), far)
		if errors.Is(err, errors.ErrUnsupported) && p.maker.Traits.Ends == EndsNever {
			return nil
		}
		if err != nil {
			return fmt.Errorf("touch: %w", err)
		}
	}
	return p.presentAll(0)
}

// ends lets the first half of the sessions end.
func (p proof) ends() error {
	const half = proofSessions / 2
	switch p.maker.Traits.Ends {
	case EndsNever:
		return nil
	case EndsAlike:
		return p.endedWithin(proofSessions)
	}
	near := time.Now().Add(time.Second)
	for n := range half {
		if err := p.contestant.Touch(p.maker.Key(n), near); err != nil {
			return fmt.Errorf("touch: %w", err)
		}
	}
	if err := p.endedWithin(half); err != nil {
		return err
	}
	if s, ok := p.contestant.(Sweeper); ok {
		if err := s.Sweep(context.Background(), near); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		for n := range half {
			if p.contestant.Get(p.maker.Key(n)) {
				return fmt.Errorf("session %d is there after the sweep", n)
			}
		}
	}
	return p.presentAll(half)
}

// endedWithin waits until the first sessions have ended.
func (p proof) endedWithin(sessions int) error {
	for deadline := time.Now().Add(proofPatience); ; time.Sleep(proofPause) {
		var err error
		for n := 0; n < sessions && err == nil; n++ {
			var ok bool
			if _, ok, err = p.contestant.Values(n); err == nil && ok {
				err = fmt.Errorf("session %d has not ended", n)
			}
		}
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// presentAll looks for the sessions from one on.
func (p proof) presentAll(from int) error {
	for n := from; n < proofSessions; n++ {
		if !p.contestant.Get(p.maker.Key(n)) {
			return fmt.Errorf("session %d is lost", n)
		}
		v, ok, err := p.contestant.Values(n)
		if err != nil {
			return fmt.Errorf("values of session %d: %w", n, err)
		}
		if !ok || v != ValuesOf(n) {
			return fmt.Errorf("session %d has %+v (%t), not %+v", n, v, ok, ValuesOf(n))
		}
	}
	return nil
}

func (p proof) absent(n int) error {
	if p.contestant.Get(p.maker.Key(n)) {
		return fmt.Errorf("session %d is there, which was never put in", n)
	}
	_, ok, err := p.contestant.Values(n)
	if err != nil {
		return fmt.Errorf("values of session %d, which was never put in: %w", n, err)
	}
	if ok {
		return fmt.Errorf("session %d has values, but was never put in", n)
	}
	return nil
}
