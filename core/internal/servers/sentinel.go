package servers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// MasterName is what the sentinels call the master.
const MasterName = "sessions"

// Sentinel is a master with one replica, watched by three sentinels. Everybody, clients, sentinels
// and the replica, reaches each of the two servers through a [Link] of its own, whose address is
// the one that the sentinels tell; a server's own address, [Redis.Addr], goes round it. The
// sentinels take nothing for dead before somebody awaits another master, so that they do not fail
// over only because the machine is busy.
type Sentinel struct {
	engine    Engine
	nodes     []*Redis
	links     []*Link
	sentinels []*Redis
}

// Sentinel starts all five and waits until they know each other. Lines of config go to the master
// and the replica. All are gone when the test has ended.
func (e Engine) Sentinel(t testing.TB, config ...string) *Sentinel {
	t.Helper()
	e.need(t)
	s := &Sentinel{
		engine: e, nodes: make([]*Redis, 2), links: make([]*Link, 2), sentinels: make([]*Redis, 3),
	}
	ports := make([]int, len(s.nodes))
	for i := range s.nodes {
		var err error
		if ports[i], err = freePort(); err != nil {
			t.Fatal(err)
		}
		s.links[i] = NewLink(t, local(ports[i]))
	}
	e.startAll(t, s.nodes, func(i int) (*redisProcess, error) {
		_, port, _ := strings.Cut(s.links[i].Addr(), ":")
		announced := []string{"replica-announce-ip 127.0.0.1", "replica-announce-port " + port,
			"repl-ping-replica-period 1"}
		return e.startAs(redisRole{port: ports[i], defaults: redisDefaults},
			append(announced, config...))
	})
	s.nodes[1].ReplicaOf(s.links[0].Addr())
	s.nodes[1].AwaitReplica(t)
	password := setIn(config, "requirepass")
	e.startAll(t, s.sentinels, func(int) (*redisProcess, error) {
		return e.startSentinel(s.links[0].Addr(), password)
	})
	await(t, "the sentinels know each other and both servers", func() bool {
		return !slices.ContainsFunc(s.sentinels, func(sentinel *Redis) bool {
			state := sentinel.masterState()
			return state["num-other-sentinels"] != "2" || state["num-slaves"] != "1"
		})
	})
	return s
}

// A vigilance is what sentinels are told: after how many milliseconds without an answer a server is
// dead, and how much later they try again what has not come to its end. They promote no replica
// that has been without its master for more than ten times the former, and bring one back that
// follows somebody else after the latter.
type vigilance struct{ downAfter, failoverTimeout string }

var (
	atRest  = vigilance{downAfter: "120000", failoverTimeout: "180000"}
	onGuard = vigilance{downAfter: "3000", failoverTimeout: "6000"}
)

// watch has the sentinels be so vigilant.
func (s *Sentinel) watch(v vigilance) {
	for _, sentinel := range s.sentinels {
		sentinel.MustDo("SENTINEL", "SET", MasterName,
			"down-after-milliseconds", v.downAfter, "failover-timeout", v.failoverTimeout)
	}
}

// startSentinel starts a sentinel that takes nothing for dead yet.
func (e Engine) startSentinel(master, password string) (*redisProcess, error) {
	host, port, _ := strings.Cut(master, ":")
	lines := []string{
		fmt.Sprintf("sentinel monitor %s %s %s 2", MasterName, host, port),
		fmt.Sprintf("sentinel down-after-milliseconds %s %s", MasterName, atRest.downAfter),
		fmt.Sprintf("sentinel failover-timeout %s %s", MasterName, atRest.failoverTimeout),
	}
	if password != "" {
		lines = append(lines, fmt.Sprintf("sentinel auth-pass %s %s", MasterName, password))
	}
	other, err := freePort()
	if err != nil {
		return nil, err
	}
	return e.startAs(
		redisRole{port: other, defaults: sentinelDefaults, args: []string{"--sentinel"}}, lines)
}

const sentinelDefaults = `bind 127.0.0.1
protected-mode no
daemonize no
`

// masterState is what a sentinel knows of the master, by field; empty if it does not answer.
func (r *Redis) masterState() map[string]string {
	answer, _ := r.Do("SENTINEL", "MASTER", MasterName)
	fields, _ := answer.([]any)
	state := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		name, _ := fields[i].(string)
		state[name], _ = fields[i+1].(string)
	}
	return state
}

// MasterName returns what the sentinels call the master.
func (s *Sentinel) MasterName() string { return MasterName }

// Addrs returns the addresses of the three sentinels.
func (s *Sentinel) Addrs() []string {
	var addrs []string
	for _, sentinel := range s.sentinels {
		addrs = append(addrs, sentinel.Addr())
	}
	return addrs
}

// Sentinels returns the three sentinels.
func (s *Sentinel) Sentinels() []*Redis { return slices.Clone(s.sentinels) }

// Nodes returns the master and the replica of the beginning.
func (s *Sentinel) Nodes() []*Redis { return slices.Clone(s.nodes) }

// Link returns the way by which all others reach a server.
func (s *Sentinel) Link(of *Redis) *Link {
	for i, node := range s.nodes {
		if node == of {
			return s.links[i]
		}
	}
	return nil
}

// Master returns the server that most sentinels call the master, nil if they do not agree.
func (s *Sentinel) Master() *Redis {
	votes := map[string]int{}
	for _, sentinel := range s.sentinels {
		state := sentinel.masterState()
		votes[state["ip"]+":"+state["port"]]++
	}
	for i, link := range s.links {
		if votes[link.Addr()] > len(s.sentinels)/2 {
			return s.nodes[i]
		}
	}
	return nil
}

// Replica returns the server that is not the master, nil if the sentinels do not agree.
func (s *Sentinel) Replica() *Redis {
	switch s.Master() {
	case s.nodes[0]:
		return s.nodes[1]
	case s.nodes[1]:
		return s.nodes[0]
	default:
		return nil
	}
}

// KillMaster kills the master and returns it. It does not wait for a failover.
func (s *Sentinel) KillMaster(t testing.TB) *Redis {
	t.Helper()
	var master *Redis
	await(t, "the sentinels agree who is master", func() bool {
		master = s.Master()
		return master != nil
	})
	master.Kill()
	return master
}

// failingOver reports whether a failover goes on.
func (s *Sentinel) failingOver() bool {
	return slices.ContainsFunc(s.sentinels, func(sentinel *Redis) bool {
		return strings.Contains(sentinel.masterState()["flags"], "failover_in_progress")
	})
}

// AwaitMaster waits until all sentinels call another server than old the master, and it is one. It
// returns that. Only meanwhile do they fail over by themselves; they go on with a failover that was
// begun by SENTINEL FAILOVER before.
func (s *Sentinel) AwaitMaster(t testing.TB, old *Redis) *Redis {
	t.Helper()
	var master *Redis
	guarded := false
	defer s.watch(atRest)
	await(t, "another server becomes master", func() bool {
		master = s.Master()
		if master == old && !guarded && !s.failingOver() {
			s.watch(onGuard)
			guarded = true
		}
		return master != nil && master != old && master.Info("role") == "master" &&
			!slices.ContainsFunc(s.sentinels, func(sentinel *Redis) bool {
				state := sentinel.masterState()
				return state["ip"]+":"+state["port"] != s.Link(master).Addr()
			})
	})
	return master
}
