package anystore

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/serve"
)

// password is one that no error may hold.
const password = "hunter2"

func TestMemoryIsOpenAtOnce(t *testing.T) {
	store, closeStore, err := Open(t.Context(), Memory)
	require.NoError(t, err)
	require.IsType(t, &core.MemoryStore{}, store)
	require.NoError(t, closeStore())
}

func TestWhatIsNoStoreIsAUsageErrorThatListsThem(t *testing.T) {
	for _, name := range []string{
		"",
		":",
		"Memory",
		"memory:",
		"sqlite:",
		"sessions.db",
		"mysql://ada:" + password + "@127.0.0.1/shop",
		"host=127.0.0.1 password=" + password,
		"postgres:",
		"postgres://ada:" + password + "@127.0.0.1:port/shop",
		"postgres://ada:" + password + "%zz@127.0.0.1/shop",
		"redis://:" + password + "@127.0.0.1:port",
		"redis://127.0.0.1:6379?pass=" + password,
		"redis:" + password,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(t.Context(), name)
			var usage *serve.UsageError
			require.ErrorAs(t, err, &usage)
			require.Equal(t, "store", usage.Flag)
			for _, form := range []string{"memory ", "sqlite:FILE", "postgres://", "redis://"} {
				assert.Contains(t, err.Error(), "\n  "+form)
			}
			assert.NotContains(t, err.Error(), password)
		})
	}
}

func TestAServerThatIsNotThereIsOneClearLine(t *testing.T) {
	const free = "127.0.0.1:1" // nobody's: only root could listen there
	file := filepath.Join(t.TempDir(), "nowhere", "sessions.db")
	for name, where := range map[string]string{
		"postgres://ada:" + password + "@" + free + "/shop":        "postgres://" + free,
		"postgresql://" + free + "/shop?password=" + password:      "postgresql://" + free,
		"redis://ada:" + password + "@" + free:                     "redis://" + free,
		"rediss://ada:" + password + "@" + free:                    "rediss://" + free,
		"valkey://" + free:                                         "valkey://" + free,
		"unix://" + filepath.Join(filepath.Dir(file), "no.socket"): "no.socket",
		"sqlite:" + file: file,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(t.Context(), name)
			require.Error(t, err)
			var usage *serve.UsageError
			require.False(t, errors.As(err, &usage), "the flag is right")
			assert.Contains(t, err.Error(), where)
			assert.NotContains(t, err.Error(), password)
			assert.NotContains(t, err.Error(), "\n")
			t.Log(err)
		})
	}
}

func TestAServerThatDoesNotAnswerIsNotWaitedForForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.ErrorIs(t, prepare(t.Context(), silent{}), context.DeadlineExceeded)
		require.Equal(t, startTime, time.Since(began))
	})
}

// silent is a store whose server takes connections and says nothing.
type silent struct{ core.Store }

func (silent) Ping(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (silent) Close() error { return nil }

func TestPlaceTellsNoPassword(t *testing.T) {
	for name, want := range map[string]string{
		"redis://ada:hunter2@one:6379?addr=two:6379": "redis://one:6379",
		"redis://:hunter2@[::1]:6379/0":              "redis://[::1]:6379",
		"redis://:hun/ter2@one:6379":                 "redis:",
		"redis://ada:12/hunter2@one:6379":            "redis:",
		"postgres://ada@one,two/shop?password=a@b":   "postgres:",
		"postgres:///shop?host=/run&password=x":      "postgres://",
		"unix:///run/redis.sock?db=1":                "/run/redis.sock",
		"sqlite:/srv/sessions.db":                    "/srv/sessions.db",
	} {
		assert.Equal(t, want, place(name), name)
	}
}

func TestLine(t *testing.T) {
	assert.Equal(t, "one two three", line(errorText(" one\n\ttwo  three\n")))
	assert.Less(t, len(strings.Split(Usage, "\n")[1]), 90, "it fits a terminal")
}

type errorText string

func (e errorText) Error() string { return string(e) }
