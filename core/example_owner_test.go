package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// signedIn is a client of its own whose owner has signed in.
func signedIn(m *core.Manager, owner, label string) *client {
	c := &client{manager: m}
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		s.SetOwner(owner)
		s.SetLabel(label)
	})
	return c
}

// A sign-in begins before the password is checked. If everything of the owner is revoked meanwhile,
// because the password is in the wrong hands, it fails.
func ExampleManager_BeginSignIn() {
	c := newClient()
	ctx := context.Background()
	answer := c.do(func(_ http.ResponseWriter, s *core.Session) {
		signIn, err := c.manager.BeginSignIn(ctx, "user:42")
		if err != nil {
			return
		}
		// The password is checked, and was right a moment ago. But now its owner acts:
		_, _ = c.manager.RevokeOwner(ctx, "user:42")
		s.SetOwner("user:42", signIn)
	})
	fmt.Println(answer.StatusCode, len(answer.Cookies()))
	// Output: 409 0
}

// Without BeginSignIn, who knows the old password and was quick is signed in after all.
func ExampleManager_BeginSignIn_incorrect() {
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		// The password is checked, and was right a moment ago. But now its owner acts:
		_, _ = c.manager.RevokeOwner(context.Background(), "user:42")
		s.SetOwner("user:42")
	})
	c.do(func(_ http.ResponseWriter, s *core.Session) { fmt.Println(s.Owner()) })
	// Output: user:42
}

// A list of devices.
func ExampleManager_Sessions() {
	c := newClient()
	signedIn(c.manager, "user:42", "Safari on iPhone")
	laptop := signedIn(c.manager, "user:42", "Firefox on Linux")
	laptop.do(func(_ http.ResponseWriter, s *core.Session) {
		list, err := c.manager.Sessions(context.Background(), s.Owner())
		if err != nil {
			return
		}
		for _, device := range list {
			fmt.Println(device.ID == s.ID(), device.Label)
		}
	})
	// Unordered output:
	// false Safari on iPhone
	// true Firefox on Linux
}

// The ID comes from a form. Somebody else's, or one that is no more, has no effect.
func ExampleManager_RevokeOwned() {
	c := newClient()
	phone := signedIn(c.manager, "user:42", "phone")
	var id core.ID
	phone.do(func(_ http.ResponseWriter, s *core.Session) { id = s.ID() })
	for _, owner := range []string{"user:666", "user:42"} {
		ended, err := c.manager.RevokeOwned(context.Background(), owner, id)
		fmt.Println(ended, err)
	}
	phone.do(func(_ http.ResponseWriter, s *core.Session) { fmt.Printf("%q\n", s.Owner()) })
	// Output:
	// false <nil>
	// true <nil>
	// ""
}

// A new password: everybody else who is signed in has to show that he knows it.
func ExampleManager_RevokeOthers() {
	c := newClient()
	mine, other := signedIn(c.manager, "user:42", "mine"), signedIn(c.manager, "user:42", "other")
	ctx := context.Background()
	mine.do(func(_ http.ResponseWriter, s *core.Session) {
		signIn, err := c.manager.BeginSignIn(ctx, s.Owner())
		if err != nil {
			return
		}
		// The old password is checked and the new one is saved.
		s.SetOwner(s.Owner(), signIn)
		n, err := c.manager.RevokeOthers(ctx, s)
		fmt.Println(n, err)
	})
	mine.do(func(_ http.ResponseWriter, s *core.Session) { fmt.Printf("mine: %q\n", s.Owner()) })
	other.do(func(_ http.ResponseWriter, s *core.Session) { fmt.Printf("other: %q\n", s.Owner()) })
	// Output:
	// 1 <nil>
	// mine: "user:42"
	// other: ""
}

// An account is closed.
func ExampleManager_RevokeOwner() {
	c := newClient()
	signedIn(c.manager, "user:42", "phone")
	signedIn(c.manager, "user:42", "laptop")
	n, err := c.manager.RevokeOwner(context.Background(), "user:42")
	fmt.Println(n, err)
	// Output: 2 <nil>
}

// An incident: everybody signs in anew.
func ExampleManager_RevokeBefore() {
	c := newClient()
	phone := signedIn(c.manager, "user:42", "phone")
	if err := c.manager.RevokeBefore(context.Background(), time.Now()); err != nil {
		return // try again
	}
	phone.do(func(_ http.ResponseWriter, s *core.Session) { fmt.Printf("%q\n", s.Owner()) })
	// Output: ""
}

// At most one session, and the newest wins.
func ExampleLimitPolicy() {
	m, err := core.New(core.Config{MaxPerOwner: 1, OwnerPolicy: core.EndUnusedLongest})
	if err != nil {
		return
	}
	old := signedIn(m, "user:42", "old phone")
	signedIn(m, "user:42", "new phone")
	old.do(func(_ http.ResponseWriter, s *core.Session) { fmt.Printf("%q\n", s.Owner()) })
	// Output: ""
}

// A stream ends when its session does, whoever ends it and wherever.
func ExampleSession_Live() {
	c := newClient()
	phone := signedIn(c.manager, "user:42", "phone")
	phone.do(func(_ http.ResponseWriter, s *core.Session) {
		live, release := s.Live(context.Background())
		defer release()
		go func() { _, _ = c.manager.RevokeOwner(context.Background(), "user:42") }()
		<-live.Done()
		var ended *core.EndedError
		fmt.Println(errors.As(context.Cause(live), &ended), ended.Reason)
	})
	// Output: true ended
}

// What a visitor had before may have been put there by an attacker; the cart may stay.
func ExampleKeep() {
	c := newClient()
	cart, next := core.NewValue[[]string]("cart"), core.NewValue[string]("next")
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		cart.Set(s, []string{"tea"})
		next.Set(s, "https://example.net/")
	})
	c.do(func(_ http.ResponseWriter, s *core.Session) { s.SetOwner("user:42", core.Keep("cart")) })
	c.do(func(_ http.ResponseWriter, s *core.Session) { fmt.Println(s.Names()) })
	// Output: [cart]
}

// A page that asks for the password again unless it was given lately.
func ExampleSession_AuthenticatedWithin() {
	c := newClient()
	changeAddress := func(_ http.ResponseWriter, s *core.Session) {
		if !s.AuthenticatedWithin(10 * time.Minute) {
			fmt.Println("password, please")
			return
		}
		fmt.Println("changed")
	}
	c.do(changeAddress)
	c.do(func(_ http.ResponseWriter, s *core.Session) { s.SetOwner("user:42") })
	c.do(changeAddress)
	// Output:
	// password, please
	// changed
}

// After a second factor. The token of before, which may be known to others, is dead.
func ExampleSession_SetLevel() {
	c := signedIn(newClient().manager, "user:42", "phone")
	before := c.cookie
	c.do(func(_ http.ResponseWriter, s *core.Session) { s.SetLevel(2) })
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		fmt.Println(s.Level(), c.cookie != before)
	})
	// Output: 2 true
}

// A label is for people to read: what a client sends is cut and cleaned, and never an error.
func ExampleSession_SetLabel() {
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		s.SetLabel("Firefox\non Linux")
		fmt.Println(s.Label())
	})
	// Output: Firefox on Linux
}
