package core

import (
	"context"
	"errors"
)

// A refusedSignIn is the error of one that the application had let through, with what the event
// tells of it.
type refusedSignIn struct {
	owner, reason string
	err           error // ErrSignInStale or ErrOwnerLimit
}

// Error says what err says.
func (e *refusedSignIn) Error() string { return e.err.Error() }

// Unwrap returns ErrSignInStale or ErrOwnerLimit.
func (e *refusedSignIn) Unwrap() error { return e.err }

// refused makes known that a commit has refused a sign-in.
func (m *Manager) refused(ctx context.Context, s *Session, err error) {
	var refused *refusedSignIn
	if !errors.As(err, &refused) {
		return
	}
	s.mu.Lock()
	id := s.id()
	s.mu.Unlock()
	m.emit(ctx, Event{Kind: SignInRefused, ID: id, Owner: refused.owner, Reason: refused.reason})
}
