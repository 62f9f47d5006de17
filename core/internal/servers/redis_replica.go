package servers

import (
	"strconv"
	"strings"
	"testing"
)

// ReplicaOf makes the server a replica of the one at addr, or a master if addr is "".
func (r *Redis) ReplicaOf(addr string) {
	host, port, _ := strings.Cut(addr, ":")
	if addr == "" {
		host, port = "NO", "ONE"
	}
	if _, err := r.Do("REPLICAOF", host, port); err != nil {
		r.t.Errorf("REPLICAOF %s: %v", addr, err)
	}
}

// Replica starts a replica of the server and waits until it has all data. With a link, that is the
// way by which it reaches its master; the link's target must be the master's address.
func (r *Redis) Replica(t testing.TB, via *Link, config ...string) *Redis {
	t.Helper()
	addr := r.Addr()
	if via != nil {
		addr = via.Addr()
	}
	if r.client.password != "" {
		config = append([]string{"requirepass " + r.client.password}, config...)
	}
	replica := r.engine.Start(t, config...)
	replica.ReplicaOf(addr)
	replica.AwaitReplica(t)
	return replica
}

// AwaitReplica waits until the server is a replica that has caught up with its master.
func (r *Redis) AwaitReplica(t testing.TB) {
	t.Helper()
	await(t, "the replica at "+strconv.Itoa(r.port)+" catches up", func() bool {
		return r.Info("role") == "slave" && r.Info("master_link_status") == "up"
	})
}
