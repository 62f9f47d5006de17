package redisstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	ownerSpace = "owner:"
	// ownerBytes of an owner's SHA-256 are in the key, and no owner itself.
	ownerBytes = 24
	epochField = ":" // which is in no ID
	stampSize  = 8
	entrySize  = stampSize + 8
	// maxRemoved is how many entries are removed at once: the server does nothing else meanwhile.
	maxRemoved = 1000
)

func (s *Store) ownerKey(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return s.options.Prefix + ownerSpace + base64.RawURLEncoding.EncodeToString(sum[:ownerBytes])
}

// OwnerEpoch implements core.OwnerIndex. It is tried again as a Load is.
func (s *Store) OwnerEpoch(ctx context.Context, owner string) (core.Epoch, error) {
	value, err := s.text(ctx, reading{key: s.ownerKey(owner), field: epochField})
	switch {
	case rueidis.IsRedisNil(err):
		return 0, nil
	case err != nil:
		return 0, s.failed(ctx, err)
	}
	return epochOf(value)
}

// AddOwned implements core.OwnerIndex. It answers core.ErrStoreFull if the server's maxmemory is
// reached. With it some entries go that need not be kept any longer.
func (s *Store) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	s.watch.prepare(ctx)
	now, key := time.Now(), s.ownerKey(owner)
	args := append(s.entryArgs(&entry, epoch, now), strconv.Itoa(max(limit, 0)),
		strconv.FormatInt(now.UnixMilli()-slack, 10))
	w := write{script: s.scripts.add, key: key, args: args}
	a, err := s.write(ctx, &w, true)
	if !tookEffect(err) {
		return 0, err
	}
	if a.outcome != done {
		return int(countOf(a)), verdict(a.outcome)
	}
	s.remember(func() {
		s.journal.added(&entry, write{script: s.scripts.addAgain, key: key, args: args[:4]})
	})
	return int(countOf(a)), err
}

// entryArgs are the first arguments of the scripts that add an entry.
func (s *Store) entryArgs(entry *core.OwnerEntry, epoch core.Epoch, now time.Time) []string {
	return []string{
		numberText(uint64(epoch)), string(entry.ID),
		numberText(uint64(entry.Revision)) + numberText(untilOf(entry.Until)),
		ttl(entry.Until, now),
	}
}

func countOf(a answer) int64 {
	if len(a.more) == 0 {
		return 0
	}
	n, _ := a.more[0].AsInt64()
	return n
}

// ListOwned implements core.OwnerIndex. It is tried again as a Load is.
func (s *Store) ListOwned(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
	result, err := s.read(ctx, reading{key: s.ownerKey(owner), all: true})
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	fields, err := result.AsStrMap()
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	entries := make([]core.OwnerEntry, 0, len(fields))
	for field, value := range fields {
		if entries, err = appendEntry(entries, field, value); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// RemoveOwned implements core.OwnerIndex. It is confirmed by no replica. More than a thousand
// entries are removed in several steps.
func (s *Store) RemoveOwned(
	ctx context.Context, owner string, entries ...core.OwnerEntry,
) error {
	key := s.ownerKey(owner)
	for len(entries) > 0 {
		some := entries[:min(len(entries), maxRemoved)]
		entries = entries[len(some):]
		args := make([]string, 1, 1+2*len(some))
		args[0] = strconv.FormatInt(time.Now().UnixMilli()-slack, 10)
		for i := range some {
			args = append(args, string(some[i].ID), numberText(uint64(some[i].Revision)))
			s.journal.removed(&some[i])
		}
		if _, err := s.send(ctx, &write{script: s.scripts.remove, key: key, args: args}); err != nil {
			return err
		}
	}
	return nil
}

// RaiseEpoch implements core.OwnerIndex. It takes effect also if the server's maxmemory is reached.
func (s *Store) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (before core.Epoch, entries []core.OwnerEntry, err error) {
	s.watch.prepare(ctx)
	w := write{script: s.scripts.raise, key: s.ownerKey(owner), args: []string{
		numberText(uint64(epoch)), numberText(untilOf(until)), ttl(until, time.Now()),
	}}
	a, err := s.write(ctx, &w, true)
	if !tookEffect(err) {
		return 0, nil, err
	}
	before, entries, unread := raised(a)
	if unread != nil {
		return 0, nil, unread
	}
	s.remember(func() { s.journal.raised(w, before, entries) })
	return before, entries, err
}

// raised reads what a raise has answered.
func raised(a answer) (before core.Epoch, entries []core.OwnerEntry, err error) {
	if len(a.more) != 2 {
		return 0, nil, errAnswer
	}
	head, err := a.more[0].ToString()
	if err != nil {
		return 0, nil, err
	}
	if before, err = epochOf(head); err != nil {
		return 0, nil, err
	}
	fields, err := a.more[1].ToArray()
	if err != nil {
		return 0, nil, err
	}
	for ; len(fields) > 1 && err == nil; fields = fields[2:] {
		entries, err = readEntry(entries, &fields[0], &fields[1])
	}
	return before, entries, err
}

func readEntry(
	entries []core.OwnerEntry, field, value *rueidis.RedisMessage,
) ([]core.OwnerEntry, error) {
	name, err := field.ToString()
	if err != nil {
		return nil, err
	}
	text, err := value.ToString()
	if err != nil {
		return nil, err
	}
	return appendEntry(entries, name, text)
}

// appendEntry appends the entry of a field, if it is one.
func appendEntry(entries []core.OwnerEntry, field, value string) ([]core.OwnerEntry, error) {
	if field == epochField {
		return entries, nil
	}
	if len(value) != entrySize {
		return nil, errNoRecord
	}
	return append(entries, core.OwnerEntry{
		ID:       core.ID(field),
		Revision: core.Revision(number(value)),
		Until:    moment(int64(number(value[stampSize:]))),
	}), nil
}

// epochOf reads the epoch's field, which may be missing.
func epochOf(value string) (core.Epoch, error) {
	switch len(value) {
	case 0:
		return 0, nil
	case entrySize:
		return core.Epoch(number(value)), nil
	}
	return 0, errNoRecord
}

// numberText is a number in eight bytes.
func numberText(n uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return string(b[:])
}

// untilOf is a time in milliseconds since 1970. There is nothing before that: zero means never.
func untilOf(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(max(t.UnixMilli(), 1))
}

// freshEpoch is one that nobody has begun with.
func freshEpoch() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return string(b[:])
}
