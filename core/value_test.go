package core_test

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

type profile struct {
	Name string            `json:"name"`
	Tags []string          `json:"tags,omitempty"`
	Meta map[string]string `json:"meta,omitempty"`
}

// roundTrip sets a value in one request and reads it in the same and in the next.
func roundTrip[T any](t *testing.T, val T) {
	t.Helper()
	m := newSite(t, core.Config{})
	v := core.NewValue[T]("v")
	assert.Equal(t, "v", v.Name())
	token, _ := m.start(func(s *core.Session) {
		v.Set(s, val)
		got, ok := v.Get(s)
		require.True(t, ok)
		require.Equal(t, val, got, "before the commit")
	})
	got, ok := v.Get(m.begin(token))
	require.True(t, ok)
	require.Equal(t, val, got, "in the next request")
}

func TestAValueComesBackInTheNextRequest(t *testing.T) {
	roundTrip(t, "text, \"quotes\", é, \u2028, \x00 and \ufffd")
	roundTrip(t, "")
	roundTrip(t, true)
	roundTrip(t, math.MinInt64)
	roundTrip(t, uint64(math.MaxUint64))
	roundTrip(t, math.MaxFloat64)
	roundTrip(t, float32(math.SmallestNonzeroFloat32))
	roundTrip(t, []byte{0, 1, 0xff})
	roundTrip(t, []byte(nil))
	roundTrip(t, []byte{})
	roundTrip(t, time.Date(2024, 2, 29, 1, 2, 3, 456_789_012, time.UTC))
	roundTrip(t, http.SameSiteLaxMode)
	roundTrip(t, json.Number("1e999"))
	roundTrip(t, profile{"Ada", []string{"x"}, map[string]string{"k": "v"}})
	roundTrip(t, &profile{Name: "Ada"})
	roundTrip[*profile](t, nil)
	roundTrip[any](t, []any{"a", 1.5, nil})
	roundTrip(t, struct{}{})
}

func TestAValueThatIsAbsentIsFalse(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	text, ok := note.Get(session)
	assert.False(t, ok)
	assert.Empty(t, text)
	_, ok = note.Take(session)
	assert.False(t, ok)
	_, ok = note.TakeOnce(session)
	assert.False(t, ok)
	note.Delete(session)
	assert.Empty(t, session.ID(), "deleting what is not there begins nothing")
	assert.Empty(t, session.Names())
	assert.Empty(t, m.commit(session).Values("Set-Cookie"))
	assert.Zero(t, m.store.count(opCreate, opLoad))
}

func TestWhatIsChangedAfterSetIsNotStored(t *testing.T) {
	m := newSite(t, core.Config{})
	v := core.NewValue[*profile]("v")
	list := core.NewValue[[]string]("list")
	p, names := &profile{Name: "before"}, []string{"before"}
	token, _ := m.start(func(s *core.Session) {
		v.Set(s, p)
		list.Set(s, names)
		p.Name, names[0] = "after", "after"
		got, _ := v.Get(s)
		got.Name = "after"
	})
	m.visit(token, func(s *core.Session) {
		got, _ := v.Get(s)
		assert.Equal(t, "before", got.Name)
		got.Name = "after"
		texts, _ := list.Get(s)
		assert.Equal(t, []string{"before"}, texts)
	})
	got, _ := v.Get(m.begin(token))
	assert.Equal(t, "before", got.Name)
	assert.Equal(t, 1, m.store.writes(), "changing a copy stores nothing")
}

func TestTwoTypesUnderOneNameReadEachOthersJSON(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) { core.NewValue[int]("v").Set(s, 42) })
	m.visit(token, func(s *core.Session) {
		wide, ok := core.NewValue[float64]("v").Get(s)
		assert.True(t, ok)
		assert.InDelta(t, 42.0, wide, 0)
		raw, ok := core.NewValue[json.RawMessage]("v").Get(s)
		assert.True(t, ok)
		assert.Equal(t, "42", string(raw))
		require.NoError(t, s.Err())
	})
}

func TestNamesOf255BytesAreGood(t *testing.T) {
	m := newSite(t, core.Config{})
	for _, name := range []string{
		"n", strings.Repeat("n", 255), "größe", "with blanks and\nlines", "\x00", "\x00owner",
	} {
		v := core.NewValue[int](name)
		token, _ := m.start(func(s *core.Session) { v.Set(s, 7) })
		got, ok := v.Get(m.begin(token))
		assert.True(t, ok, name)
		assert.Equal(t, 7, got)
	}
}

func TestTakeGetsAValueOnceAndDeletesIt(t *testing.T) {
	for name, take := range map[string]func(*core.Session) (string, bool){
		"Take": note.Take, "TakeOnce": note.TakeOnce,
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, _ := m.start(setNote("flash"))
			m.visit(token, func(s *core.Session) {
				text, ok := take(s)
				assert.True(t, ok)
				assert.Equal(t, "flash", text)
				_, ok = take(s)
				assert.False(t, ok)
				_, ok = note.Get(s)
				assert.False(t, ok)
				assert.Empty(t, s.Names())
			})
			_, ok := note.Get(m.begin(token))
			assert.False(t, ok)
		})
	}
}

func TestTakingWhatThisRequestSetIsNoConflict(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("old"))
	m.visit(token, func(s *core.Session) {
		note.Set(s, "new")
		text, ok := note.TakeOnce(s)
		assert.True(t, ok)
		assert.Equal(t, "new", text)
	})
	_, ok := note.Get(m.begin(token))
	assert.False(t, ok)
}

// What a request took once counts, also if it puts something else there afterwards.
func TestTakeOnceSurvivesWhatComesAfterIt(t *testing.T) {
	for name, after := range map[string]func(*core.Session){
		"nothing":   func(*core.Session) {},
		"a set":     setNote("another"),
		"a delete":  deleteNote,
		"a clear":   doClear,
		"an update": func(s *core.Session) { note.Update(s, strings.ToUpper) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, _ := m.start(setNote("secret"))
			first, second := m.begin(token), m.begin(token)
			for _, s := range []*core.Session{first, second} {
				text, ok := note.TakeOnce(s)
				require.True(t, ok)
				require.Equal(t, "secret", text)
				after(s)
			}
			m.commit(first)
			err := m.Commit(t.Context(), second, http.Header{})
			require.ErrorIs(t, err, core.ErrConflict)
			assert.Equal(t, http.StatusConflict, core.Status(err))
			require.ErrorIs(t, second.Err(), core.ErrConflict, "it stays")
		})
	}
}
