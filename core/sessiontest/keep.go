package sessiontest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// keepChecks are about records that come back equal, whatever is in them.
func keepChecks() []StoreCheck {
	return []StoreCheck{{
		Name:     "data-bytes",
		Sentence: "Data is opaque to the store: arbitrary bytes, not text.",
		Run:      checkDataBytes,
	}, {
		Name:     "data-large",
		Sentence: "A store gives Records back equal to what it was given, also one of 1 MiB.",
		Run:      checkDataLarge,
	}, {
		Name:     "data-stays",
		Sentence: "A Record that Load returned is the caller's: no later write changes it.",
		Run:      checkDataStays,
	}, {
		Name: "owner",
		Sentence: "Owner is valid UTF-8 without NUL, of at most 255 bytes, and comes back " +
			"equal.",
		Run: checkOwner,
	}, {
		Name: "times",
		Sentence: "Used and Expires are UTC, in whole milliseconds, and come back equal; a " +
			"zero Expires comes back zero.",
		Run: checkTimes,
	}, {
		Name:     "revision",
		Sentence: "A Revision is 64 bits, all of which are kept and compared.",
		Run:      checkRevision,
	}}
}

// kept stores a record with Create, and another time with Update, and returns how what comes back
// differs.
func kept(ctx context.Context, store core.Store, rec core.Record) error {
	rec.ID = newID()
	if err := store.Create(ctx, rec); err != nil {
		return fmt.Errorf("Create: %w", err)
	}
	if err := holds(ctx, store, rec); err != nil {
		return fmt.Errorf("after Create: %w", err)
	}
	before := version(newID(), 1)
	rec.ID = before.ID
	if err := store.Create(ctx, before); err != nil {
		return fmt.Errorf("Create: %w", err)
	}
	if err := store.Update(ctx, rec, before.Revision); err != nil {
		return fmt.Errorf("Update: %w", err)
	}
	if err := holds(ctx, store, rec); err != nil {
		return fmt.Errorf("after Update: %w", err)
	}
	return nil
}

// everyByte is a string of all 256 bytes.
func everyByte() string {
	var b strings.Builder
	for i := range 256 {
		b.WriteByte(byte(i))
	}
	return b.String()
}

func checkDataBytes(ctx context.Context, store core.Store) error {
	for _, data := range []string{
		"", "\x00", "a\x00b\x00", everyByte(), "\xff\xfe\xfd", "\xed\xa0\x80", "\ufeff\ufffd",
		"\r\n \t", "trailing blanks  \n", `\x41\000\\`, "0017", "null", `{"a":1}`, "'; --%s%00",
	} {
		rec := version("", 2)
		rec.Data = data
		if err := kept(ctx, store, rec); err != nil {
			return fmt.Errorf("with the Data %s: %w", excerpt(data), err)
		}
	}
	return nil
}

func checkDataLarge(ctx context.Context, store core.Store) error {
	rec := version("", 2)
	rec.Data = strings.Repeat(everyByte(), 1<<20/256)
	return kept(ctx, store, rec)
}

func checkDataStays(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	loaded, err := store.Load(ctx, rec.ID)
	if err != nil {
		return err
	}
	next := version(rec.ID, 2)
	next.Owner = strings.Repeat("o", len(rec.Owner)) // of the same length: a store's buffer for
	next.Data = strings.Repeat("d", len(rec.Data))   // it would be used again
	err = first(
		func() error { return store.Update(ctx, next, rec.Revision) },
		func() error { _, err := store.Load(ctx, rec.ID); return err },
		func() error { return store.Delete(ctx, rec.ID) },
		func() error { _, err := created(ctx, store); return err },
	)
	if err != nil {
		return err
	}
	if err := differ(loaded, rec); err != nil {
		return fmt.Errorf("the Record that was loaded before other writes: %w", err)
	}
	return nil
}

func checkOwner(ctx context.Context, store core.Store) error {
	for _, owner := range []string{
		"", "user:42", "a{b}c:{d}:", "line\nbreak\r\n\ttab", "Žofie Ångström 山田 🗝",
		"e\u0301 \u00e9", `quote"s'and\slashes`, " blanks around ", "%_*?[", "null", "007",
		"\x01\x7f\u0085\ufeff", strings.Repeat("o", 255), strings.Repeat("山", 85),
	} {
		rec := version("", 2)
		rec.Owner = owner
		if err := kept(ctx, store, rec); err != nil {
			return fmt.Errorf("with the Owner %q: %w", owner, err)
		}
	}
	return nil
}

func checkTimes(ctx context.Context, store core.Store) error {
	for _, at := range []struct{ used, expires time.Time }{
		{future(), time.Time{}},
		{future().Add(time.Millisecond), future().Add(999 * time.Millisecond)},
		{future().Add(123 * time.Millisecond), future().Add(2*time.Hour - time.Millisecond)},
		{time.Date(2000, 2, 29, 23, 59, 59, 999e6, time.UTC), future()},
		{future(), time.Date(2318, 12, 31, 23, 59, 59, 998e6, time.UTC)}, // a Lifetime of 292 years
	} {
		rec := version("", 2)
		rec.Used, rec.Expires = at.used, at.expires
		if err := kept(ctx, store, rec); err != nil {
			return err
		}
		if err := keptUTC(ctx, store, rec); err != nil {
			return err
		}
	}
	return nil
}

// keptUTC returns an error if times come back as the same instants, but in another time zone.
func keptUTC(ctx context.Context, store core.Store, rec core.Record) error {
	rec.ID = newID()
	if err := store.Create(ctx, rec); err != nil {
		return err
	}
	got, err := store.Load(ctx, rec.ID)
	if err != nil {
		return err
	}
	for _, at := range []time.Time{got.Used, got.Expires} {
		if at.Location() != time.UTC {
			return fmt.Errorf("a time comes back in the zone %q, not in UTC", at.Location())
		}
	}
	return nil
}

func checkRevision(ctx context.Context, store core.Store) error {
	// Pairs that are the same to who keeps 32 or 53 bits, a float64, or an int64.
	for _, pair := range [][2]core.Revision{
		{1, 1 + 1<<32},
		{1, 1 + 1<<53},
		{1 << 53, 1<<53 + 1},
		{1<<63 - 1, 1 << 63},
		{1, 1 + 1<<63},
		{1<<64 - 1, 1<<64 - 2},
		{1<<64 - 1, 1<<63 - 1},
	} {
		for i, is := range pair {
			if err := comparesWhole(ctx, store, is, pair[1-i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// comparesWhole takes a record of Revision is through an Update that must not take place, because
// it is of Revision other, and one that must.
func comparesWhole(ctx context.Context, store core.Store, is, other core.Revision) error {
	rec := version(newID(), 2)
	rec.Revision = is
	next := version(rec.ID, 3)
	return first(
		func() error { return store.Create(ctx, rec) },
		func() error { return holds(ctx, store, rec) },
		func() error {
			call := fmt.Sprintf("Update of Revision %d where %d is", other, is)
			return answers(call, store.Update(ctx, next, other), core.ErrConflict)
		},
		func() error { return holds(ctx, store, rec) },
		func() error {
			call := fmt.Sprintf("Update of Revision %d", is)
			return answers(call, store.Update(ctx, next, is), nil)
		},
		func() error { return holds(ctx, store, next) },
	)
}
