package redisstore_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// A move of one slot of a cluster from a master to another.
type move struct {
	cluster  *servers.Cluster
	from, to *servers.Redis
	slot     string
}

func newMove(t *testing.T, cluster *servers.Cluster, key string) move {
	t.Helper()
	m := move{cluster: cluster, from: cluster.MasterOf(key)}
	for _, node := range cluster.Nodes()[:3] {
		if node.Addr() != m.from.Addr() {
			m.to = node
		}
	}
	m.slot = fmt.Sprint(m.from.MustDo("CLUSTER", "KEYSLOT", key))
	return m
}

func name(node *servers.Redis) string { return node.MustDo("CLUSTER", "MYID").(string) }

// begin has the old master send elsewhere what it does not have.
func (m move) begin() {
	m.to.MustDo("CLUSTER", "SETSLOT", m.slot, "IMPORTING", name(m.from))
	m.from.MustDo("CLUSTER", "SETSLOT", m.slot, "MIGRATING", name(m.to))
}

func (m move) carry(t *testing.T, key string) {
	host, port, err := net.SplitHostPort(m.to.Addr())
	require.NoError(t, err)
	require.Equal(t, "OK", m.from.MustDo("MIGRATE", host, port, key, "0", "5000"))
}

func (m move) end() {
	for _, node := range []*servers.Redis{m.to, m.from} {
		node.MustDo("CLUSTER", "SETSLOT", m.slot, "NODE", name(m.to))
	}
}

// The client follows a slot for single commands; a write and the WAIT behind it the store has to
// bring to the right node itself.
func TestConfirmedWritesFollowASlotThatMoves(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		cluster := engine.Cluster(t)
		store := open(t, "redis://"+cluster.Addrs()[0], redisstore.Options{
			Replicas: 1, ConfirmWrites: true, ConfirmTimeout: 10 * time.Second,
		})
		stays, moves := created(t, store), created(t, store)
		for range 2 { // there, and on
			key := "session:" + string(moves.ID)
			m := newMove(t, cluster, key)
			m.begin()
			next := changed(moves, "still at the old place")
			require.NoError(t, store.Renew(t.Context(), next, moves.Revision))
			m.carry(t, key)
			moves = changed(next, "on its way")
			require.NoError(t, store.Update(t.Context(), moves, next.Revision))
			next = changed(moves, "renewed on its way")
			require.NoError(t, store.Renew(t.Context(), next, moves.Revision))
			requireStored(t, store, next)
			require.NoError(t, store.Delete(t.Context(), moves.ID))
			require.NoError(t, store.Delete(t.Context(), moves.ID))
			requireGone(t, store, moves.ID)
			require.NoError(t, store.Create(t.Context(), moves))

			m.end()
			next = changed(moves, "moved")
			require.NoError(t, store.Renew(t.Context(), next, moves.Revision))
			require.ErrorIs(t, store.Renew(t.Context(), next, moves.Revision), core.ErrConflict)
			require.NoError(t, store.Delete(t.Context(), moves.ID))
			require.NoError(t, store.Create(t.Context(), moves))
			requireOnReplica(t, m.to, cluster)
		}
		requireStored(t, store, stays)
	})
}

// requireOnReplica requires that a master's replica has what the master has.
func requireOnReplica(t *testing.T, master *servers.Redis, cluster *servers.Cluster) {
	t.Helper()
	for i, node := range cluster.Nodes()[:3] {
		if node.Addr() == master.Addr() {
			replica := cluster.Nodes()[3+i]
			require.Equal(t, master.MustDo("DBSIZE"), replica.MustDo("DBSIZE"))
		}
	}
}
