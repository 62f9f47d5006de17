package core_test

import (
	"encoding/json"
	"errors"
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
	assert.Equal(t, 1, m.store.count(opCreate)+m.store.count(opUpdate), "changing a copy stores nothing")
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
		"read by its true type": {func(s *core.Session) { core.NewValue[int]("note").Get(s) }, true},
		"set":                   {setNote("new"), false},
		"set by its true type":  {func(s *core.Session) { core.NewValue[int]("note").Set(s, 2) }, false},
		"deleted":               {func(s *core.Session) { note.Delete(s) }, false},
		"taken":                 {func(s *core.Session) { _, _ = note.Take(s) }, false},
		"cleared":               {func(s *core.Session) { s.Clear() }, false},
		"destroyed":             {func(s *core.Session) { s.Destroy() }, false},
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
		"a name that is no UTF-8":   {"n\xff", set("n\xff", 1)},
		"an update without a name":  {"", func(s *core.Session) { update(s, "", 1) }},
		"a name of 128 é, 256 long": {strings.Repeat("é", 128), set(strings.Repeat("é", 128), 1)},
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

// sizeOf is what values of the frame take: a count, and of each name and JSON the length and bytes.
func sizeOf(jsons map[string]string) int {
	size := 1
	for name, text := range jsons {
		for _, field := range []string{name, text} {
			size += 1 + len(field)
			if len(field) > 127 {
				size++
			}
		}
	}
	return size
}

func TestMaxDataIsExact(t *testing.T) {
	long := strings.Repeat("x", 500)
	jsons := map[string]string{"note": `"` + long + `"`, "hits": "12"}
	size := sizeOf(jsons)
	fill := func(s *core.Session) {
		note.Set(s, long)
		hits.Set(s, 12)
	}
	t.Run("exactly as much is stored", func(t *testing.T) {
		m := newSite(t, core.Config{MaxData: size})
		token, _ := m.start(fill)
		assert.Equal(t, long, m.read(token))
	})
	t.Run("a byte less and the sum is too large", func(t *testing.T) {
		m := newSite(t, core.Config{MaxData: size - 1})
		session := m.begin()
		note.Set(session, long)
		require.NoError(t, session.Err(), "alone it fits")
		hits.Set(session, 12)
		requireValueError(t, session.Err(), "")
		said := session.Err().Error()
		err := m.Commit(t.Context(), session, http.Header{})
		requireValueError(t, err, "")
		assert.Equal(t, said, err.Error())
		assert.Zero(t, m.store.writes())

		hits.Delete(session)
		require.NoError(t, session.Err())
		m.commit(session)
	})
	t.Run("an existing session does not outgrow it either", func(t *testing.T) {
		m := newSite(t, core.Config{MaxData: size})
		token, id := m.start(fill)
		before := m.record(id)
		session := m.begin(token)
		hits.Set(session, 123)
		requireValueError(t, session.Err(), "")
		requireValueError(t, m.Commit(t.Context(), session, http.Header{}), "")
		assert.Equal(t, before, m.record(id))
	})
	t.Run("the default is 64 KiB", func(t *testing.T) {
		m := newSite(t, core.Config{})
		largest := strings.Repeat("x", 64<<10-1-len("\x04note")-3-2)
		m.start(setNote(largest))
		session := m.begin()
		note.Set(session, largest+"x")
		requireValueError(t, session.Err(), "")
	})
}

// Lowering MaxData must not lock up the sessions that are larger: what does not add may go on.
func TestASessionLargerThanALoweredMaxDataCanStillBeUsed(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote(strings.Repeat("x", 1000)))
	small := newSite(t, core.Config{Store: m.store, MaxData: 100})

	session := small.begin(token)
	session.Renew()
	require.NoError(t, session.Err())
	token = tokenIn(t, small.commit(session))

	session = small.begin(token)
	hits.Set(session, 1)
	requireValueError(t, session.Err(), "")
	hits.Delete(session)
	note.Set(session, "short")
	require.NoError(t, session.Err())
	small.commit(session)
	assert.Equal(t, "short", small.read(token))
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
		"a delete":  func(s *core.Session) { note.Delete(s) },
		"a clear":   func(s *core.Session) { s.Clear() },
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

func TestValueErrorsUnwrap(t *testing.T) {
	cause := errors.New("cause")
	err := error(&core.ValueError{Name: "n", Err: cause})
	require.ErrorIs(t, err, cause)
	assert.Equal(t, `session value "n": cause`, err.Error())
}
