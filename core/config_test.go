package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestEachFaultOfAConfigIsReported(t *testing.T) {
	tests := map[string]struct {
		cfg    core.Config
		faults []string
	}{
		"the zero Config":     {core.Config{}, nil},
		"everything set":      {goodConfig(), nil},
		"a negative Lifetime": {core.Config{Lifetime: -time.Hour}, []string{"Lifetime"}},
		"less than a millisecond": {
			core.Config{Lifetime: ms - 1, IdleTimeout: ms, TouchInterval: 1}, []string{"Lifetime"},
		},
		"a Lifetime of a millisecond": {core.Config{Lifetime: ms}, nil},
		"a Lifetime of a nanosecond":  {core.Config{Lifetime: 1}, []string{"Lifetime"}},
		"a negative IdleTimeout": {
			core.Config{IdleTimeout: -time.Hour}, []string{"IdleTimeout"},
		},
		"an IdleTimeout of nothing": {core.Config{IdleTimeout: ms - 1}, []string{"IdleTimeout"}},
		"idle longer than the life": {
			core.Config{Lifetime: time.Hour, IdleTimeout: time.Hour + 1}, []string{"IdleTimeout"},
		},
		"idle as long as the life": {
			core.Config{Lifetime: time.Hour, IdleTimeout: time.Hour}, nil,
		},
		"idle longer than the default": {
			core.Config{IdleTimeout: 25 * time.Hour}, []string{"IdleTimeout"},
		},
		"no idle timeout": {core.Config{IdleTimeout: core.Never}, nil},
		"no lifetime":     {core.Config{Lifetime: core.Never}, nil},
		"no timeout at all": {
			core.Config{Lifetime: core.Never, IdleTimeout: core.Never}, nil,
		},
		"no lifetime, idle for years": {
			core.Config{Lifetime: core.Never, IdleTimeout: 1e5 * time.Hour}, nil,
		},
		"a negative TouchInterval": {core.Config{TouchInterval: -1}, []string{"TouchInterval"}},
		"touching as seldom as idle": {
			core.Config{TouchInterval: time.Hour}, []string{"TouchInterval"},
		},
		"touching just more often": {core.Config{TouchInterval: time.Hour - 1}, nil},
		"a negative MaxData":       {core.Config{MaxData: -1}, []string{"MaxData"}},
		"MaxData of 64 MiB":        {core.Config{MaxData: 64 << 20}, nil},
		"MaxData beyond 64 MiB":    {core.Config{MaxData: 64<<20 + 1}, []string{"MaxData"}},
		"a negative LoadTimeout":   {core.Config{LoadTimeout: -1}, []string{"LoadTimeout"}},
		"a negative CommitTimeout": {core.Config{CommitTimeout: -1}, []string{"CommitTimeout"}},
		"a Namespace of 64":        {core.Config{Namespace: strings.Repeat("n", 64)}, nil},
		"a Namespace of 65": {
			core.Config{Namespace: strings.Repeat("n", 65)}, []string{"Namespace"},
		},
		"a Namespace with a blank": {core.Config{Namespace: "my shop ~"}, nil},
		"a Namespace beyond ASCII": {core.Config{Namespace: "größe"}, []string{"Namespace"}},
		"a Namespace with a NUL":   {core.Config{Namespace: "a\x00"}, []string{"Namespace"}},
		"a Namespace with a DEL":   {core.Config{Namespace: "a\x7f"}, []string{"Namespace"}},
		"a fault of the carrier": {
			core.Config{Carrier: core.Cookie{Path: "x"}}, []string{"Carrier.Path"},
		},
		"all at once": {core.Config{
			Lifetime: -1, IdleTimeout: -2, TouchInterval: -3, MaxData: -4, LoadTimeout: -5,
			CommitTimeout: -6, Namespace: strings.Repeat("é", 64),
			Carrier: core.Header{Name: "Vary"},
		}, []string{"Lifetime", "IdleTimeout", "TouchInterval", "MaxData", "LoadTimeout",
			"CommitTimeout", "Namespace", "Namespace", "Carrier.Name"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			requireFaults(t, test.cfg, test.faults...)
		})
	}
}

