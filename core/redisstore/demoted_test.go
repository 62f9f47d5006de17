package redisstore_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// A sign leads new connections to where it points at the moment, as a name or a Sentinel does.
// Those that there are stay where they are.
type sign struct {
	addr string
	to   atomic.Pointer[string]
}

func newSign(t *testing.T, to string) *sign {
	t.Helper()
	gate, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = gate.Close() })
	s := &sign{addr: gate.Addr().String()}
	s.to.Store(&to)
	go func() {
		for {
			conn, err := gate.Accept()
			if err != nil {
				return
			}
			go s.lead(conn)
		}
	}()
	return s
}

func (s *sign) lead(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", *s.to.Load())
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
}

func TestAStoreLeavesAMasterThatWasDemoted(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		for name, options := range map[string]redisstore.Options{
			"since its calls fail":       {Journal: redisstore.NoJournal, ConfirmTimeout: patient},
			"since its journal needs it": {Replicas: redisstore.NoReplicas},
		} {
			t.Run(name, func(t *testing.T) {
				old, next := engine.Start(t), engine.Start(t)
				way := newSign(t, old.Addr())
				store := open(t, "redis://"+way.addr, options)
				for range 2 {
					rec := created(t, store)
					require.NoError(t, store.Delete(t.Context(), rec.ID))
					addr, key := next.Addr(), "session:"+string(rec.ID)
					way.to.Store(&addr)
					next.ReplicaOf("")
					next.MustDo("SET", key, "undone")
					old.ReplicaOf(addr)
					old.AwaitReplica(t)
					if options.Journal != redisstore.NoJournal {
						eventually(t, func() bool {
							return next.MustDo("EXISTS", key) == int64(0)
						}, "ended again without a call")
					}
					eventually(t, works(t, store), "it finds the new master")
					old, next = next, old
				}
			})
		}
	})
}
