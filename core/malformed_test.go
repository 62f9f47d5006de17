package core_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// What a token looks like behind its ID makes it one or none, whatever lies under the ID, and also
// where a MemoryStore is asked for that before the rest is looked at.
func TestAnIllFormedSecretMakesNoTokenOfAGoodID(t *testing.T) {
	for name, wrap := range map[string]func(core.Store) core.Store{
		"a MemoryStore": func(s core.Store) core.Store { return s },
		"another store": func(s core.Store) core.Store { return bareStore{s} },
	} {
		t.Run(name, func(t *testing.T) {
			memory := core.NewMemoryStore(core.MemoryOptions{})
			var events []core.Event
			m, err := core.New(core.Config{
				Store:   wrap(memory),
				Observe: func(_ context.Context, e core.Event) { events = append(events, e) },
			})
			require.NoError(t, err)
			defer func() { require.NoError(t, m.Close()) }()
			session, err := m.Begin(t.Context(), http.Header{})
			require.NoError(t, err)
			note.Set(session, "x")
			response := http.Header{}
			require.NoError(t, m.Commit(t.Context(), session, response))
			live := tokenIn(t, response)
			damaged := core.NewToken().Reveal()
			rec := core.Record{ID: core.ID(damaged[:32]), Data: "damaged"}
			require.NoError(t, memory.Create(t.Context(), rec))

			for about, token := range map[string]string{
				"of a session": live, "of a damaged record": damaged, "of nothing": core.NewToken().Reveal(),
			} {
				events = nil
				ill := token[:127] + "*"
				s, err := m.Begin(t.Context(), cookies(ill))
				require.NoError(t, err, about)
				require.Empty(t, s.ID(), about)
				s.Destroy()
				response := http.Header{}
				require.NoError(t, m.Commit(t.Context(), s, response), about)
				assert.NotContains(t, response, "Set-Cookie", about)
				assert.Equal(t, []core.Event{{Kind: core.TokenMalformed}}, events, about)
			}
			s, err := m.Begin(t.Context(), cookies(live))
			require.NoError(t, err)
			text, _ := note.Get(s)
			assert.Equal(t, "x", text, "it had no effect")
		})
	}
}
