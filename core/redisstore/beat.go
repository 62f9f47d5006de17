package redisstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

const (
	beatEvery   = time.Second
	beatTimeout = 2 * time.Second
	// beatPause is for how long a beat of somebody else's stands for one's own.
	beatPause = 700 * time.Millisecond
	// maxQuiet is how many rounds may go by without one's beats being heard. They are counted, and
	// not timed, since a process that stood still has missed nothing.
	maxQuiet = 3
	// replicaRounds is how many rounds a replica is taken for one.
	replicaRounds = 10
)

// beatText publishes ARGV[2] in the channel ARGV[1]. Being a script that may write, it is refused
// where writes are: by a master that is a replica now, or has lost its replicas.
const beatText = `#!lua flags=allow-oom
return redis.call('PUBLISH', ARGV[1], ARGV[2])`

// A post is a node, of which a listener must hear what is published there. A beat is a message
// with the node's address. In a cluster, where every message goes to every node, listeners share
// one channel, and one that has just heard another's beat sends none. Elsewhere each has its own.
type post struct {
	sending bool // a beat is on its way
	tried   bool // what became of the first one is known
	heard   time.Time
	owed    bool // the node has taken a beat that has not been heard
	quiet   int  // rounds since then
	replica int  // rounds for which it is taken for a replica, which may publish nothing
}

// beat begins a round: it sends a beat to each master.
func (l *listener) beat(ctx context.Context) {
	client := l.store.link.client.Load()
	if client == nil {
		_, _ = l.store.link.begin()
		return
	}
	nodes := (*client).Nodes()
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for address := range l.posts {
		if nodes[address] == nil {
			delete(l.posts, address)
		}
	}
	for address, node := range nodes {
		p := l.posts[address]
		if p == nil {
			p = new(post)
			l.posts[address] = p
		}
		if p.sending || p.replica > 0 || now.Sub(p.heard) < beatPause {
			continue
		}
		p.sending = true
		go l.beatAt(ctx, address, node, len(nodes) == 1)
	}
}

// beatAt sends one beat. With a node alone what becomes of it tells of the client as a whole.
func (l *listener) beatAt(watch context.Context, address string, node rueidis.Client, alone bool) {
	ctx, cancel := context.WithTimeout(watch, beatTimeout)
	defer cancel()
	begin := time.Now()
	heardBy, err := l.store.publish(ctx, node, l.alive, address)
	if watch.Err() != nil {
		return
	}
	if alone {
		l.store.link.mood.note(err)
		err = l.store.failed(ctx, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.tell()
	if alone && err == nil {
		// The node that is heard may follow this one by now, so that beats come by way of it. But what
		// was ended here before it did so was not heard.
		l.near, l.away = l.near || heardBy > 0, l.away || l.near && heardBy == 0
	}
	p := l.posts[address]
	if p == nil {
		return
	}
	p.sending, p.tried = false, true
	switch {
	case err == nil && p.heard.Before(begin):
		p.owed = true
	case err != nil && !alone && readOnly(err):
		p.replica, p.owed = replicaRounds, false
	case err != nil:
		l.last = withoutArguments(err)
	}
}

// publish returns how many clients of the node itself have heard the message.
func (s *Store) publish(
	ctx context.Context, node rueidis.Client, channel, message string,
) (int64, error) {
	beat := s.scripts.beat
	n, err := node.Do(ctx, node.B().Evalsha().Sha1(beat.sum).Numkeys(0).
		Arg(channel, message).Build()).AsInt64()
	if unknownScript(err) {
		n, err = node.Do(ctx, node.B().Eval().Script(beat.text).Numkeys(0).
			Arg(channel, message).Build()).AsInt64()
	}
	return n, err
}

func readOnly(err error) bool {
	refusal, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasPrefix(refusal.Error(), "READONLY")
}

// heard notes a beat. The caller holds mu.
func (l *listener) heard(address string) {
	l.quiet = 0
	if p := l.posts[address]; p != nil {
		p.heard, p.owed, p.quiet = time.Now(), false, 0
	}
	l.tell()
}

func (l *listener) tell() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// hears reports whether everything is heard: beats of all masters that can be reached.
func (l *listener) hears() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	some := false
	for _, p := range l.posts {
		if !p.tried || p.owed {
			return false
		}
		some = some || !p.heard.IsZero()
	}
	return some
}

// round ends a round, with an error if beats have not been heard for too many. A node that cannot
// be reached counts only if there is no other: in a cluster its messages come by way of the others.
func (l *listener) round() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quiet++
	deaf := l.away || l.quiet > maxQuiet
	for _, p := range l.posts {
		p.replica = max(p.replica-1, 0)
		if p.owed {
			p.quiet++
		}
		deaf = deaf || p.quiet > maxQuiet
	}
	switch {
	case !deaf:
		return nil
	case l.last == nil:
		return errDeaf
	}
	return fmt.Errorf("%w: %w", errDeaf, l.last)
}
