package core_test

import (
	"context"
	"encoding/binary"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const ms = time.Millisecond

func TestASessionIsAliveUntilItsTimeoutAndDeadFromThatMomentOn(t *testing.T) {
	idle := core.Config{IdleTimeout: 20 * time.Minute}
	lifetime := core.Config{Lifetime: 20 * time.Minute, IdleTimeout: 20 * time.Minute}
	onlyLife := core.Config{Lifetime: 20 * time.Minute, IdleTimeout: core.Never}
	tests := map[string]struct {
		cfg    core.Config
		after  time.Duration
		reason string
	}{
		"idle, a millisecond before":           {idle, 20*time.Minute - ms, ""},
		"idle, at that moment":                 {idle, 20 * time.Minute, "idle"},
		"idle, a millisecond after":            {idle, 20*time.Minute + ms, "idle"},
		"lifetime, a millisecond before":       {lifetime, 20*time.Minute - ms, ""},
		"lifetime, at that moment":             {lifetime, 20 * time.Minute, "lifetime"},
		"lifetime, a millisecond after":        {lifetime, 20*time.Minute + ms, "lifetime"},
		"lifetime alone, a millisecond before": {onlyLife, 20*time.Minute - ms, ""},
		"lifetime alone, at that moment":       {onlyLife, 20 * time.Minute, "lifetime"},
		"the default, a millisecond before":    {core.Config{}, time.Hour - ms, ""},
		"the default, at that moment":          {core.Config{}, time.Hour, "idle"},
		"without timeouts, long after": {
			core.Config{Lifetime: core.Never, IdleTimeout: core.Never}, 200 * time.Hour, "",
		},
		"without a lifetime, just before": {
			core.Config{Lifetime: core.Never}, time.Hour - ms, "",
		},
		"without a lifetime, at the idle moment": {
			core.Config{Lifetime: core.Never}, time.Hour, "idle",
		},
	}
	for name, test := range tests {
		bubble(t, name, func(t *testing.T) {
			store := newSpyStore()
			test.cfg.Store = bareStore{store} // which no sweep comes before
			m := newSite(t, test.cfg)
			m.store = store
			token, id := m.start(signIn("ada"))
			m.events.take()
			pass(test.after)
			require.Equal(t, test.reason == "", m.alive(token))
			_, err := m.Open(t.Context(), id)
			require.Equal(t, test.reason == "", err == nil)
			if test.reason == "" {
				assert.Empty(t, m.events.take())
				return
			}
			require.ErrorIs(t, err, core.ErrNotFound)
			assert.Equal(t, []core.Event{{
				Kind: core.SessionUseAfterExpire, ID: id, Owner: "ada", Reason: test.reason,
			}}, m.events.take())
			assert.Equal(t, 1, store.Len(), "Begin deletes nothing, the sweep does")
		})
	}
}

func TestUseKeepsASessionAliveUntilItsLifetimeIsOver(t *testing.T) {
	bubble(t, "used every twenty minutes for a day", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		created := time.Now()
		for range 3*24 - 1 {
			pass(20 * time.Minute)
			require.True(t, m.alive(token))
		}
		pass(20*time.Minute - ms)
		require.True(t, m.alive(token))
		pass(ms)
		m.events.take()
		require.False(t, m.alive(token))
		assert.Equal(t, "lifetime", m.events.take()[0].Reason)
		assert.Equal(t, created.Add(24*time.Hour).UTC(), m.record(id).Expires)
	})
	bubble(t, "neither a renewal nor a sign-in gives a longer life", func(t *testing.T) {
		m := newSite(t, core.Config{Lifetime: time.Hour})
		token, _ := m.start(setNote("x"))
		created := time.Now().UTC()
		for _, f := range []func(*core.Session){
			doRenew, signIn("ada"), doPersist,
		} {
			pass(10 * time.Minute)
			session := m.begin(token)
			f(session)
			token = tokenIn(t, m.commit(session))
			assert.Equal(t, created, session.Created())
			assert.Equal(t, created.Add(time.Hour), session.Expires())
		}
		pass(30*time.Minute - ms)
		assert.True(t, m.alive(token))
		pass(ms)
		assert.False(t, m.alive(token))
	})
}

