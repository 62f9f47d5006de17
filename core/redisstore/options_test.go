package redisstore_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// nowhere is an address at which nothing answers: a constructor that connects hangs or fails.
const nowhere = "redis://192.0.2.1:6379"

func TestOptionsThatAreWrongAreRefusedAtOnceAndAllTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		options redisstore.Options
		fields  []string
	}{
		"a long prefix": {
			redisstore.Options{Prefix: strings.Repeat("x", 65)}, []string{"Options.Prefix"},
		},
		"a blank in the prefix": {redisstore.Options{Prefix: "a b"}, []string{"Options.Prefix"}},
		"a letter of no ASCII":  {redisstore.Options{Prefix: "é:"}, []string{"Options.Prefix"}},
		"a brace":               {redisstore.Options{Prefix: "{a"}, []string{"Options.Prefix"}},
		"a closing brace":       {redisstore.Options{Prefix: "a}"}, []string{"Options.Prefix"}},
		"fewer than none": {
			redisstore.Options{Replicas: -2, Journal: -2},
			[]string{"Options.Replicas", "Options.Journal"},
		},
		"a negative time": {
			redisstore.Options{ConfirmTimeout: -time.Second}, []string{"Options.ConfirmTimeout"},
		},
		"hardly a time": {
			redisstore.Options{ConfirmTimeout: time.Microsecond},
			[]string{"Options.ConfirmTimeout"},
		},
		"TLS without rediss": {redisstore.Options{TLS: &tls.Config{}}, []string{"Options.TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := redisstore.Open(nowhere, tt.options)
			require.Equal(t, tt.fields, fieldsOf(err))
		})
	}
}

// fieldsOf lists the fields that an error says are wrong.
func fieldsOf(err error) []string {
	var fields []string
	all, _ := err.(interface{ Unwrap() []error })
	for _, one := range all.Unwrap() {
		var fault *core.ConfigError
		if errors.As(one, &fault) {
			fields = append(fields, strings.TrimPrefix(fault.Field, "redisstore."))
		}
	}
	return fields
}

func TestOpenUnderstandsURLsAndDoesNotConnect(t *testing.T) {
	for _, url := range []string{
		nowhere, "rediss://192.0.2.1", "valkey://192.0.2.1:1/2", "valkeys://user:a%2Fb@192.0.2.1",
		nowhere + "?addr=192.0.2.2:6379&addr=192.0.2.3", "unix:///run/redis.sock?db=3",
		nowhere + "?addr=192.0.2.2:6379&master_set=main&sentinel_username=a&sentinel_password=b",
		nowhere + "?dial_timeout=1s&write_timeout=1s&client_name=shop&protocol=2&db=1",
	} {
		t.Run(url, func(t *testing.T) {
			store, err := redisstore.Open(url, redisstore.Options{})
			require.NoError(t, err)
			require.NoError(t, store.Close())
		})
	}
}

func TestAURLThatIsWrongIsRefusedWithoutTellingThePassword(t *testing.T) {
	for name, url := range map[string]string{
		"none":                       "",
		"another scheme":             "http://:s3cret@localhost",
		"no scheme":                  "localhost:6379",
		"no host":                    "redis://:s3cret@",
		"a slash in the password":    "redis://:s3cret/s3cret@localhost",
		"a question mark in it":      "redis://:s3cret?s3cret@localhost",
		"a number sign in it":        "redis://:s3cret#s3cret@localhost",
		"a percent sign in it":       "redis://:s3cret%s3cret@localhost",
		"a control character":        "redis://:s3cret\x00@localhost",
		"a path that is no number":   "redis://:s3cret@localhost/s3cret",
		"a long path":                "redis://:s3cret@localhost/1/s3cret",
		"a db that is no number":     "redis://:s3cret@localhost?db=s3cret",
		"an unknown parameter":       "redis://:s3cret@localhost?s3cret=1",
		"a timeout that is none":     "redis://:s3cret@localhost?dial_timeout=s3cret",
		"a timeout that is negative": "redis://:s3cret@localhost?write_timeout=-1s",
		"a port that is none":        "redis://:s3cret@localhost:s3cret",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := redisstore.Open(url, redisstore.Options{Prefix: "{"})
			require.Equal(t, []string{"Open", "Options.Prefix"}, fieldsOf(err))
			require.NotContains(t, fmt.Sprintf("%v %+v %#v %q", err, err, err, err), "s3cret")
		})
	}
}

func TestCredentialsDoNotGoToSentinels(t *testing.T) {
	credentials := func(net.Addr) (string, string, error) { return "", "", nil }
	_, err := redisstore.Open(nowhere+"?master_set=main",
		redisstore.Options{Credentials: credentials})
	require.Equal(t, []string{"Options.Credentials"}, fieldsOf(err))
}

func TestNewNeedsAClientAndTakesNoOptionsOfOpen(t *testing.T) {
	credentials := func(net.Addr) (string, string, error) { return "", "", nil }
	_, err := redisstore.New(nil, redisstore.Options{
		TLS: &tls.Config{}, Credentials: credentials, Replicas: -3,
	})
	require.Equal(t,
		[]string{"New", "Options.TLS", "Options.Credentials", "Options.Replicas"}, fieldsOf(err))
}

func TestAStorePrintsAsAFixedText(t *testing.T) {
	store, err := redisstore.Open("redis://user:s3cret@192.0.2.1", redisstore.Options{})
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		require.Equal(t, "[session redis store]", fmt.Sprintf(verb, store))
	}
	require.Equal(t, core.BestEffort, store.Durability())
	require.NoError(t, store.Close())
}

func TestDurabilityIsWhatWasAskedFor(t *testing.T) {
	for replicas, want := range map[int]core.Durability{
		redisstore.NoReplicas: core.BestEffort, 0: core.BestEffort,
		1: core.Replicated, 2: core.Replicated,
	} {
		store, err := redisstore.Open(nowhere, redisstore.Options{Replicas: replicas})
		require.NoError(t, err)
		require.Equal(t, want, store.Durability())
		require.NoError(t, store.Close())
	}
}
