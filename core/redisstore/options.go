package redisstore

import (
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// NoReplicas, as Options.Replicas, has nothing confirmed.
	NoReplicas = -1
	// NoJournal, as Options.Journal, has nothing done again after a failover.
	NoJournal = -1

	defaultPrefix         = "session:"
	longestPrefix         = 64
	defaultConfirmTimeout = 500 * time.Millisecond
	defaultJournal        = 10_000
)

// Options are the settings of a Store. The zero Options is right for one application on a server,
// with replicas or without.
type Options struct {
	// Prefix begins each key. Zero means "session:". Applications that share a server have
	// different ones. It is at most 64 printable ASCII characters without blanks and braces, which
	// in a cluster would bring all sessions to one node.
	Prefix string
	// Replicas is how many replicas must confirm an end, a renewal, an entry or an epoch of an owner
	// and a mark. Zero is automatic: none
	// until a master is seen to have a replica, and from then on one, also if that goes away. In
	// automatic either every shard of a cluster has a replica or none has. Where the server does
	// not allow INFO, automatic means none. NoReplicas means none.
	Replicas int
	// ConfirmTimeout is how long those wait to be confirmed, within the context's time. Zero means
	// half a second.
	ConfirmTimeout time.Duration
	// ConfirmWrites has every Create and every Update confirmed as well, so that no change that a
	// client was told of is lost in a failover. A Touch never is.
	ConfirmWrites bool
	// Journal is how many of those that this process did in the last minute are remembered, to be
	// done again after a failover; of more, the oldest are forgotten. Renewals count by their size
	// as well, 16 MiB together. Zero means 10,000; NoJournal none.
	Journal int

	// TLS is for Open alone: the configuration of rediss:// connections. nil means the system's
	// certificates, and the name that is dialled.
	TLS *tls.Config
	// Credentials is for Open alone: it is asked for the user name and the password for each
	// connection, for passwords that change. nil means those of the URL. With Sentinel, make a
	// client of your own and call New.
	Credentials func(server net.Addr) (username, password string, err error)
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	if o.ConfirmTimeout == 0 {
		o.ConfirmTimeout = defaultConfirmTimeout
	}
	if o.Journal == 0 {
		o.Journal = defaultJournal
	}
	return o
}

// faults collects what is wrong with Options and with the URL.
type faults []error

func (f *faults) add(bad bool, field, reason string) {
	if bad {
		*f = append(*f, &core.ConfigError{Field: "redisstore." + field, Reason: reason})
	}
}

func (f faults) err() error { return errors.Join(f...) }

func (o *Options) check(f *faults) {
	f.add(len(o.Prefix) > longestPrefix, "Options.Prefix", "is longer than 64 characters")
	f.add(!keyText(o.Prefix), "Options.Prefix",
		"is not printable ASCII without blanks and braces")
	f.add(o.Replicas < NoReplicas, "Options.Replicas", "is less than NoReplicas")
	f.add(o.ConfirmTimeout < 0, "Options.ConfirmTimeout", "is negative")
	f.add(o.ConfirmTimeout > 0 && o.ConfirmTimeout < time.Millisecond,
		"Options.ConfirmTimeout", "is less than a millisecond")
	f.add(o.Journal < NoJournal, "Options.Journal", "is less than NoJournal")
}

func keyText(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '{' || s[i] == '}' {
			return false
		}
	}
	return true
}
