package site

import (
	"context"
	"fmt"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Devices is what the page of an owner's sessions shows.
type Devices struct {
	Session Session
	Flash   string
	Devices []Device
	Others  bool // there are more than this one
}

// A Device is one session of an owner's.
type Device struct {
	ID    core.ID
	Label string
	Used  time.Time // about when
	Since time.Time // of the sign-in
	This  bool      // it is the visitor's own
}

// NewDevices returns the list of a visitor's sessions. For who has not signed in it reports false,
// and leaves a message for the home page. An error is for core.Status.
func NewDevices(ctx context.Context, m *core.Manager, s *core.Session) (Devices, bool, error) {
	if !signedIn(s) {
		return Devices{}, false, nil
	}
	list, err := m.Sessions(ctx, s.Owner())
	if err != nil {
		return Devices{}, false, err
	}
	page := Devices{Session: describe(s), Others: len(list) > 1}
	page.Flash, _ = flash.Take(s)
	for _, one := range list {
		page.Devices = append(page.Devices, Device{
			ID: one.ID, Label: one.Label, Used: one.Used, Since: one.Authenticated,
			This: one.ID == s.ID(),
		})
	}
	return page, true, nil
}

// SignOutDevice ends one of the visitor's sessions. That it is theirs need not be checked: what
// belongs to somebody else, or to nobody any more, is not ended, and nothing tells which it was.
func SignOutDevice(
	ctx context.Context, m *core.Manager, s *core.Session, form DeviceForm,
) error {
	if !signedIn(s) {
		return nil
	}
	id := core.ID(form.ID)
	if id == s.ID() {
		s.Destroy() // which tells the browser to forget its cookie, too
		return nil
	}
	ended, err := m.RevokeOwned(ctx, s.Owner(), id)
	if err != nil {
		return err
	}
	if ended {
		flash.Set(s, "The device is signed out.")
	} else {
		flash.Set(s, "That device is not signed in.")
	}
	return nil
}

// SignOutOthers ends all of the visitor's sessions but this one, and any sign-in that is under way.
func SignOutOthers(ctx context.Context, m *core.Manager, s *core.Session) error {
	if !signedIn(s) {
		return nil
	}
	n, err := m.RevokeOthers(ctx, s)
	if err != nil {
		return err
	}
	flash.Set(s, fmt.Sprintf("Other devices signed out: %d.", n))
	return nil
}

// signedIn reports whether somebody has signed in, and leaves a message if not.
func signedIn(s *core.Session) bool {
	if s.Owner() == "" {
		flash.Set(s, "Sign in first: that page is private.")
		return false
	}
	return true
}

// Watch is for the stream of events that the list of devices listens to. There is nothing to send:
// that the session has ended is what the stream itself tells last. It returns then, when the
// visitor has gone, and when the program is to stop.
func Watch(stop <-chan struct{}, events *core.EventStream) error {
	select {
	case <-events.Context().Done():
	case <-stop:
	}
	return nil
}

// Expiry says how long a session lasts if nobody uses it.
type Expiry struct {
	ExpiresIn int `json:"expires_in"` // seconds, zero if there is no session
}

// NewExpiry returns what is left of a session. Its route is a passive one: else whoever asks would
// be told the same for ever.
func NewExpiry(s *core.Session) Expiry {
	return Expiry{ExpiresIn: int(describe(s).IdleLeft.Seconds())}
}

// Passive reports whether a route is one that pages ask for by themselves.
func Passive(path string) bool { return path == "/events" || path == "/expires" }
