package redisstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// maxListening is how many watch a Store at once, each on a connection of its own.
	maxListening = 32
	// subscribeTimeout is what it may take until a watch hears.
	subscribeTimeout = 5 * time.Second
)

var (
	errListening = errors.New("redisstore: too many watch this store")
	errDeaf      = errors.New("redisstore: what is published is not heard any more")
)

// channels are those in which the scripts tell of ends and renewals: the message is the key. In a
// third one watchers hear that they hear.
type channels struct{ ended, renewed, alive string }

func newChannels(prefix string) channels {
	return channels{ended: prefix + "ended", renewed: prefix + "renewed", alive: prefix + "alive"}
}

// Watch implements core.Watcher. It has a connection of its own to one node, which is told of what
// is published on all. Once a second it publishes itself, at each master that the other calls go
// to, and returns an error when it does not hear that for some four seconds. At most 32 watch a
// Store at once. The server breaks the connection of one that is too slow
// (client-output-buffer-limit pubsub), which is an error, too.
func (s *Store) Watch(ctx context.Context, w core.Watching) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.watch.ctx, func() { cancel(errClosed) })()
	select {
	case s.listening <- struct{}{}:
		defer func() { <-s.listening }()
	default:
		return errListening
	}
	l := &listener{store: s, to: w, news: make(chan struct{}, 1), posts: map[string]*post{}}
	sub, err := l.begin(ctx)
	if err == nil {
		err = l.listen(ctx, sub.broken)
		go sub.client.Close() // it waits for a silent server
	} else {
		s.link.mood.note(err)
		err = s.failed(ctx, err)
	}
	if s.watch.ctx.Err() != nil {
		return errClosed
	}
	return err
}

// A listener is one Watch.
type listener struct {
	store *Store
	to    core.Watching
	alive string        // the channel of its beats
	news  chan struct{} // something about a beat is known

	mu    sync.Mutex
	over  bool
	posts map[string]*post // by address
	quiet int              // rounds in which nothing was heard
	near  bool             // a node alone has passed on a beat itself
	away  bool             // and then it did not: that is another node than the one that is heard
	last  error            // of a beat
}

// A subscription is a connection of the client's that nobody else uses.
type subscription struct {
	client rueidis.DedicatedClient
	broken <-chan error
	err    error
}

// begin subscribes.
func (l *listener) begin(ctx context.Context) (subscription, error) {
	ctx, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	client, err := l.store.link.get(ctx)
	if err != nil {
		return subscription{}, err
	}
	l.alive = l.store.channels.alive
	if len(client.Nodes()) < 2 {
		l.alive += ":" + rand.Text()
	}
	done := make(chan subscription, 1)
	go func() { done <- l.subscribe(ctx, client) }()
	select {
	case sub := <-done:
		if sub.err != nil {
			go sub.client.Close()
		}
		return sub, sub.err
	case <-ctx.Done():
		go func() { sub := <-done; sub.client.Close() }()
		return subscription{}, ended(ctx, nil)
	}
}

func (l *listener) subscribe(ctx context.Context, client rueidis.Client) (s subscription) {
	s.client, _ = client.Dedicate()
	s.broken = s.client.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: l.hear})
	names := l.store.channels
	s.err = s.client.Do(ctx, s.client.B().Subscribe().
		Channel(names.ended, names.renewed, l.alive).Build()).Error()
	return s
}

// hear is called by the connection's reader. It waits for nothing, so that nothing is kept here.
func (l *listener) hear(message rueidis.PubSubMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	if message.Channel == l.alive {
		l.heard(message.Message)
		return
	}
	id, ok := strings.CutPrefix(message.Message, l.store.options.Prefix)
	switch {
	case !ok:
	case message.Channel == l.store.channels.ended:
		l.to.Ended(core.ID(id))
	case message.Channel == l.store.channels.renewed:
		l.to.Renewed(core.ID(id))
	}
}

// listen goes on until something ends it.
func (l *listener) listen(ctx context.Context, broken <-chan error) error {
	defer l.finish()
	rounds := time.NewTicker(beatEvery)
	defer rounds.Stop()
	ready := false
	l.beat(ctx)
	for {
		select {
		case <-ctx.Done():
			return ended(ctx, nil)
		case err := <-broken:
			if ctx.Err() != nil {
				return ended(ctx, nil)
			}
			return fmt.Errorf("%w: %w", errDeaf, cmp.Or(err, rueidis.ErrClosing))
		case <-l.news:
			if !ready && l.hears() {
				ready = true
				l.to.Ready()
			}
		case <-rounds.C:
			if err := l.round(); err != nil {
				return err
			}
			l.beat(ctx)
		}
	}
}

// finish has nothing told any more.
func (l *listener) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}
