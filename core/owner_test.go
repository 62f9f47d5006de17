package core_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestNamingAnOwnerRenewsByItself(t *testing.T) {
	m := newSite(t, core.Config{})
	old, id := m.start(setNote("basket"))
	session := m.begin(old)
	session.SetOwner("ada")
	assert.Equal(t, "ada", session.Owner())
	assert.Equal(t, id, session.ID())
	token := tokenIn(t, m.commit(session))
	assert.False(t, m.alive(old), "whoever planted the old token is out")
	assert.Equal(t, "basket", m.read(token), "from nobody to somebody the values stay")
	assert.Equal(t, "ada", m.begin(token).Owner())
	assert.Equal(t, "ada", m.record(id).Owner)

	again := tokenIn(t, m.visit(token, signIn("ada")))
	assert.False(t, m.alive(token), "a re-authentication, too")
	assert.Equal(t, string(id), again[:32])
	assert.Equal(t, "basket", m.read(again))
}

// What a framework hands out may be a view of memory that the next request overwrites.
func TestAnOwnerIsCopied(t *testing.T) {
	m := newSite(t, core.Config{})
	memory := []byte("ada")
	_, id := m.start(signIn(unsafe.String(&memory[0], len(memory))))
	copy(memory, "eve")
	assert.Equal(t, "ada", m.record(id).Owner)
}

func TestASessionThatBeginsWithAnOwner(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(signIn("ada"))
	assert.Equal(t, "ada", m.record(id).Owner)
	assert.Equal(t, "ada", m.begin(token).Owner())
	assert.Equal(t, 1, m.store.writes())
}

func TestFromOneOwnerToAnotherIsAnEndAndABeginning(t *testing.T) {
	m := newSite(t, core.Config{})
	adas, id := m.start(func(s *core.Session) {
		note.Set(s, "of ada")
		s.SetOwner("ada")
	})
	session := m.begin(adas)
	hits.Set(session, 1)
	session.SetOwner("bob")
	assert.Equal(t, "bob", session.Owner())
	assert.NotEqual(t, id, session.ID())
	assert.Empty(t, session.Names(), "nothing of ada's, not even what this request set")
	note.Set(session, "of bob")
	bobs := tokenIn(t, m.commit(session))
	assert.False(t, m.alive(adas))
	assert.Equal(t, 1, m.store.Len())
	session = m.begin(bobs)
	assert.Equal(t, "bob", session.Owner())
	assert.Equal(t, []string{"note"}, session.Names())
}

func TestFromAnOwnerToNobodyIsAnEnd(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(signIn("ada"))
	session := m.begin(token)
	session.SetOwner("")
	assert.Empty(t, session.ID())
	assert.Empty(t, session.Owner())
	requireExpired(t, m.commit(session))
	assert.Zero(t, m.store.Len())

	token, _ = m.start(setNote("x"))
	assert.NotContains(t, m.visit(token, signIn("")), "Set-Cookie", "nobody to nobody is nothing")
	assert.True(t, m.alive(token))
}

func TestTwoOwnersInOneRequestTheLastOneCounts(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) {
		s.SetOwner("ada")
		note.Set(s, "of ada")
		s.SetOwner("bob")
	})
	session := m.begin(token)
	assert.Equal(t, "bob", session.Owner())
	assert.Empty(t, session.Names())
	assert.Equal(t, 1, m.store.writes())
}

func TestWhatNoStoreCouldKeepIsAnOwnerError(t *testing.T) {
	tests := map[string]struct {
		owner string
		good  bool
	}{
		"255 bytes":         {strings.Repeat("o", 255), true},
		"256 bytes":         {strings.Repeat("o", 256), false},
		"255 bytes of ä":    {strings.Repeat("ä", 127) + "o", true},
		"256 bytes of ä":    {strings.Repeat("ä", 128), false},
		"a NUL":             {"a\x00b", false},
		"invalid UTF-8":     {"a\xffb", false},
		"blanks and quotes": {" '\"; DROP TABLE\n", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("x"))
			session := m.begin(token)
			session.SetOwner(test.owner)
			if test.good {
				require.NoError(t, session.Err())
				fresh := tokenIn(t, m.commit(session))
				assert.Equal(t, test.owner, m.begin(fresh).Owner())
				return
			}
			var fault *core.OwnerError
			require.ErrorAs(t, session.Err(), &fault)
			assert.Empty(t, session.Owner())
			before := m.record(id)
			response := http.Header{}
			err := m.Commit(t.Context(), session, response)
			require.ErrorAs(t, err, &fault)
			assert.NotContains(t, err.Error(), test.owner)
			assert.Equal(t, http.StatusInternalServerError, core.Status(err))
			assert.Empty(t, response)
			assert.Equal(t, before, m.record(id))

			session.SetOwner("ada")
			require.NoError(t, session.Err(), "set anew")
			assert.Equal(t, "ada", m.begin(tokenIn(t, m.commit(session))).Owner())
		})
	}
}

// A sign-in that failed must not look like one that worked because the values were cleared.
func TestClearDoesNotForgetAnOwnerThatCouldNotBeSet(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	session := m.begin(token)
	session.SetOwner("a\x00b")
	note.Set(session, "\xff")
	session.Clear()
	var fault *core.OwnerError
	require.ErrorAs(t, session.Err(), &fault)
	require.ErrorAs(t, m.Commit(t.Context(), session, http.Header{}), &fault)
	var value *core.ValueError
	require.False(t, errors.As(session.Err(), &value), "the value's fault is gone with the value")
}
