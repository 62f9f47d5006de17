package redisstore

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// parse reads a URL, and says what is wrong with it without quoting it: the password is in it,
// perhaps where nobody looks for it.
func parse(address string) (client rueidis.ClientOption, reason string) {
	if rest, ok := strings.CutPrefix(address, "valkey"); ok {
		address = "redis" + rest
	}
	const unescaped = "; is a sign in the password not written as %..?"
	u, err := url.Parse(address)
	if err != nil {
		return client, "that is none" + unescaped
	}
	switch u.Scheme {
	case "redis", "rediss", "unix":
	default:
		return client, "whose scheme is not redis, rediss, valkey, valkeys or unix"
	}
	if u.Scheme != "unix" && u.Hostname() == "" || u.Fragment != "" {
		return client, "without a host" + unescaped
	}
	query := u.Query()
	for name := range query {
		if !parameter(name) {
			return client, "with a parameter that it does not know" + unescaped
		}
	}
	silence, err1 := time.ParseDuration(cmp.Or(query.Get("write_timeout"), pingTimeout.String()))
	dial, err2 := time.ParseDuration(cmp.Or(query.Get("dial_timeout"), dialTimeout.String()))
	if err1 != nil || err2 != nil || silence <= 0 || dial <= 0 {
		return client, "with a timeout that is none, as 2s is"
	}
	if client, err = rueidis.ParseURL(address); err != nil {
		return client, "whose path or db is no number" + unescaped
	}
	client.ConnWriteTimeout, client.Dialer.Timeout = silence, dial
	client.Sentinel.Username = query.Get("sentinel_username")
	client.Sentinel.Password = query.Get("sentinel_password")
	return client, ""
}

func parameter(name string) bool {
	switch name {
	case "addr", "client_name", "db", "dial_timeout", "master_set", "protocol",
		"sentinel_password", "sentinel_username", "write_timeout":
		return true
	}
	return false
}
