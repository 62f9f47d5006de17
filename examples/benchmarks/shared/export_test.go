package shared

import "context"

// What tests look at.
var (
	ErrRefused = errRefused
	ErrLost    = errLost
)

// Try does operations, one after the other, on the one session of a contestant.
func Try(ctx context.Context, m Maker, operations ...Operation) error {
	frames, err := newFrames(2)
	if err != nil {
		return err
	}
	c, err := m.New(ctx, "")
	if err != nil {
		return err
	}
	f := field{Contestant: c, frames: frames}
	if err := f.fill(ctx, 1, 1); err != nil {
		return err
	}
	for _, operation := range operations {
		if err := f.do(ctx, operation, 0); err != nil {
			return err
		}
	}
	return c.Close()
}
