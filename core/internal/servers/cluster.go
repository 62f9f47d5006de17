package servers

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// slots is how many parts the keys of a cluster are divided into.
const slots = 16384

// Cluster is a Redis Cluster of three masters with one replica each.
type Cluster struct {
	nodes []*Redis
}

// A node that has been silent for the timeout, in milliseconds, is taken to have failed. At rest
// that is long, so that nothing fails over only because the machine is busy. A watchful cluster
// needs two to three seconds for a failover, and gets to know itself sooner.
const (
	restful  = "20000"
	watchful = "1000"
)

// clusterDefaults: no replica moves to another master, and none is too far behind to become one.
const clusterDefaults = `cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout ` + restful + `
cluster-allow-replica-migration no
cluster-replica-validity-factor 0
repl-ping-replica-period 1`

// Cluster starts a cluster and waits until every node agrees about it. Lines of config go to every
// node. It is gone when the test has ended.
func (e Engine) Cluster(t testing.TB, config ...string) *Cluster {
	t.Helper()
	e.need(t)
	c := &Cluster{nodes: make([]*Redis, 6)}
	config = append([]string{clusterDefaults}, config...)
	e.startAll(t, c.nodes, func(int) (*redisProcess, error) { return e.start(config) })
	c.timeout(watchful)
	const masters = 3
	for i, node := range c.nodes {
		node.MustDo("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i < masters {
			first, last := slots*i/masters, slots*(i+1)/masters-1
			node.MustDo("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last))
		}
	}
	c.await(t, "all nodes of the cluster know each other", func(node *Redis) bool {
		c.meet()
		return strings.Contains(node.clusterInfo(), "cluster_known_nodes:6\r")
	})
	for i, replica := range c.nodes[masters:] {
		id, _ := c.nodes[i].MustDo("CLUSTER", "MYID").(string)
		replica.MustDo("CLUSTER", "REPLICATE", id)
	}
	c.await(t, "all nodes of the cluster agree", func(node *Redis) bool {
		return c.settled(node, masters)
	})
	c.timeout(restful)
	return c
}

// timeout sets for how long a node may be silent.
func (c *Cluster) timeout(ms string) {
	for _, node := range c.nodes {
		if node.Running() {
			node.MustDo("CONFIG", "SET", "cluster-node-timeout", ms)
		}
	}
}

// Watch has the nodes look out for one that fails, and try again soon what they do not agree about,
// until AwaitMaster returns; which begins with it, too. At other times they are patient.
func (c *Cluster) Watch() { c.timeout(watchful) }

// startAll starts several servers at once. Those that did start end with the test in any case.
func (e Engine) startAll(
	t testing.TB, all []*Redis, start func(i int) (*redisProcess, error),
) {
	t.Helper()
	processes, errs := make([]*redisProcess, len(all)), make([]error, len(all))
	var waiting sync.WaitGroup
	for i := range all {
		waiting.Go(func() { processes[i], errs[i] = start(i) })
	}
	waiting.Wait()
	for i, process := range processes {
		if errs[i] == nil {
			all[i] = e.own(t, process)
		}
	}
	for _, err := range errs {
		if err != nil {
			t.Fatalf("%s does not start: %v", e.Name, err)
		}
	}
}

// settled reports whether a node finds the cluster whole, and has its data if it is a replica.
func (c *Cluster) settled(node *Redis, masters int) bool {
	if !strings.Contains(node.clusterInfo(), "cluster_state:ok\r") {
		return false
	}
	if strings.Count(node.clusterNodes(), "slave ") != len(c.nodes)-masters {
		return false
	}
	return node.Info("role") == "master" || node.Info("master_link_status") == "up"
}

// meet introduces to the first node those that it does not know, or does not know any more: on a
// busy machine a handshake may take longer than nodes wait for it.
func (c *Cluster) meet() {
	known := c.nodes[0].clusterNodes()
	for _, other := range c.nodes[1:] {
		if port := strconv.Itoa(other.port); !strings.Contains(known, ":"+port+"@") {
			c.nodes[0].MustDo("CLUSTER", "MEET", "127.0.0.1", port)
		}
	}
}

// await waits until something is so for all nodes that run.
func (c *Cluster) await(t testing.TB, what string, isSo func(*Redis) bool) {
	t.Helper()
	await(t, what, func() bool {
		for _, node := range c.nodes {
			if node.Running() && !isSo(node) {
				return false
			}
		}
		return true
	})
}

func (r *Redis) clusterInfo() string  { return r.text("CLUSTER", "INFO") }
func (r *Redis) clusterNodes() string { return r.text("CLUSTER", "NODES") }

// pausedAfter is how long a node that does not answer may just be slow.
const pausedAfter = 5 * time.Second

// text is the answer to a command if it is text and comes soon, "" otherwise.
func (r *Redis) text(args ...string) string {
	answer, _ := r.client.do(pausedAfter, args...)
	text, _ := answer.(string)
	return text
}

// Nodes returns all nodes, the masters of the beginning first, then their replicas in order.
func (c *Cluster) Nodes() []*Redis { return append([]*Redis(nil), c.nodes...) }

// Addrs returns the addresses of all nodes.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, node := range c.nodes {
		addrs = append(addrs, node.Addr())
	}
	return addrs
}

