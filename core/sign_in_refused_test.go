package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Whoever watches for old passwords hears of each sign-in that a Commit refuses, wherever it is found
// out.
func TestEachSignInThatIsRefusedIsMadeKnown(t *testing.T) {
	everybody := func(m *site) { require.NoError(m.t, m.RevokeBefore(m.t.Context(), time.Now())) }
	owners := func(m *site) {
		_, err := m.RevokeOwner(m.t.Context(), "ada")
		require.NoError(m.t, err)
	}
	hour := func(*site) { time.Sleep(time.Hour) }
	both := func(m *site) { everybody(m); hour(m) }
	full := func(m *site) { m.signInAs("ada") }
	for name, test := range map[string]struct {
		happens func(m *site)
		reason  string
		want    error
		spares  bool // the session of a visitor, which others do not
	}{
		"everybody's sessions are revoked": {everybody, "revoked", core.ErrSignInStale, false},
		"the owner's sessions are revoked": {owners, "revoked", core.ErrSignInStale, true},
		"an hour goes by":                  {hour, "expired", core.ErrSignInStale, false},
		"both":                             {both, "revoked", core.ErrSignInStale, false},
		"another has the owner's place":    {full, "limit", core.ErrOwnerLimit, true},
	} {
		for _, early := range []bool{false, true} { // SetOwner comes before it happens
			for _, existing := range []bool{false, true} {
				if existing && !test.spares {
					continue
				}
				bubble(t, fmt.Sprint(name, early, existing), func(t *testing.T) {
					m := newSite(t, core.Config{MaxPerOwner: 1, OwnerPolicy: core.RefuseNew})
					defer func() { _ = m.Close() }()
					session := m.begin()
					if existing {
						token, _ := m.start(setNote("basket"))
						session = m.begin(token)
					}
					in := m.beginSignIn("ada")
					if early {
						session.SetOwner("ada", in)
					}
					time.Sleep(time.Second)
					test.happens(m)
					if !early {
						session.SetOwner("ada", in)
					}
					id := session.ID()
					m.events.take()
					_, err := m.tryCommit(session)
					require.ErrorIs(t, err, test.want)
					require.Equal(t, 409, core.Status(err))
					require.Equal(t, test.want.Error(), err.Error())
					events := m.events.take()
					require.Len(t, events, 1)
					event := events[0]
					require.Equal(t, core.SignInRefused, event.Kind)
					require.Equal(t, test.reason, event.Reason)
					require.Equal(t, "ada", event.Owner)
					if existing {
						require.Equal(t, id, event.ID)
					}
				})
			}
		}
	}
}
