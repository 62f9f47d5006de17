package redisstore

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// A survey is what the nodes said of themselves when last asked.
type survey struct {
	masters  map[string]string // the identity of each, by address; nil before the first look
	replicas map[string]bool
	all      bool // ask the replicas, too: one of them may have become a master
	looks    int
	blind    time.Time // when it was last given up, since no node allows INFO
}

// A node's identity changes when it restarts, and when it is made a master.
type node struct {
	address, identity string
	master, refused   bool
	err               error
}

// prepare asks the masters who they are before anything comes into the journal, once: what is
// written down there must not be undone before that is known. It costs the first end or renewal a
// second round trip.
func (w *watch) prepare(ctx context.Context) {
	if w.prepared.Load() || w.store.journal.max == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	select {
	case w.looking <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-w.looking }()
	if client, err := w.store.link.get(ctx); err == nil && !w.prepared.Swap(true) {
		// Where nobody answers, whoever does so later is taken for new.
		w.judge(w.ask(ctx, client.Nodes()))
	}
}

// look asks the masters who they are, and has what is in the journal done again if they are not
// those of the last time.
func (w *watch) look() {
	ctx, cancel := context.WithTimeout(w.ctx, lookTimeout)
	defer cancel()
	w.looking <- struct{}{}
	defer func() { <-w.looking }()
	client, err := w.store.link.get(ctx)
	if err != nil {
		w.survey.all = true
		return
	}
	w.survey.looks++
	if w.attention.Swap(false) || w.survey.looks%allEvery == 0 {
		w.survey.all = true
	}
	nodes := w.ask(ctx, client.Nodes())
	if w.judge(nodes) {
		w.store.journal.doubt()
	}
	if len(nodes) == 1 && nodes[0].err == nil && !nodes[0].master {
		w.store.link.leave()
	}
	w.redo()
}

// ask asks all nodes at once, but not those that are known to be replicas, as long as nothing
// happens.
func (w *watch) ask(ctx context.Context, clients map[string]rueidis.Client) []node {
	var asking sync.WaitGroup
	answers := make(chan node, len(clients))
	for address, client := range clients {
		if w.survey.replicas[address] && !w.survey.all && len(clients) > 1 {
			continue
		}
		asking.Add(1)
		go func() {
			defer asking.Done()
			answers <- w.askOne(ctx, address, client)
		}()
	}
	asking.Wait()
	close(answers)
	var nodes []node
	for n := range answers {
		nodes = append(nodes, n)
	}
	return nodes
}

func (w *watch) askOne(ctx context.Context, address string, client rueidis.Client) node {
	n := node{address: address}
	results, err := await(ctx, func(ctx context.Context) []rueidis.RedisResult {
		return client.DoMulti(ctx, client.B().Info().Section("server").Build(),
			askReplication(client.B()))
	})
	if err != nil {
		n.err = err
		return n
	}
	server, err := results[0].ToString()
	replication, err2 := results[1].ToString()
	if n.err = flat(err, err2); n.err != nil {
		_, n.refused = rueidis.IsRedisErr(n.err)
		return n
	}
	n.master = infoField(replication, "role") == "master"
	n.identity = infoField(server, "run_id") + " " + infoField(replication, "master_replid")
	if n.master {
		w.store.copies.note(results[1])
	}
	return n
}

// infoField returns one field of INFO's answer.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// judge compares the answers with the last ones, and reports whether a failover may have come
// between.
func (w *watch) judge(nodes []node) bool {
	s := &w.survey
	masters, replicas := make(map[string]string), make(map[string]bool)
	failed, refused := false, 0
	if !s.all && s.replicas != nil {
		replicas = maps.Clone(s.replicas) // they were not asked
	}
	for _, n := range nodes {
		last, known := s.masters[n.address]
		switch {
		case n.err == nil && n.master:
			masters[n.address] = n.identity
		case n.err == nil:
			replicas[n.address] = true
		case known: // as it was, until it answers
			masters[n.address] = last
			failed = true
		default:
			failed = true
		}
		if n.refused {
			refused++
		}
	}
	changed := s.masters != nil && !maps.Equal(s.masters, masters)
	if refused > 0 && refused == len(nodes) {
		changed, failed = s.all && time.Since(s.blind) > blindPause, false
		if changed {
			s.blind = time.Now()
		}
	}
	s.masters, s.replicas, s.all = masters, replicas, failed || changed
	return changed
}
