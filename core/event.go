package core

import (
	"context"
	"log/slog"
	"strings"
)

// An EventKind names a step in a session's life. Those with a counterpart in OWASP's logging
// vocabulary have its name.
type EventKind string

// The kinds of events. docs/security.md lists what each means and when to look at it.
const (
	// SessionCreated: a session was stored and its token handed out.
	SessionCreated EventKind = "session_created"
	// SessionRenewed: a session has a new token; Reason is "renew" or "owner".
	SessionRenewed EventKind = "session_renewed"
	// SessionExpired: a session was ended; Reason is "destroyed", "owner", "revoked", or "limit"
	// where it made room for another one of its owner's.
	SessionExpired EventKind = "session_expired"
	// SessionUseAfterExpire: a good token came for a session past its timeout; Reason is "idle",
	// "lifetime", or "revoked" by RevokeBefore or Config.NotBefore.
	SessionUseAfterExpire EventKind = "session_use_after_expire"
	// TokenUnknown: a well-formed token belongs to no session: the session was ended, the token was
	// replaced long ago, or it was guessed. ID is what the client claims.
	TokenUnknown EventKind = "token_unknown"
	// TokenMalformed: a carrier held something that is no token.
	TokenMalformed EventKind = "token_malformed"
	// TokenAmbiguous: a request carried two different tokens.
	TokenAmbiguous EventKind = "token_ambiguous"
	// TokenOutdated: a token came that was replaced within the last minute.
	TokenOutdated EventKind = "token_outdated"
	// SignInRefused: Commit has refused a sign-in that the application had let through. Reason is
	// "limit", "revoked" where all sessions, the owner's or everybody's, were revoked since it began,
	// or "expired" where it began more than an hour ago. Each Commit that refuses it tells of it.
	SignInRefused EventKind = "sign_in_refused"
	// AllRevoked: the Manager has learned that all sessions before a moment are revoked.
	AllRevoked EventKind = "all_sessions_revoked"
	// WatchLost: the store does not tell of ends any more, for which Err says why; until it does,
	// sessions with a Session.Live are looked at every few seconds.
	WatchLost EventKind = "watch_lost"
	// WatchRestored: the store tells of ends again.
	WatchRestored EventKind = "watch_restored"
	// ChangesDropped: changes went with a session, or a value, that another request had ended. Name
	// is the value's, or "" for all.
	ChangesDropped EventKind = "changes_dropped"
	// ChangesLost: what changed after the first byte of the response could not be stored; Err says
	// why. The client has its answer.
	ChangesLost EventKind = "changes_lost"
	// StoreFailure: the store answered with an error; Err says which.
	StoreFailure EventKind = "store_failure"
	// EndUnconfirmed: an end, a renewal or another write is not confirmed by enough copies yet; with
	// a Reason, the Manager has given up confirming it.
	EndUnconfirmed EventKind = "end_unconfirmed"
	// ValueUndecodable: a stored value is not of the type asked for; Name says which.
	ValueUndecodable EventKind = "value_undecodable"
	// ClockAhead: a record's times lie more than a minute in the future.
	ClockAhead EventKind = "clock_ahead"
)

// EventKinds lists all kinds of events.
func EventKinds() []EventKind {
	return []EventKind{
		SessionCreated, SessionRenewed, SessionExpired, SessionUseAfterExpire,
		TokenUnknown, TokenMalformed, TokenAmbiguous, TokenOutdated,
		SignInRefused, AllRevoked, WatchLost, WatchRestored,
		ChangesDropped, ChangesLost, StoreFailure, EndUnconfirmed, ValueUndecodable, ClockAhead,
	}
}

// level says how loud an event is in a log.
func (k EventKind) level() slog.Level {
	switch k {
	case SessionCreated, SessionRenewed, SessionExpired, TokenOutdated, WatchRestored:
		return slog.LevelInfo
	case StoreFailure, EndUnconfirmed, ChangesLost:
		return slog.LevelError
	}
	return slog.LevelWarn
}

// An Event is one step in a session's life. It never holds a token or a value.
type Event struct {
	Kind   EventKind
	ID     ID     // "" where there is none
	Owner  string // "" for nobody
	Reason string // see the kind
	Name   string // of a value, where one is at fault
	Err    error
}

// emit tells Observe and the Logger, in this order, in the caller's goroutine.
func (m *Manager) emit(ctx context.Context, e Event) {
	if m.observe != nil {
		e.ID = ID(strings.Clone(string(e.ID))) // as Session.ID does
		m.observe(ctx, e)
	}
	if m.logger == nil || !m.logger.Enabled(ctx, e.Kind.level()) {
		return
	}
	attrs := make([]slog.Attr, 0, 5)
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("id", string(e.ID))
	text("owner", e.Owner)
	text("reason", e.Reason)
	text("name", e.Name)
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	m.logger.LogAttrs(ctx, e.Kind.level(), string(e.Kind), attrs...)
}