func goodConfig() core.Config {
	return core.Config{
		Store: core.NewMemoryStore(core.MemoryOptions{}), Lifetime: 8 * time.Hour,
		IdleTimeout: 20 * time.Minute, TouchInterval: time.Minute, Carrier: core.Bearer{},
		Namespace: "shop", MaxData: 1 << 10, LoadTimeout: time.Second, CommitTimeout: time.Second,
	}
}

// life is what a session of a Config says of its timeouts at its beginning.
func life(t *testing.T, cfg core.Config) (ends time.Duration, never bool) {
	t.Helper()
	m := newSite(t, cfg)
	session := m.begin()
	note.Set(session, "x")
	m.commit(session)
	if session.Expires().IsZero() {
		return 0, true
	}
	return session.Expires().Sub(session.Created()), false
}

func TestZeroMeansTheDefaults(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	tests := map[string]struct {
		cfg   core.Config
		ends  time.Duration
		never bool
	}{
		"an hour without use": {core.Config{}, hour, false},
		"a shorter Lifetime is the idle one": {
			core.Config{Lifetime: 10 * time.Minute}, 10 * time.Minute, false,
		},
		"a longer Lifetime does not lengthen": {core.Config{Lifetime: 30 * day}, hour, false},
		"without idle timeout a day":          {core.Config{IdleTimeout: core.Never}, day, false},
		"without a lifetime an hour":          {core.Config{Lifetime: core.Never}, hour, false},
		"without both for ever": {
			core.Config{Lifetime: core.Never, IdleTimeout: core.Never}, 0, true,
		},
		"nearly Never is for ever as well": {core.Config{
			Lifetime: core.Never, IdleTimeout: core.Never - 1}, core.Never - 1, false},
	}
	for name, test := range tests {
		bubble(t, name, func(t *testing.T) {
			ends, never := life(t, test.cfg)
			assert.Equal(t, test.never, never)
			assert.InDelta(t, float64(test.ends), float64(ends), float64(time.Millisecond))
		})
	}
}

// touchesWithin counts the touches of a session that is visited once a second.
func touchesWithin(t *testing.T, cfg core.Config, d time.Duration) int {
	t.Helper()
	m := newSite(t, cfg)
	token, _ := m.start(setNote("x"))
	for range d / time.Second {
		pass(time.Second)
		require.True(t, m.alive(token))
	}
	return m.store.count(opTouch)
}

func TestTheDefaultTouchIntervalIsATenthOfTheIdleTimeoutAndAtMostFiveMinutes(t *testing.T) {
	for name, test := range map[string]struct {
		cfg     core.Config
		touches int
	}{
		"an hour idle: every 5 minutes":        {core.Config{}, 9},
		"ten minutes idle: every minute":       {core.Config{IdleTimeout: 10 * time.Minute}, 45},
		"a day idle: every 5 minutes":          {core.Config{IdleTimeout: 24 * time.Hour}, 9},
		"no idle timeout: every 5 minutes":     {core.Config{IdleTimeout: core.Never}, 9},
		"as said":                              {core.Config{TouchInterval: 20 * time.Minute}, 2},
		"an interval longer than the interval": {core.Config{TouchInterval: 50 * time.Minute}, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			// Each touch is a second late, since only more than the interval counts.
			assert.Equal(t, test.touches, touchesWithin(t, test.cfg, 46*time.Minute))
		})
	}
}

func TestNewCopiesTheConfig(t *testing.T) {
	cfg := core.Config{MaxData: 20, Carrier: &core.Cookie{Name: "a"}}
	m := newSite(t, cfg)
	cfg.MaxData = 1
	cfg.Carrier.(*core.Cookie).Name = "b"
	line := setCookie(t, m.visit("", setNote("x")))
	assert.True(t, strings.HasPrefix(line, "a=T"))
}

func TestWithoutAStoreEachManagerHasItsOwn(t *testing.T) {
	one, err := core.New(core.Config{})
	require.NoError(t, err)
	two, err := core.New(core.Config{})
	require.NoError(t, err)
	a, b := &site{Manager: one, t: t}, &site{Manager: two, t: t}
	token, _ := a.start(setNote("x"))
	assert.True(t, a.alive(token))
	assert.False(t, b.alive(token))
	require.NoError(t, one.Close())
	require.NoError(t, two.Close())
}

func TestAConfigErrorSaysWhichFieldAndWhy(t *testing.T) {
	_, err := core.New(core.Config{MaxData: -1})
	require.EqualError(t, err, "session config: MaxData is negative")
}
