package core

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// signInFor is how long a sign-in may take from BeginSignIn on.
	signInFor moment = 60 * 60_000
	// epochFor is how long a raised epoch is kept: longer than any sign-in that began before it,
	// by whatever clock.
	epochFor = 2 * time.Hour
)

// A SignIn is a sign-in that is under way: Manager.BeginSignIn makes it before the password's hash,
// or whatever else is checked, is read, and Session.SetOwner takes it when that has gone well. If
// everything of the owner was revoked in between, perhaps because the password is known to others
// and was just changed, the sign-in fails. It is good for an hour.
//
// A SignIn holds no secret and can be kept as a session's value, by its text form, while a second
// factor is asked for. Do not keep it at the client, who could change it. The zero SignIn is none:
// SetOwner refuses it.
type SignIn struct {
	owner string
	epoch Epoch
	began moment
}

// A SignInOption is something that Session.SetOwner is told beside the owner: a SignIn, or Keep.
type SignInOption interface {
	signIn(*signingIn)
}

// signingIn is what is known of a sign-in that is not committed yet.
type signingIn struct {
	SignIn
	given bool   // SetOwner got a SignIn
	at    moment // when SetOwner was called
	keep  *keep  // only these values stay; nil: all
}

func (in SignIn) signIn(s *signingIn) { s.SignIn, s.given = in, true }

// keep are names of values.
type keep []string

func (k keep) signIn(s *signingIn) {
	if s.keep != nil {
		k = append(slices.Clone(*s.keep), k...)
	}
	s.keep = &k
}

// Keep has a sign-in keep only those values of the visitor who was nobody yet that have one of the
// names; all others are deleted. Without it all values stay. It means nothing where somebody is
// signed in already. What the handler sets after SetOwner stays in any case.
func Keep(names ...string) SignInOption { return keep(slices.Clone(names)) }

// Owner is who is signing in.
func (in SignIn) Owner() string { return in.owner }

// stale says why a sign-in cannot go on: all sessions that began before the floor are over, too much
// time has passed, or none could have.
func (in *SignIn) stale(at, floor moment) error {
	switch {
	case in.began < floor:
		return &refusedSignIn{in.owner, "revoked", ErrSignInStale}
	// Within a minute of RevokeBefore it is dated a minute ahead.
	case at-in.began >= signInFor, in.began-at > 2*clockTolerance:
		return &refusedSignIn{in.owner, "expired", ErrSignInStale}
	}
	return nil
}

// MarshalText returns a text of printable ASCII that UnmarshalText reads, unless it is the zero
// SignIn's. It never fails.
func (in SignIn) MarshalText() ([]byte, error) {
	b := make([]byte, 0, 16+len(in.owner))
	b = binary.BigEndian.AppendUint64(b, uint64(in.epoch))
	b = binary.BigEndian.AppendUint64(b, uint64(in.began))
	b = append(b, in.owner...)
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText reads what MarshalText wrote. A text that is none is an error.
func (in *SignIn) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	if err != nil || len(b) < 16 || bytes.ContainsAny(text, "\r\n") { // which base64 passes over
		return errors.New("session: the text is no SignIn")
	}
	owner := string(b[16:])
	if err := checkOwner(owner); err != nil {
		return err
	}
	in.epoch = Epoch(binary.BigEndian.Uint64(b))
	in.began = moment(binary.BigEndian.Uint64(b[8:]))
	in.owner = owner
	return nil
}

// BeginSignIn begins a sign-in, before it is checked whether it may go well, and before what it is
// checked with is read: the hash of a password that was read earlier may be the old one. It asks
// the store which epoch the owner is in. The error is an *OwnerError or a *StoreError. Where the
// store keeps no index of owners, the SignIn says only when it began.
//
//	signIn, err := manager.BeginSignIn(ctx, "user:42")
//	...                                   // read the hash, check the password
//	session.SetOwner("user:42", signIn)
func (m *Manager) BeginSignIn(ctx context.Context, owner string) (SignIn, error) {
	if err := checkOwner(owner); err != nil {
		return SignIn{}, err
	}
	owner = strings.Clone(owner) // it may be a view of a framework's buffer
	limit := newDeadline(ctx, time.Now().Add(m.loadTimeout))
	defer limit.stop()
	if !m.notBefore.fresh() { // or it would be dated before a moment that is over
		if err := m.learn(limit); err != nil {
			return SignIn{}, m.ownerFailure(ctx, owner, err)
		}
	}
	began := m.notBefore.born()
	epoch, err := m.epoch(limit, owner)
	if err != nil {
		return SignIn{}, m.ownerFailure(ctx, owner, err)
	}
	return SignIn{owner: owner, epoch: epoch, began: began}, nil
}

// checkOwner says what no store could keep.
func checkOwner(owner string) error {
	switch {
	case owner == "":
		return &OwnerError{Reason: "is empty"}
	case len(owner) > 255 || !utf8.ValidString(owner) || strings.ContainsRune(owner, 0):
		return &OwnerError{Reason: "is not UTF-8 of at most 255 bytes without NUL"}
	}
	return nil
}
