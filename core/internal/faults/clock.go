package faults

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A ShiftedStore is what a store looks like to a node whose clock is off: a node whose clock is an
// hour fast writes times that are an hour later, and takes times that others wrote to be an hour
// earlier, compared with its own clock. Since core keeps times nowhere but in a record (Used,
// Expires and, in Data, when the session was created and its tokens were replaced), and compares
// them with nothing but its clock, a Manager over a ShiftedStore writes and judges exactly as one
// with such a clock would.
//
// It does not shift what the store itself takes from the clock of its own process, nor deadlines of
// contexts, which are spans.
type ShiftedStore struct {
	inner core.Store
	by    time.Duration
}

// Shift makes the store of a node whose clock is fast by so much, slow if it is negative. It must
// be whole milliseconds.
func Shift(store core.Store, by time.Duration) *ShiftedStore {
	return &ShiftedStore{store, by}
}

// Create implements core.Store.
func (s *ShiftedStore) Create(ctx context.Context, rec core.Record) error {
	return s.inner.Create(ctx, shifted(rec, s.by))
}

// Load implements core.Store.
func (s *ShiftedStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	rec, err := s.inner.Load(ctx, id)
	if err != nil {
		return rec, err
	}
	return shifted(rec, -s.by), nil
}

// Update implements core.Store.
func (s *ShiftedStore) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.inner.Update(ctx, shifted(rec, s.by), was)
}

// Delete implements core.Store.
func (s *ShiftedStore) Delete(ctx context.Context, id core.ID) error {
	return s.inner.Delete(ctx, id)
}

// Touch implements core.Toucher.
func (s *ShiftedStore) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return touch(ctx, s.inner, shifted(rec, s.by), was)
}

// Renew implements core.Renewer.
func (s *ShiftedStore) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	return renew(ctx, s.inner, shifted(rec, s.by), was)
}

// DeleteExpired implements core.Sweeper.
func (s *ShiftedStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	if inner, ok := s.inner.(core.Sweeper); ok {
		return inner.DeleteExpired(ctx, now.Add(s.by))
	}
	return 0, errors.ErrUnsupported
}

// Where docs/record-format.md has the times in Data.
const (
	createdAt     = 50
	previousAt    = 58 // how many, then as many entries
	previousEntry = 40 // the last 8 bytes are when the token was replaced
)

// shifted moves all times of a record.
func shifted(rec core.Record, by time.Duration) core.Record {
	move := func(at time.Time) time.Time {
		if at.IsZero() {
			return at
		}
		return at.Add(by)
	}
	rec.Used, rec.Expires = move(rec.Used), move(rec.Expires)
	if len(rec.Data) <= previousAt || rec.Data[0] != 1 {
		return rec
	}
	data := []byte(rec.Data)
	moveAt := func(offset int) {
		if field := data[offset:]; len(field) >= 8 {
			at := binary.BigEndian.Uint64(field)
			binary.BigEndian.PutUint64(field, at+uint64(by.Milliseconds()))
		}
	}
	moveAt(createdAt)
	for i := range int(data[previousAt]) {
		end := previousAt + 1 + (i+1)*previousEntry
		if end > len(data) {
			break
		}
		moveAt(end - 8)
	}
	rec.Data = string(data)
	return rec
}
