package postgresstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// beatEvery is how often a Watch makes sure that it hears something, and beatWithin how long
	// that may take: together they are the time in which a dead connection is noticed.
	beatEvery  = 2 * time.Second
	beatWithin = 3 * time.Second
	beatTries  = 5
)

var (
	errUnheard = errors.New("postgresstore: nothing is heard on the connection that listens: if " +
		"a pooler of transactions is in between, name another way in Options.Listen")
	errNoEar = fmt.Errorf("postgresstore: the database is no *pgxpool.Pool, and Options.Listen "+
		"is empty: %w", errors.ErrUnsupported)
	errUnwatchedTable = fmt.Errorf("postgresstore: Options.Unwatched is set: %w",
		errors.ErrUnsupported)
)

// An ear is what a Store needs to listen.
type ear struct {
	config  *pgxpool.Config // nil: that of the pool
	name    string          // no other Store's
	watches *atomic.Int64   // how many there have been
	within  time.Duration   // in which a beat is heard
}

func newEar(options Options) (ear, error) {
	name := rand.Text()[:16]
	e := ear{name: name, watches: new(atomic.Int64), within: beatWithin}
	if options.Listen == "" {
		return e, nil
	}
	config, err := parse("postgresstore.Options.Listen", options.Listen)
	if err != nil {
		return ear{}, err
	}
	e.config = config
	return e, nil
}

// Watch implements core.Watcher: it listens on a connection of its own, which is not one of the
// pool, but made as those are; or as Options.Listen says. Every two seconds it sends itself
// something by way of the pool, and when that is not heard for three seconds it returns an error:
// the connection is dead, or leads to another server than the pool, or through a pooler of
// transactions, or the server cannot commit. With Options.Unwatched, and where it does not know how
// to connect, the error wraps errors.ErrUnsupported.
func (s *Store) Watch(ctx context.Context, w core.Watching) error {
	config, err := s.earConfig()
	if err != nil {
		return err
	}
	watch, cancel := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel(nil)
	conn, channel, err := s.listen(watch, config)
	if err != nil {
		return s.failure(ctx, err)
	}
	defer hangUp(conn)
	beats := newBeats(s.ear.watches.Add(1))
	group.Go(func() { cancel(s.keepBeating(watch, beats)) })
	err = hear(watch, conn, channel, beats, w)
	switch cause := context.Cause(watch); {
	case ctx.Err() != nil:
		return ctx.Err()
	case cause != nil:
		return cause
	}
	return s.failure(ctx, err)
}

// earConfig returns how to connect in order to listen.
func (s *Store) earConfig() (*pgxpool.Config, error) {
	config := s.ear.config
	if s.options.Unwatched {
		return nil, errUnwatchedTable
	}
	if config == nil {
		pool, ok := s.db.(interface{ Config() *pgxpool.Config })
		if !ok {
			return nil, errNoEar
		}
		config = pool.Config()
	}
	config = config.Copy()
	config.ConnConfig.OnNotification = nil // then pgx keeps what comes until it is asked
	preferPrimary(config.ConnConfig)
	hurry(config.ConnConfig)
	return config, nil
}

// listen connects and listens. What is sent to the channel from then on will be heard.
func (s *Store) listen(ctx context.Context, config *pgxpool.Config) (*pgx.Conn, string, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if config.BeforeConnect != nil {
		if err := config.BeforeConnect(ctx, config.ConnConfig); err != nil {
			return nil, "", err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, "", err
	}
	if config.AfterConnect != nil {
		err = config.AfterConnect(ctx, conn)
	}
	var channel string
	if err == nil {
		err = conn.QueryRow(ctx, s.channel, pgx.QueryExecModeSimpleProtocol).Scan(&channel)
	}
	if err == nil {
		err = conn.PgConn().Exec(ctx, fmt.Sprintf(listenSQL, channel, s.ear.name)).Close()
	}
	if err != nil {
		hangUp(conn)
		return nil, "", err
	}
	return conn, channel, nil
}

// hangUp closes a connection, though there be nobody at the other end.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// hear tells what comes until the context is over or the connection fails.
func hear(
	ctx context.Context, conn *pgx.Conn, channel string, beats *beats, w core.Watching,
) error {
	ready := false
	for {
		n, err := conn.WaitForNotification(ctx)
		switch {
		case err != nil:
			return err
		case n.Channel != channel:
			if beats.heard(n.Payload) && !ready {
				ready = true
				w.Ready()
			}
		case n.Payload == "":
		case n.Payload[0] == 'd':
			w.Ended(core.ID(n.Payload[1:]))
		case n.Payload[0] == 'r':
			w.Renewed(core.ID(n.Payload[1:]))
		}
	}
}

// beats are what a Watch sends to itself: the number of the Watch, and one that rises.
type beats struct {
	prefix string
	sent   atomic.Int64
	back   chan struct{} // the last one was heard
}

func newBeats(watch int64) *beats {
	return &beats{prefix: strconv.FormatInt(watch, 10) + ".", back: make(chan struct{}, 1)}
}

func (b *beats) last() string { return b.prefix + strconv.FormatInt(b.sent.Load(), 10) }

// heard reports whether this is the last beat that was sent.
func (b *beats) heard(payload string) bool {
	if payload != b.last() {
		return false
	}
	select {
	case b.back <- struct{}{}:
	default:
	}
	return true
}

// keepBeating returns why a beat was not heard.
func (s *Store) keepBeating(ctx context.Context, b *beats) error {
	for {
		if err := s.sendBeat(ctx, b); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(beatEvery):
		}
	}
}

func (s *Store) sendBeat(ctx context.Context, b *beats) error {
	ctx, cancel := context.WithTimeout(ctx, s.ear.within)
	defer cancel()
	b.sent.Add(1)
	select {
	case <-b.back: // the beat before, which was sent twice
	default:
	}
	_, err := s.db.Exec(ctx, s.beat, s.ear.name, b.last())
	for try := 1; err != nil && try < beatTries; try++ { // the pool may hold connections that broke
		_, err = s.db.Exec(ctx, s.beat, s.ear.name, b.last())
	}
	if err != nil {
		return s.failure(ctx, err)
	}
	select {
	case <-b.back:
		return nil
	case <-ctx.Done():
		return errUnheard
	}
}
