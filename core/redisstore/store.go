package redisstore

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Store keeps records in Redis or Valkey. It is safe for concurrent use, by any number of
// processes at once. Make one with Open or New, and Close it.
//
// Every method is one round trip and ends with its context, also when the server does not answer.
// An error other than those that core.Store names means that a write may or may not have taken
// effect, and so does a context's end. A Load is tried again a few times if a connection breaks, a
// write never.
type Store struct {
	options Options
	link    link
	scripts scripts
	copies  copies
	journal journal
	trails  trails
	watch   watch

	channels  channels
	listening chan struct{} // of maxListening
}

var (
	_ core.Store      = (*Store)(nil)
	_ core.Toucher    = (*Store)(nil)
	_ core.Renewer    = (*Store)(nil)
	_ core.OwnerIndex = (*Store)(nil)
	_ core.Watcher    = (*Store)(nil)
	_ core.Marker     = (*Store)(nil)
)

// New makes a Store that uses a client of yours, which it does not close. It does no I/O. The
// client must not read from replicas, which know of an end later than the client that made it. A
// client of Open's that finds itself at a demoted master is replaced; yours is not. Errors are
// *core.ConfigError, joined.
func New(client rueidis.Client, options Options) (*Store, error) {
	options = options.withDefaults()
	var f faults
	f.add(client == nil, "New", "is given no client")
	f.add(options.TLS != nil, "Options.TLS", "is for Open alone")
	f.add(options.Credentials != nil, "Options.Credentials", "is for Open alone")
	options.check(&f)
	if err := f.err(); err != nil {
		return nil, err
	}
	s := newStore(options)
	s.link.client.Store(&client)
	return s, nil
}

func newStore(options Options) *Store {
	s := &Store{options: options, scripts: newScripts(), channels: newChannels(options.Prefix)}
	s.listening = make(chan struct{}, maxListening)
	s.copies.init(options)
	s.journal.init(max(options.Journal, 0))
	s.watch.init(s)
	return s
}

// Close ends what runs in the background, and closes the connections if Open made them. Calls
// after it fail. It may be called again, and returns nil.
func (s *Store) Close() error {
	s.watch.stop()
	s.link.close()
	return nil
}

// Ping asks whether the server answers, in a cluster one of the masters.
func (s *Store) Ping(ctx context.Context) error {
	client, err := s.link.get(ctx)
	if err != nil {
		return s.failed(ctx, err)
	}
	return s.failed(ctx, flat(await(ctx, func(ctx context.Context) error {
		return client.Do(ctx, client.B().Ping().Build()).Error()
	})))
}

// flat returns the first error of two.
func flat(result, err error) error {
	if err != nil {
		return err
	}
	return result
}

// Durability returns core.Replicated if replicas confirm ends, as far as is known by now, else
// core.BestEffort.
func (s *Store) Durability() core.Durability {
	if s.copies.wanted() > 0 {
		return core.Replicated
	}
	return core.BestEffort
}

// Format writes a fixed text, whatever the verb.
func (s *Store) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "[session redis store]")
}

func (s *Store) key(id core.ID) string { return s.options.Prefix + string(id) }

// Create implements core.Store. It answers core.ErrStoreFull if the server's maxmemory is reached,
// and with Options.ConfirmWrites core.ErrNotDurable if the record is there, but not confirmed.
func (s *Store) Create(ctx context.Context, rec core.Record) error {
	value, err := encode(&rec)
	if err != nil {
		return err
	}
	w := write{key: s.key(rec.ID), args: []string{ttl(rec.Expires, time.Now()), value}}
	a, err := s.write(ctx, &w, s.options.ConfirmWrites)
	if err == nil && a.outcome == conflict {
		return core.ErrExists
	}
	if err == nil {
		s.journal.forget(string(rec.ID))
	}
	return err
}

// Update implements core.Store. Errors are as Create's.
func (s *Store) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	w, err := s.updating(&rec, was)
	if err != nil {
		return err
	}
	return s.replace(ctx, &w, &rec, was, s.options.ConfirmWrites)
}

// replace sends the write that puts a record in the place of one whose Revision is was.
func (s *Store) replace(
	ctx context.Context, w *write, rec *core.Record, was core.Revision, confirmed bool,
) error {
	a, err := s.write(ctx, w, confirmed)
	if a.outcome == done {
		s.stepped(rec, was)
	}
	if err != nil {
		return err
	}
	return verdict(a.outcome)
}

// stepped notes a write, for the renewals that follow it.
func (s *Store) stepped(rec *core.Record, was core.Revision) {
	if s.journal.max > 0 && was != rec.Revision {
		s.trails.step(rec.ID, was, rec.Revision)
	}
}

func (s *Store) updating(rec *core.Record, was core.Revision) (write, error) {
	value, err := encode(rec)
	if err != nil {
		return write{}, err
	}
	args := []string{revisionText(was), ttl(rec.Expires, time.Now()), value}
	return write{script: s.scripts.update, key: s.key(rec.ID), args: args}, nil
}

// Touch implements core.Toucher. It is confirmed by no replica.
func (s *Store) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	args := []string{revisionText(was), ttl(rec.Expires, time.Now()), headText(&rec)}
	w := write{script: s.scripts.touch, key: s.key(rec.ID), args: args}
	a, err := s.send(ctx, &w)
	if err != nil {
		return err
	}
	if a.outcome == done {
		s.stepped(&rec, was)
	}
	return verdict(a.outcome)
}
