package core_test

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestWhatCannotBeReadFailsTheCommitUnlessItIsSetOrDeleted(t *testing.T) {
	tests := map[string]struct {
		repair func(*core.Session)
		fails  bool
	}{
		"left as it is":      {func(*core.Session) {}, true},
		"another one is set": {func(s *core.Session) { hits.Set(s, 1) }, true},
		"read again":         {func(s *core.Session) { _, _ = note.Get(s) }, true},
		"updated": {func(s *core.Session) {
			note.Update(s, func(string) string { return "new" })
		}, true},
		"read by its true type": {
			func(s *core.Session) { core.NewValue[int]("note").Get(s) }, true,
		},
		"set": {setNote("new"), false},
		"set by its true type": {
			func(s *core.Session) { core.NewValue[int]("note").Set(s, 2) }, false,
		},
		"deleted":   {deleteNote, false},
		"taken":     {func(s *core.Session) { _, _ = note.Take(s) }, false},
		"cleared":   {doClear, false},
		"destroyed": {doDestroy, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(func(s *core.Session) { core.NewValue[int]("note").Set(s, 4815) })
			before := m.record(id)
			m.events.take()

			session := m.begin(token)
			got, ok := note.Get(session)
			assert.False(t, ok)
			assert.Empty(t, got)
			events := m.events.take()
			require.Len(t, events, 1, "one event, however often it is read")
			assert.Equal(t, core.ValueUndecodable, events[0].Kind)
			assert.Equal(t, id, events[0].ID)
			assert.Equal(t, "note", events[0].Name)
			assert.NotContains(t, events[0].Err.Error(), "4815")
			requireValueError(t, session.Err(), "note")

			test.repair(session)
			response := http.Header{}
			err := m.Commit(t.Context(), session, response)
			if !test.fails {
				require.NoError(t, err)
				return
			}
			requireValueError(t, err, "note")
			assert.Equal(t, http.StatusInternalServerError, core.Status(err))
			assert.Empty(t, response)
			assert.Equal(t, before, m.record(id), "nothing is stored")
		})
	}
}

func TestTakingWhatCannotBeReadDeletesItAndTells(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) { core.NewValue[int]("note").Set(s, 1) })
	m.events.take()
	m.visit(token, func(s *core.Session) {
		_, ok := note.Take(s)
		assert.False(t, ok)
	})
	assert.Equal(t, []core.EventKind{core.ValueUndecodable}, m.events.takeKinds())
	assert.Empty(t, m.begin(token).Names())
}

// requireValueError checks that an error is a *ValueError about a value, "" for the sum of all.
func requireValueError(t *testing.T, err error, name string) {
	t.Helper()
	var fault *core.ValueError
	require.ErrorAs(t, err, &fault)
	require.Equal(t, name, fault.Name)
}

func TestWhatCannotBeStoredIsAValueErrorUntilItIsSetAnewOrDeleted(t *testing.T) {
	type circle struct{ Self *circle }
	loop := &circle{}
	loop.Self = loop
	set := func(name string, val any) func(*core.Session) {
		return func(s *core.Session) { core.NewValue[any](name).Set(s, val) }
	}
	tests := map[string]struct {
		name string
		set  func(*core.Session)
	}{
		"NaN":             {"note", set("note", math.NaN())},
		"a channel":       {"note", set("note", make(chan int))},
		"a circle":        {"note", set("note", loop)},
		"invalid UTF-8":   {"note", setNote("\xff")},
		"an update's NaN": {"note", func(s *core.Session) { update(s, "note", math.NaN()) }},
		"no name":         {"", set("", 1)},
		"a name of 256 bytes": {strings.Repeat("n", 256),
			set(strings.Repeat("n", 256), 1)},
		"a name that is no UTF-8":  {"n\xff", set("n\xff", 1)},
		"an update without a name": {"", func(s *core.Session) { update(s, "", 1) }},
		"a name of 256 bytes of é": {
			strings.Repeat("é", 128), set(strings.Repeat("é", 128), 1),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			session := m.begin()
			hits.Set(session, 1)
			test.set(session)
			requireValueError(t, session.Err(), test.name)
			response := http.Header{}
			err := m.Commit(t.Context(), session, response)
			requireValueError(t, err, test.name)
			assert.Equal(t, err.Error(), session.Err().Error(), "Err says what Commit says")
			assert.Empty(t, response)
			assert.Zero(t, m.store.writes())

			core.NewValue[int](test.name).Delete(session)
			require.NoError(t, session.Err())
			tokenIn(t, m.commit(session))
		})
	}
}

func update(s *core.Session, name string, val any) {
	core.NewValue[any](name).Update(s, func(any) any { return val })
}

func TestAnUnstorableSetBeginsNoSessionAndHidesNothing(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	note.Set(session, "\xff")
	assert.Empty(t, session.ID())

	token, _ := m.start(setNote("good"))
	session = m.begin(token)
	note.Set(session, "\xff")
	text, ok := note.Get(session)
	assert.True(t, ok)
	assert.Equal(t, "good", text)
	note.Set(session, "better")
	require.NoError(t, session.Err())
	m.commit(session)
	assert.Equal(t, "better", m.read(token))
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	note.Set(session, "\xff")
	core.NewValue[float64]("ratio").Set(session, math.NaN())
	session.SetOwner("\x00")
	err := m.Commit(t.Context(), session, http.Header{})
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	require.Len(t, joined.Unwrap(), 3)
	var owner *core.OwnerError
	require.ErrorAs(t, err, &owner)
	assert.Contains(t, err.Error(), `"note"`)
	assert.Contains(t, err.Error(), `"ratio"`)
}

func TestValueErrorsUnwrap(t *testing.T) {
	cause := errors.New("cause")
	err := error(&core.ValueError{Name: "n", Err: cause})
	require.ErrorIs(t, err, cause)
	assert.Equal(t, `session value "n": cause`, err.Error())
}
