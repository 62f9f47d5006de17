package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// future is a whole second of the next century: no store's own expiry comes near it.
func future() time.Time { return time.Date(2101, 2, 3, 4, 5, 6, 0, time.UTC) }

// newID makes an ID as core makes them.
func newID() core.ID { return core.NewToken().ID() }

// version is the n-th record under an ID. Every field tells n, so that a record that is put
// together out of two shows; and none is hard to keep, so that a store that keeps one kind of value
// badly fails where that is checked and nowhere else.
func version(id core.ID, n int) core.Record {
	text := strconv.Itoa(n)
	at := future().Add(time.Duration(n) * time.Second)
	return core.Record{
		ID:       id,
		Revision: core.Revision(n),
		Owner:    "owner-" + text,
		Used:     at,
		Expires:  at.Add(time.Hour),
		Data:     strings.Repeat("data-"+text+" ", 1+n%40) + "end",
	}
}

// created stores the first version of a record under a new ID.
func created(ctx context.Context, store core.Store) (core.Record, error) {
	rec := version(newID(), 1)
	if err := store.Create(ctx, rec); err != nil {
		return rec, fmt.Errorf("Create under a new ID: %w", err)
	}
	return rec, nil
}

// holds returns how what is stored differs from a record.
func holds(ctx context.Context, store core.Store, want core.Record) error {
	got, err := store.Load(ctx, want.ID)
	if err != nil {
		return fmt.Errorf("Load of a record that must be there: %w", err)
	}
	return differ(got, want)
}

// lacks returns an error if something is stored under an ID.
func lacks(ctx context.Context, store core.Store, id core.ID) error {
	_, err := store.Load(ctx, id)
	return answers("Load", err, core.ErrNotFound)
}

// verdicts are the errors that tell what is stored, and what is not.
func verdicts() []error {
	return []error{core.ErrNotFound, core.ErrExists, core.ErrConflict, core.ErrOwnerLimit}
}

// answers returns an error unless what a call answered is the verdict wanted, wrapped or not, and
// no other one besides.
func answers(call string, got, want error) error {
	for _, verdict := range verdicts() {
		if errors.Is(got, verdict) != (verdict == want) {
			return fmt.Errorf("%s answers %q, not %q", call, text(got), text(want))
		}
	}
	if want == nil && got != nil {
		return fmt.Errorf("%s answers %q, not %q", call, text(got), text(want))
	}
	return nil
}

func text(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// differ lists the fields in which two records differ; times as instants.
func differ(got, want core.Record) error {
	var list []error
	differs := func(name string, got, want any) {
		list = append(list, fmt.Errorf("%s is %v, not %v", name, got, want))
	}
	if got.ID != want.ID {
		differs("ID", got.ID, want.ID)
	}
	if got.Revision != want.Revision {
		differs("Revision", got.Revision, want.Revision)
	}
	if got.Owner != want.Owner {
		differs("Owner", excerpt(got.Owner), excerpt(want.Owner))
	}
	if !got.Used.Equal(want.Used) {
		differs("Used", got.Used, want.Used)
	}
	if !got.Expires.Equal(want.Expires) {
		differs("Expires", got.Expires, want.Expires)
	}
	if got.Data != want.Data {
		differs("Data", excerpt(got.Data), excerpt(want.Data))
	}
	return errors.Join(list...)
}

// excerpt quotes the beginning of what may be long and need not be text.
func excerpt(s string) string {
	const most = 60
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:most], len(s))
}

// first runs steps until one fails.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
