package postgresstore

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Configure prepares the connections of one's own pool for New, in its configuration before the
// pool is made:
//
//	config, err := pgxpool.ParseConfig(url)
//	postgresstore.Configure(config.ConnConfig)
//	pool, err := pgxpool.NewWithConfig(ctx, config)
//	store, err := postgresstore.New(pool, postgresstore.Options{})
//
// It does two things. If somebody cancels the wait for a synchronous standby, PostgreSQL answers
// success with no more than a warning: that warning then becomes core.ErrNotDurable. And where
// config does not say to which of several servers it wants to connect (target_session_attrs) it is
// the one that takes writes, since a standby may still know a session that has ended.
//
// It wraps config's OnNotice and DialFunc, so what replaces these does so before.
func Configure(config *pgx.ConnConfig) {
	dial, notice := config.DialFunc, config.OnNotice
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn}, nil
	}
	config.OnNotice = func(conn *pgconn.PgConn, n *pgconn.Notice) {
		if w := watched(conn); w != nil && saysCancelled(n) {
			w.cancelled.Add(1)
		}
		if notice != nil {
			notice(conn, n)
		}
	}
	preferPrimary(config)
}

// preferPrimary makes a connection one to a server that takes writes, unless it is said to which.
func preferPrimary(config *pgx.ConnConfig) {
	if config.ValidateConnect == nil {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// A watchedConn counts the waits for a standby that were cancelled on a connection. A notice comes
// with the connection and nothing else, and so does a result, so the network connection is where
// the two can meet.
type watchedConn struct {
	net.Conn
	cancelled atomic.Int64
}

// count returns how many waits were cancelled so far.
func (w *watchedConn) count() int64 {
	if w == nil {
		return 0
	}
	return w.cancelled.Load()
}

// watched returns the watchedConn below a connection, also below TLS, and nil if there is none.
func watched(conn *pgconn.PgConn) *watchedConn {
	for c := conn.Conn(); c != nil; {
		if w, ok := c.(*watchedConn); ok {
			return w
		}
		wrapper, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		c = wrapper.NetConn()
	}
	return nil
}

// saysCancelled tells the warning that a commit did not wait for its standby from those of others,
// such as triggers, by the function it comes from: its text may be in any language.
func saysCancelled(n *pgconn.Notice) bool {
	const warning = "01000"
	return n.Code == warning && (n.Routine == "SyncRepWaitForLSN" || n.Routine == "")
}