func TestAShorterTimeoutCountsAtOnceAndALongerFromTheNextWrite(t *testing.T) {
	configs := map[string]func(d time.Duration) core.Config{
		"idle timeout": func(d time.Duration) core.Config {
			return core.Config{IdleTimeout: d, TouchInterval: 25 * time.Minute}
		},
		"lifetime": func(d time.Duration) core.Config {
			return core.Config{
				Lifetime: d, IdleTimeout: core.Never, TouchInterval: 25 * time.Minute,
			}
		},
	}
	for name, with := range configs {
		bubble(t, "a shorter "+name, func(t *testing.T) {
			m := newSite(t, with(2*time.Hour))
			token, _ := m.start(setNote("x"))
			cfg := with(30 * time.Minute)
			cfg.Store = m.store
			shorter := newSite(t, cfg)
			pass(30*time.Minute - ms)
			_, err := shorter.Open(t.Context(), core.ID(token[:32]))
			require.NoError(t, err)
			pass(ms)
			assert.False(t, shorter.alive(token))
			assert.True(t, m.alive(token))
		})
		bubble(t, "a longer "+name+" without a write", func(t *testing.T) {
			m := newSite(t, with(30*time.Minute))
			token, _ := m.start(setNote("x"))
			cfg := with(2 * time.Hour)
			cfg.Store = m.store
			longer := newSite(t, cfg)
			pass(30 * time.Minute)
			assert.False(t, longer.alive(token), "the record says when it ends")
		})
		bubble(t, "a longer "+name+" after a write", func(t *testing.T) {
			m := newSite(t, with(30*time.Minute))
			token, _ := m.start(setNote("x"))
			cfg := with(2 * time.Hour)
			cfg.Store = m.store
			longer := newSite(t, cfg)
			pass(20 * time.Minute)
			longer.visit(token, setNote("y"))
			pass(100*time.Minute - ms)
			assert.True(t, longer.alive(token))
		})
	}
}

func TestASessionTellsItsTimes(t *testing.T) {
	bubble(t, "in UTC and whole milliseconds", func(t *testing.T) {
		m := newSite(t, core.Config{})
		pass(123_456_789 * time.Nanosecond)
		now := time.Now().UTC().Truncate(ms)
		session := m.begin()
		note.Set(session, "x")
		check := func(created, used, expires time.Time) {
			t.Helper()
			assert.Equal(t, created, session.Created())
			assert.Equal(t, used, session.Used())
			assert.Equal(t, expires, session.Expires())
		}
		check(now, now, now.Add(time.Hour))
		token := tokenIn(t, m.commit(session))
		check(now, now, now.Add(time.Hour))

		pass(3 * time.Minute)
		session = m.begin(token)
		check(now, now, now.Add(time.Hour))
		pass(3 * time.Minute)
		session = m.begin(token)
		later := now.Add(6 * time.Minute)
		check(now, later, later.Add(time.Hour))
		rec := m.record(session.ID())
		assert.Equal(t, later, rec.Used)
		assert.Equal(t, later.Add(time.Hour), rec.Expires)

		session.Destroy()
		check(time.Time{}, time.Time{}, time.Time{})
		note.Set(session, "another")
		check(later, later, later.Add(time.Hour))
	})
	bubble(t, "never is the zero time", func(t *testing.T) {
		m := newSite(t, core.Config{Lifetime: core.Never, IdleTimeout: core.Never})
		session := m.begin()
		note.Set(session, "x")
		assert.Zero(t, session.Expires())
		m.commit(session)
		assert.Zero(t, session.Expires())
		assert.NotZero(t, session.Created())
		assert.Zero(t, m.record(session.ID()).Expires)
	})
}

