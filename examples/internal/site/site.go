// Package site is what the four example sites have in common, whatever their framework: what they
// keep in a session, what their forms do and what their pages show. It knows core and no framework;
// routes, reading of forms and answers are written in each program in the way of its framework.
package site

import (
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// What the site keeps in a session: one typed value each, so that two requests which change
// different ones never undo each other.
var (
	shown    = core.NewValue[string]("name")
	attempts = core.NewValue[int]("attempts")
	cart     = core.NewValue[[]string]("cart")
	flash    = core.NewValue[string]("flash")
	views    = core.NewValue[int]("views")
	lastSeen = core.NewValue[time.Time]("last seen")
)

// What a visitor can make the site keep, at most.
const (
	maxRunes = 60
	maxItems = 20
)

// Field names of the forms, for the frameworks that bind a form to a struct by its tags.
type (
	// SignInForm is what the form #sign-in sends.
	SignInForm struct {
		Name     string `form:"name"`
		Password string `form:"password"`
		Remember bool   `form:"remember"`
	}
	// DeviceForm is what the forms of the list of devices send.
	DeviceForm struct {
		ID string `form:"id"`
	}
	// CartForm is what the forms of the cart send.
	CartForm struct {
		Item string `form:"item"`
	}
)

// Home is what the home page shows.
type Home struct {
	Session Session
	Who     string
	Flash   string
	Cart    []string
	Full    bool
}

// Account is what the private page shows.
type Account struct {
	Session Session
	Who     string
	Owner   string
	Names   []string
}

// Session is what the server knows of a visitor's session. ID is empty if there is none.
type Session struct {
	ID       core.ID
	Created  time.Time
	IdleLeft time.Duration
	Views    int
	LastSeen time.Time
}

// NewHome returns the home page of a visitor, and shows and forgets the message that the last form
// left. It counts the view, but only for visitors who have a session: whoever just looks, as every
// crawler does, is to cost no record and get no cookie. bye says that they come from signing out.
func NewHome(s *core.Session, bye bool) Home {
	if s.ID() != "" {
		views.Update(s, func(n int) int { return n + 1 })
	}
	page := Home{Session: describe(s), Who: who(s)}
	page.Cart, _ = cart.Get(s)
	page.Full = len(page.Cart) >= maxItems
	page.Flash, _ = flash.Take(s)
	if bye && page.Who == "" && page.Flash == "" {
		// Not kept as a value: after Destroy that would begin another session, just to say goodbye.
		page.Flash = "You have signed out."
	}
	return page
}

// NewAccount returns the private page of whoever has signed in. For others it reports false, and
// leaves a message for the home page.
func NewAccount(s *core.Session) (Account, bool) {
	if !signedIn(s) {
		return Account{}, false
	}
	return Account{Session: describe(s), Who: who(s), Owner: s.Owner(), Names: s.Names()}, true
}

// who returns the name of whoever has signed in, or "". What decides is the owner, which only
// SetOwner can change, and not the name that is shown.
func who(s *core.Session) string {
	if s.Owner() == "" {
		return ""
	}
	text, _ := shown.Get(s)
	return text
}

func describe(s *core.Session) Session {
	id := s.ID()
	if id == "" {
		return Session{}
	}
	known := Session{ID: id, Created: s.Created()}
	if expires := s.Expires(); !expires.IsZero() {
		known.IdleLeft = max(0, time.Until(expires))
	}
	known.Views, _ = views.Get(s)
	known.LastSeen, _ = lastSeen.Get(s)
	return known
}
