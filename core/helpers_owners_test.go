package core_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The further operations of a spyStore.
const (
	opEpoch     = "owner epoch"
	opAdd       = "add owned"
	opList      = "list owned"
	opRemove    = "remove owned"
	opRaise     = "raise epoch"
	opMark      = "mark"
	opRaiseMark = "raise mark"
)

func (s *spyStore) OwnerEpoch(ctx context.Context, owner string) (epoch core.Epoch, err error) {
	err = s.do(ctx, opEpoch, func() error {
		epoch, err = s.MemoryStore.OwnerEpoch(ctx, owner)
		return err
	})
	return epoch, err
}

func (s *spyStore) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (n int, err error) {
	err = s.do(ctx, opAdd, func() error {
		n, err = s.MemoryStore.AddOwned(ctx, owner, entry, epoch, limit)
		return err
	})
	return n, err
}

func (s *spyStore) ListOwned(
	ctx context.Context, owner string,
) (entries []core.OwnerEntry, err error) {
	err = s.do(ctx, opList, func() error {
		entries, err = s.MemoryStore.ListOwned(ctx, owner)
		return err
	})
	return entries, err
}

func (s *spyStore) RemoveOwned(
	ctx context.Context, owner string, entries ...core.OwnerEntry,
) error {
	return s.do(ctx, opRemove, func() error {
		return s.MemoryStore.RemoveOwned(ctx, owner, entries...)
	})
}

func (s *spyStore) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (before core.Epoch, entries []core.OwnerEntry, err error) {
	err = s.do(ctx, opRaise, func() error {
		before, entries, err = s.MemoryStore.RaiseEpoch(ctx, owner, epoch, until)
		return err
	})
	return before, entries, err
}

func (s *spyStore) Mark(ctx context.Context, name string) (at time.Time, err error) {
	err = s.do(ctx, opMark, func() error {
		at, err = s.MemoryStore.Mark(ctx, name)
		return err
	})
	return at, err
}

func (s *spyStore) RaiseMark(ctx context.Context, name string, at time.Time) error {
	return s.do(ctx, opRaiseMark, func() error {
		return s.MemoryStore.RaiseMark(ctx, name, at)
	})
}

// signInAs is a whole request that begins a session of an owner.
func (s *site) signInAs(owner string) (token string, id core.ID) {
	s.t.Helper()
	return s.start(signIn(owner))
}

// sessions are the IDs of an owner's sessions, as the Manager lists them.
func (s *site) sessions(owner string) []core.ID {
	s.t.Helper()
	list, err := s.Sessions(s.t.Context(), owner)
	require.NoError(s.t, err)
	var ids []core.ID
	for _, info := range list {
		ids = append(ids, info.ID)
	}
	return ids
}

// entries are what the index holds, whatever has become of the sessions.
func (s *site) entries(owner string) (ids []core.ID) {
	s.t.Helper()
	entries, err := s.store.MemoryStore.ListOwned(s.t.Context(), indexName(owner))
	require.NoError(s.t, err)
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// indexName is under which name a Manager without a Namespace keeps an owner's entries.
func indexName(owner string) string {
	domain := sha256.Sum256([]byte("session namespace:"))
	name := sha256.Sum256(append(domain[:16:16], owner...))
	return base64.RawURLEncoding.EncodeToString(name[:])
}

// requireStale checks that a sign-in was refused since the owner's sessions were revoked.
func requireStale(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, core.ErrSignInStale)
	require.Equal(t, 409, core.Status(err))
}