// Only the use that the store holds counts, however early the request began.
func TestACommitComesTooLateForASessionThatIsIdleMeanwhile(t *testing.T) {
	begin := func(t *testing.T) (*site, string, *core.Session) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		pass(4 * time.Minute) // too little for a touch
		session := m.begin(token)
		pass(56 * time.Minute)
		m.events.take()
		return m, token, session
	}
	bubble(t, "its values go with it", func(t *testing.T) {
		m, token, session := begin(t)
		note.Set(session, "late")
		header := m.commitUnsealed(session)
		assert.Equal(t, http.Header{"Vary": {"Cookie"}}, header, "and no session header at all")
		assert.Equal(t, []core.EventKind{core.ChangesDropped}, m.events.takeKinds())
		assert.Empty(t, session.ID())
		assert.False(t, m.alive(token))
	})
	bubble(t, "a renewal and a sign-in fail", func(t *testing.T) {
		m, token, session := begin(t)
		session.SetOwner("ada")
		status, header := m.answer(session)
		assert.Equal(t, http.StatusConflict, status)
		assert.NotContains(t, header, "Set-Cookie")
		assert.False(t, m.alive(token))
	})
	bubble(t, "unless another request has used it meanwhile", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		pass(4 * time.Minute)
		session := m.begin(token)
		pass(50 * time.Minute)
		m.begin(token)
		pass(6 * time.Minute)
		note.Set(session, "late")
		m.commit(session)
		assert.Equal(t, "late", m.read(token))
	})
}

func TestUsedNeverGoesBack(t *testing.T) {
	bubble(t, "when a request that began earlier commits later", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		pass(10 * time.Minute)
		early := m.begin(token)
		pass(10 * time.Minute)
		m.begin(token)
		used, expires := m.record(id).Used, m.record(id).Expires
		assert.Equal(t, time.Now().UTC(), used)
		note.Set(early, "y")
		m.commit(early)
		assert.Equal(t, used, m.record(id).Used)
		assert.Equal(t, expires, m.record(id).Expires)
	})
	bubble(t, "when the clock of the node before was half a minute ahead", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		ahead := time.Now().Add(30 * time.Second).UTC()
		m.edit(id, func(rec *core.Record) { rec.Used = ahead })
		m.events.take()
		m.visit(token, setNote("y"))
		assert.Equal(t, ahead, m.record(id).Used)
		assert.Empty(t, m.events.take())
	})
}

// edit changes a record behind the Manager's back.
func (s *site) edit(id core.ID, f func(*core.Record)) {
	s.t.Helper()
	rec := s.record(id)
	was := rec.Revision
	f(&rec)
	require.NoError(s.t, s.store.MemoryStore.Update(context.Background(), rec, was))
}

// setCreated writes another time of creation into a record's frame: see docs/record-format.md.
func setCreated(rec *core.Record, at time.Time) {
	const begin = 2 + 16 + 32
	data := []byte(rec.Data)
	binary.BigEndian.PutUint64(data[begin:], uint64(at.UnixMilli()))
	rec.Data = string(data)
}

func TestATimeInTheFutureIsTakenAsNowAndTold(t *testing.T) {
	tests := map[string]struct {
		used, created time.Duration
		told          bool
	}{
		"used a minute ahead":                   {time.Minute, 0, false},
		"used a minute and a bit ahead":         {time.Minute + ms, 0, true},
		"created a minute ahead":                {0, time.Minute, false},
		"created a minute and a bit ahead":      {0, time.Minute + ms, true},
		"both years ahead":                      {1e4 * time.Hour, 1e4 * time.Hour, true},
		"both just inside what clocks may have": {time.Minute, time.Minute, false},
	}
	for name, test := range tests {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("x"))
			m.edit(id, func(rec *core.Record) {
				rec.Used = time.Now().Add(test.used).UTC()
				rec.Expires = time.Time{}
				setCreated(rec, time.Now().Add(test.created))
			})
			m.events.take()
			session := m.begin(token)
			require.NotEmpty(t, session.ID(), "alive")
			if !test.told {
				assert.Empty(t, m.events.take())
				return
			}
			assert.Equal(t, []core.Event{{Kind: core.ClockAhead, ID: id}}, m.events.take())
			note.Set(session, "y")
			m.commit(session)
			if test.used > 0 {
				assert.Equal(t, time.Now().UTC(), m.record(id).Used, "a write puts it right")
			}
		})
	}
	bubble(t, "a stored end still counts", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		m.edit(id, func(rec *core.Record) { rec.Used = time.Now().Add(1e4 * time.Hour).UTC() })
		pass(time.Hour)
		assert.False(t, m.alive(token))
	})
}
