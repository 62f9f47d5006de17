package core

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"
)

// Never, as a timeout, is no timeout.
const Never time.Duration = math.MaxInt64

const (
	defaultLifetime      = 24 * time.Hour
	defaultIdleTimeout   = time.Hour
	maxTouchInterval     = 5 * time.Minute
	defaultMaxData       = 64 << 10
	greatestMaxData      = 64 << 20
	defaultLoadTimeout   = 2 * time.Second
	defaultCommitTimeout = 5 * time.Second

	// touchTimeout bounds what a touch may add to a request.
	touchTimeout = 250 * time.Millisecond
	// clockTolerance is by how much the clocks of two nodes may differ.
	clockTolerance moment = 60_000
	// outdatedFor is how long a replaced token is told from an unknown one.
	outdatedFor moment = 60_000
	// sweepInterval is how often expired records are removed.
	sweepInterval = time.Minute
)

// A Config says how sessions are kept. The zero Config is right for production over HTTPS: sessions
// in this process's memory, at most a day old and an hour unused, held by the browser in the cookie
// __Host-sid. New copies it; changing it afterwards has no effect.
type Config struct {
	// Store keeps the records. nil means a new MemoryStore.
	Store Store
	// Lifetime is the greatest age of a session, its absolute timeout; a renewal does not extend
	// it. Zero means 24 hours, the limit of NIST SP 800-63B for AAL2; Never means none. It is at
	// least a millisecond.
	Lifetime time.Duration
	// IdleTimeout is the greatest time without use. Zero means one hour (same source), or Lifetime
	// if that is shorter; Never means none. It must not be greater than Lifetime.
	IdleTimeout time.Duration
	// TouchInterval is how much of the idle time must have passed before a use is written to the
	// store: the idle timeout may come that much too early, and every request in between costs no
	// write. Zero means a tenth of IdleTimeout, at most five minutes. It must be less than
	// IdleTimeout.
	TouchInterval time.Duration
	// Carrier takes tokens in and out. nil means Cookie{}.
	Carrier Carrier
	// Namespace separates applications that share a store: a token, Open and Revoke do not reach
	// beyond it. It is at most 64 printable ASCII characters; "" is one, too. Changing it ends all
	// sessions.
	Namespace string
	// MaxData bounds a session's encoded values, names included, in bytes. Zero means 64 KiB.
	MaxData int
	// MaxPerOwner is how many sessions an owner may have at once (OWASP ASVS 5.0, 7.1.2). Zero means
	// any number. It holds at each sign-in, however many come at once; what an owner has already
	// when the limit is lowered stays until the next one. The store must be an OwnerIndex.
	MaxPerOwner int
	// OwnerPolicy is what happens at a sign-in above MaxPerOwner. RefuseNew, the zero value, makes
	// Commit fail with ErrOwnerLimit; EndUnusedLongest ends the owner's session that has not been
	// used for the longest time.
	OwnerPolicy LimitPolicy
	// NotBefore ends all sessions that began before it or within the minute after, since clocks may
	// differ: for after a backup of the store was restored, in which ended sessions are alive, and
	// whose own mark (see Manager.RevokeBefore) is as old as it. Nothing of it is kept in the store:
	// leave it in all programs until Lifetime has passed, or those sessions are alive again. The zero
	// time means none. It must not be more than a minute in the future.
	NotBefore time.Time
	// LoadTimeout and CommitTimeout bound what the store may take at the beginning of a request and
	// in one Commit with all its retries. Zero means 2 and 5 seconds. To take back a sign-in that was
	// refused, a Commit may take LoadTimeout longer.
	LoadTimeout, CommitTimeout time.Duration
	// Logger gets each Event; nil means that nothing is logged. A token never is.
	Logger *slog.Logger
	// Observe gets each Event, in the goroutine of the request, or in one of the Manager's, where a
	// panic ends the process: it must be quick, safe for concurrent use, and must not use the
	// request's session.
	Observe func(context.Context, Event)
	// ObserveStore gets each call to the store when it has returned, in the goroutine that made it:
	// for metrics and traces. It must be quick and safe for concurrent use. nil costs nothing.
	ObserveStore func(context.Context, StoreCall)
}

// withDefaults puts in what zero means.
func (cfg Config) withDefaults() Config {
	if cfg.Store == nil {
		cfg.Store = NewMemoryStore(MemoryOptions{})
	}
	if cfg.Carrier == nil {
		cfg.Carrier = Cookie{}
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = defaultLifetime
	}
	// What follows from another field must not look wrong only because that one is.
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = defaultIdleTimeout
		if cfg.Lifetime >= time.Millisecond {
			cfg.IdleTimeout = min(defaultIdleTimeout, cfg.Lifetime)
		}
	}
	if cfg.TouchInterval == 0 {
		cfg.TouchInterval = max(0, min(cfg.IdleTimeout/10, maxTouchInterval))
	}
	if cfg.MaxData == 0 {
		cfg.MaxData = defaultMaxData
	}
	if cfg.LoadTimeout == 0 {
		cfg.LoadTimeout = defaultLoadTimeout
	}
	if cfg.CommitTimeout == 0 {
		cfg.CommitTimeout = defaultCommitTimeout
	}
	return cfg
}

// faults collects what is wrong with a Config.
type faults []error

func (f *faults) add(bad bool, field, reason string) {
	if bad {
		*f = append(*f, &ConfigError{Field: field, Reason: reason})
	}
}

// check judges a Config that has its defaults.
func (cfg Config) check() error {
	var f faults
	f.add(cfg.Lifetime < time.Millisecond, "Lifetime", "is less than a millisecond")
	f.add(cfg.IdleTimeout < time.Millisecond, "IdleTimeout", "is less than a millisecond")
	f.add(cfg.Lifetime >= time.Millisecond && cfg.IdleTimeout != Never &&
		cfg.IdleTimeout > cfg.Lifetime, "IdleTimeout", "is greater than Lifetime")
	f.add(cfg.TouchInterval < 0, "TouchInterval", "is negative")
	f.add(cfg.IdleTimeout > 0 && cfg.TouchInterval >= cfg.IdleTimeout,
		"TouchInterval", "is not less than IdleTimeout")
	f.add(cfg.MaxData < 0, "MaxData", "is negative")
	f.add(cfg.MaxData > greatestMaxData, "MaxData", "is greater than 64 MiB")
	f.add(cfg.LoadTimeout < 0, "LoadTimeout", "is negative")
	f.add(cfg.CommitTimeout < 0, "CommitTimeout", "is negative")
	f.add(len(cfg.Namespace) > 64, "Namespace", "is longer than 64 characters")
	f.add(!printable(cfg.Namespace), "Namespace", "is not printable ASCII")
	f.add(cfg.MaxPerOwner < 0, "MaxPerOwner", "is negative")
	f.add(cfg.OwnerPolicy > EndUnusedLongest, "OwnerPolicy", "is none of the policies")
	f.add(momentOf(cfg.NotBefore) > now()+clockTolerance, "NotBefore",
		"is more than a minute in the future")
	if _, able := cfg.Store.(OwnerIndex); !able && cfg.MaxPerOwner > 0 {
		f = append(f, &ConfigError{
			Field: "MaxPerOwner", Reason: "needs a Store that is an OwnerIndex",
			Err: errors.ErrUnsupported,
		})
	}
	cfg.Carrier.check(&f)
	return errors.Join(f...)
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
