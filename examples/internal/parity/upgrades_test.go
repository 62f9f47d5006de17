package parity

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func upgradeBehaviours() []behaviour {
	return []behaviour{
		{row: "21", name: "websocket", check: websockets,
			promise: "101 carries the cookie, and the session can be read on the connection"},
		{row: "22", name: "websocket-existing", check: websocketExisting,
			promise: "an upgrade with a live cookie sends none, and its session can be read"},
		{row: "23", name: "hijack-raw", check: hijackRaw,
			promise: "the session is committed before a connection is handed over"},
		{row: "60", name: "store-down-websocket", check: storeDownUpgrade,
			promise: "where the store is down an upgrade is 503 and its handler never runs"},
	}
}

// handshake are the header lines of a WebSocket's client.
func handshake() []string {
	return []string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}
}

// echoing is a route for each library, which says on the connection what u is.
func echoing(f framework) func(s *site) {
	return func(s *site) {
		for _, library := range f.sockets() {
			s.handle(http.MethodGet, "/"+library, func(c Ctx) error {
				if val := c.Query("u"); val != "" {
					u.Set(c.Session(), val)
				}
				return c.WebSocket(library, func(s *core.Session, send func(string) error) {
					val, _ := u.Get(s)
					_ = send("u=" + val)
				})
			})
		}
	}
}

// message reads one short text frame from a WebSocket's server.
func (v *visitor) message() string {
	v.t.Helper()
	var head [2]byte
	_, err := io.ReadFull(v.in, head[:])
	require.NoError(v.t, err)
	require.EqualValues(v.t, 0x81, head[0], "not a whole text message")
	text := make([]byte, head[1])
	_, err = io.ReadFull(v.in, text)
	require.NoError(v.t, err)
	return string(text)
}

func websockets(t *testing.T, f framework) {
	s := open(t, f, echoing(f))
	for _, library := range f.sockets() {
		v := s.visitor()
		a := v.start(http.MethodGet, "/"+library+"?u=x", "", handshake()...).is(101)
		s.holds(a.issues(), "x")
		require.Equal(t, "u=x", v.message(), library)
	}
	require.EqualValues(t, len(f.sockets()), s.store.writes.Load())
}

func websocketExisting(t *testing.T, f framework) {
	s := open(t, f, echoing(f))
	for _, library := range f.sockets() {
		v := s.visitor()
		v.get("/set?u=x").issues()
		v.start(http.MethodGet, "/"+library, "", handshake()...).is(101).silent()
		require.Equal(t, "u=x", v.message(), library)
	}
}

func hijackRaw(t *testing.T, f framework) {
	committed := make(chan int, 1)
	s := open(t, f, func(s *site) {
		s.handle(http.MethodGet, "/hijack", func(c Ctx) error {
			u.Set(c.Session(), "x")
			return c.Hijack(func(conn net.Conn) {
				committed <- s.store.Len()
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nraw")
			})
		})
	})
	s.visitor().get("/hijack").is(200).says("raw")
	require.Equal(t, 1, receive(t, committed, "the connection"))
}

func storeDownUpgrade(t *testing.T, f framework) {
	served := make(chan string, 10)
	s := open(t, f, func(s *site) {
		for _, library := range f.sockets() {
			s.handle(http.MethodGet, "/"+library, func(c Ctx) error {
				u.Set(c.Session(), "x")
				return c.WebSocket(library, func(*core.Session, func(string) error) {
					served <- library
				})
			})
		}
		s.handle(http.MethodGet, "/hijack", func(c Ctx) error {
			u.Set(c.Session(), "x")
			return c.Hijack(func(net.Conn) { served <- "hijack" })
		})
	})
	s.store.interrupt(failingWrites())
	for _, path := range append(f.sockets(), "hijack") {
		v := s.visitor()
		a := v.do(http.MethodGet, "/"+path, "", handshake()...)
		requireUnavailable(t, f, a)
		// The connection is still the server's: no frame follows the 503.
		v.get("/read").is(200).says("u=")
	}
	require.Empty(t, served)
}
