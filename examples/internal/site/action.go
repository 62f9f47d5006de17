package site

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// SignIn signs a visitor in, or counts the failure. Any password will do but an empty one and
// "wrong"; a real site checks it here, and names the account by a number that never changes and is
// never given to anyone else. The agent is what the browser calls itself. An error is for
// core.Status.
func SignIn(
	ctx context.Context, m *core.Manager, s *core.Session, form SignInForm, agent string,
) error {
	visitor := clean(form.Name)
	owner := "user:" + visitor
	// Begun before the password is read and checked, so that it fails if everything of the owner is
	// signed out meanwhile, perhaps because somebody else knows the password.
	signIn, err := m.BeginSignIn(ctx, owner)
	if err != nil {
		return err
	}
	if visitor == "" || form.Password == "" || form.Password == "wrong" {
		// Update and not Get and Set: of fifty attempts at once, fifty are counted. Only those of one
		// session, though: what protects an account has to be counted by account.
		attempts.Update(s, func(n int) int { return n + 1 })
		n, _ := attempts.Get(s)
		flash.Set(s, fmt.Sprintf("Name or password is wrong. Failed attempts: %d.", n))
		return nil
	}
	// SetOwner also renews the token. Whoever planted or saw the old one has nothing now, while the
	// values, such as the cart that was filled before, stay.
	s.SetOwner(owner, signIn)
	s.SetLabel(label(agent))
	s.Persist(form.Remember)
	shown.Set(s, visitor)
	attempts.Delete(s)
	flash.Set(s, "Welcome, "+visitor+".")
	return nil
}

// AddToCart puts an item into the cart.
func AddToCart(s *core.Session, form CartForm) {
	item := clean(form.Item)
	items, _ := cart.Get(s)
	switch {
	case item == "":
		flash.Set(s, "An item needs a name.")
		return
	case len(items) >= maxItems:
		flash.Set(s, "The cart is full.")
		return
	}
	// The function may run again, on what another request has stored meanwhile: it holds the limit
	// itself and depends on nothing but its argument.
	cart.Update(s, func(items []string) []string {
		if len(items) >= maxItems {
			return items
		}
		return append(items, item)
	})
	flash.Set(s, "Added to the cart: "+item+".")
}

// RemoveFromCart takes an item out of the cart, once.
func RemoveFromCart(s *core.Session, form CartForm) {
	item := clean(form.Item)
	items, _ := cart.Get(s)
	if !slices.Contains(items, item) {
		flash.Set(s, "That is not in the cart.")
		return
	}
	cart.Update(s, func(items []string) []string {
		if at := slices.Index(items, item); at >= 0 {
			return slices.Delete(items, at, at+1)
		}
		return items
	})
	flash.Set(s, "Removed from the cart: "+item+".")
}

// Slow waits for as many milliseconds as ms says, 5000 at most, and then writes to the session. It
// is there to be overtaken: sign out while it waits, and what it writes goes with the session that
// is over instead of bringing it back. It returns early if ctx ends.
func Slow(ctx context.Context, s *core.Session, ms string) (string, error) {
	wait := waitFor(ms)
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if s.ID() == "" {
		// Nothing begins here: the cookie of a session begun so late could overwrite that of a
		// sign-in which was faster.
		return fmt.Sprintf("Waited %v. There is no session.\n", wait), nil
	}
	lastSeen.Set(s, time.Now().UTC())
	cart.Update(s, func(items []string) []string { return items })
	return fmt.Sprintf("Waited %v, then wrote to the session.\n", wait), nil
}

func waitFor(ms string) time.Duration {
	n, err := strconv.Atoi(ms)
	if err != nil {
		n = 2000
	}
	return time.Duration(min(max(n, 0), 5000)) * time.Millisecond
}

// clean returns what a visitor typed as one short line of valid text, and as a copy: what a
// framework hands out may be a view of a buffer that it uses again for the next request.
func clean(text string) string {
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	runes := []rune(strings.Join(strings.Fields(line), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), maxRunes)]))
}
