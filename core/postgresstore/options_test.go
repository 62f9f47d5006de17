package postgresstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

const nowhere = "postgres://app:geheim@127.0.0.1:1/app"

func TestATableHasAName(t *testing.T) {
	for _, name := range []string{
		"", "sessions", "s", "_", "s2", "user", "app.sessions", "user.user",
		strings.Repeat("x", 50), strings.Repeat("y", 63) + "." + strings.Repeat("x", 50),
	} {
		store, err := postgresstore.Open(nowhere, postgresstore.Options{Table: name})
		if assert.NoError(t, err, name) {
			require.NoError(t, store.Close())
		}
	}
	for _, name := range []string{
		".", "a.", ".a", "a.b.c", "2s", "A", "a b", "a-b", `a"b`, "a;b", "ä", "a\x00", "app.2s",
		strings.Repeat("x", 51), strings.Repeat("y", 64) + ".x",
	} {
		_, err := postgresstore.Open(nowhere, postgresstore.Options{Table: name})
		var fault *core.ConfigError
		if assert.ErrorAs(t, err, &fault, name) {
			assert.Equal(t, "postgresstore.Options.Table", fault.Field)
		}
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	bad := postgresstore.Options{Table: "a b", Listen: "mysql://"}
	_, err := postgresstore.Open("", bad)
	require.ErrorContains(t, err, "Open's url is empty")
	require.ErrorContains(t, err, "Options.Table")
	require.ErrorContains(t, err, "Options.Listen")
	_, err = postgresstore.New(nil, bad)
	require.ErrorContains(t, err, "New's db is nil")
	require.ErrorContains(t, err, "Options.Table")
}

func TestAURLThatIsRefusedIsNotShown(t *testing.T) {
	for _, url := range []string{
		"postgres://app:geheim@127.0.0.1:port/app",
		"postgres://app:ge%zzheim@127.0.0.1/app",
		"postgres://app:@geheim:@127.0.0.1/app?sslmode=wrong",
		"postgres://app@127.0.0.1/app?password=geheim&pool_max_conns=none",
		"host=127.0.0.1 password='geheim sslmode=disable",
		"mysql://app:geheim@127.0.0.1/app",
		"postgres://app:geheim@127.0.0.1/app?sslrootcert=/no/such/file&sslmode=verify-full",
	} {
		_, opened := postgresstore.Open(url, postgresstore.Options{})
		_, listens := postgresstore.Open(nowhere, postgresstore.Options{Listen: url})
		for _, err := range []error{opened, listens} {
			var fault *core.ConfigError
			require.ErrorAs(t, err, &fault, url)
			for e := err; e != nil; e = errors.Unwrap(e) {
				assert.NotContains(t, fmt.Sprintf("%+v %#v", e, e), "heim")
			}
		}
	}
}

func TestAStoreSaysNothingOfItself(t *testing.T) {
	store := openOnly(t, nowhere, postgresstore.Options{})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q"} {
		assert.Equal(t, "[PostgreSQL session store]", fmt.Sprintf(verb, store))
	}
}

func TestTheDurabilityIsThatOfTheOptions(t *testing.T) {
	assert.Equal(t, core.Durable, openOnly(t, nowhere, postgresstore.Options{}).Durability())
	assert.Equal(t, core.Replicated,
		openOnly(t, nowhere, postgresstore.Options{Standby: true}).Durability())
}
