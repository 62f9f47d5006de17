package store

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	idLength = 32

	// revision is that of every record: a touch may then be repeated without loading first.
	revision core.Revision = 0x5e55_1042_5e55_1042
)

// frames make the records that core keeps for sessions with Values, and read them again.
//
// A record is made by core's own Manager, once; those of other sessions differ from it in the ID
// and in the two values, which are as long in every session. So a million of them cost no time.
type frames struct {
	data    string
	one     *oneRecord
	manager *core.Manager
	user    core.Value[string]
	visits  core.Value[int]
}

func newFrames() (*frames, error) {
	f := &frames{
		one:    &oneRecord{},
		user:   core.NewValue[string](userName),
		visits: core.NewValue[int](visitsName),
	}
	var err error
	if f.manager, err = core.New(core.Config{Store: f.one}); err != nil {
		return nil, err
	}
	ctx := context.Background()
	s, err := f.manager.Begin(ctx, http.Header{})
	if err != nil {
		return nil, err
	}
	f.user.Set(s, ValuesOf(0).User)
	f.visits.Set(s, ValuesOf(0).Visits)
	if err := f.manager.Commit(ctx, s, http.Header{}); err != nil {
		return nil, err
	}
	f.data = f.one.record.Data
	return f, nil
}

// of is the record of session n.
func (f *frames) of(n int, expires time.Time) core.Record {
	first, values := ValuesOf(0), ValuesOf(n)
	data := strings.Replace(f.data, first.User, values.User, 1)
	data = strings.Replace(data, strconv.Itoa(first.Visits), strconv.Itoa(values.Visits), 1)
	return core.Record{
		ID: core.ID(keyOf(n, idLength)), Revision: revision,
		Used: milliseconds(time.Now()), Expires: milliseconds(expires), Data: data,
	}
}

// values opens a record as core does. It reports false if core takes the session for ended.
func (f *frames) values(rec core.Record) (Values, bool, error) {
	f.one.record = rec
	s, err := f.manager.Open(context.Background(), rec.ID)
	if errors.Is(err, core.ErrNotFound) {
		return Values{}, false, nil
	}
	if err != nil {
		return Values{}, false, err
	}
	user, _ := f.user.Get(s)
	visits, _ := f.visits.Get(s)
	return Values{User: user, Visits: visits}, true, s.Err()
}

func (f *frames) Close() error { return f.manager.Close() }

func milliseconds(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// A oneRecord is a core.Store that holds one record, whatever it is asked for.
type oneRecord struct{ record core.Record }

func (o *oneRecord) Create(_ context.Context, rec core.Record) error {
	o.record = rec
	return nil
}

func (o *oneRecord) Load(context.Context, core.ID) (core.Record, error) { return o.record, nil }

func (o *oneRecord) Update(context.Context, core.Record, core.Revision) error { return nil }

func (o *oneRecord) Delete(context.Context, core.ID) error { return nil }