// MasterOf returns the node that takes writes of a key at this moment, nil if there is none. If
// several believe to be it, it is the one that was elected last.
func (c *Cluster) MasterOf(key string) *Redis {
	var master *Redis
	newest := int64(-1)
	for _, node := range c.nodes {
		view, ok := node.self(key)
		if ok && view.master && view.owns && view.epoch > newest {
			master, newest = node, view.epoch
		}
	}
	return master
}

// ReplicaOf returns a running replica of the master of a key, nil if there is none.
func (c *Cluster) ReplicaOf(key string) *Redis {
	master := c.MasterOf(key)
	if master == nil {
		return nil
	}
	id := master.text("CLUSTER", "MYID")
	for _, node := range c.nodes {
		if view, ok := node.self(key); ok && !view.master && view.of == id {
			return node
		}
	}
	return nil
}

// KillMaster kills the master of a key and returns it. It does not wait for a failover.
func (c *Cluster) KillMaster(t testing.TB, key string) *Redis {
	t.Helper()
	var master *Redis
	await(t, fmt.Sprintf("a node is master of %q", key), func() bool {
		master = c.MasterOf(key)
		return master != nil
	})
	master.Kill()
	return master
}

// AwaitMaster waits until the master of a key is another than old, and all nodes that run find the
// cluster whole. It returns the new one. Only meanwhile does a cluster fail over by itself: see
// Watch.
func (c *Cluster) AwaitMaster(t testing.TB, key string, old *Redis) *Redis {
	t.Helper()
	c.Watch()
	defer c.timeout(restful)
	var master *Redis
	await(t, fmt.Sprintf("another node becomes master of %q", key), func() bool {
		master = c.MasterOf(key)
		return master != nil && master != old
	})
	c.await(t, "the cluster is whole again", func(node *Redis) bool {
		return strings.Contains(node.clusterInfo(), "cluster_state:ok\r")
	})
	return master
}

// clusterView is what a node says of itself.
type clusterView struct {
	master bool
	owns   bool   // the key's slot
	of     string // the ID of its master, if it is a replica
	epoch  int64
}

// self reads the node's own line of CLUSTER NODES: ID, address, flags, master, ping, pong, epoch,
// state of the link, slots.
func (r *Redis) self(key string) (clusterView, bool) {
	if !r.Running() {
		return clusterView{}, false
	}
	slot, err := r.client.do(pausedAfter, "CLUSTER", "KEYSLOT", key)
	number, ok := slot.(int64)
	if err != nil || !ok {
		return clusterView{}, false
	}
	for line := range strings.Lines(r.clusterNodes()) {
		fields := strings.Fields(line)
		if len(fields) < 8 || !strings.Contains(fields[2], "myself") {
			continue
		}
		view := clusterView{master: strings.Contains(fields[2], "master"), of: fields[3]}
		view.epoch, _ = strconv.ParseInt(fields[6], 10, 64) // 0 is the oldest
		for _, part := range fields[8:] {
			view.owns = view.owns || within(part, number)
		}
		return view, true
	}
	return clusterView{}, false
}

// within reports whether a slot is in a range such as "0-5460" or "7".
func within(part string, slot int64) bool {
	low, high, ranged := strings.Cut(part, "-")
	if !ranged {
		high = low
	}
	first, err1 := strconv.ParseInt(low, 10, 64)
	last, err2 := strconv.ParseInt(high, 10, 64)
	return err1 == nil && err2 == nil && first <= slot && slot <= last
}
