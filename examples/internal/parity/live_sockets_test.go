package parity

import (
	"encoding/binary"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func liveSocketBehaviours() []behaviour {
	return []behaviour{
		{row: "87", name: "websocket-live", check: socketEnds,
			promise: "a WebSocket is closed with 1008 when its session ends"},
		{row: "87b", name: "websocket-nobody", check: socketOfNobody,
			promise: "a WebSocket without a session is closed with 1008 at once"},
		{row: "87c", name: "websocket-client-gone", check: socketClientGone,
			promise: "a WebSocket whose client has gone waits for its session no more"},
	}
}

// served is a route for each library that echoes, and tells when its handler returns.
func served(f framework, ended chan<- string) func(s *site) {
	return func(s *site) {
		for _, library := range f.sockets() {
			s.handle(http.MethodGet, "/"+library, func(c Ctx) error {
				defer func() { ended <- library }()
				return c.Echo(library)
			})
		}
	}
}

// say sends a short text frame, masked with zeros as a client must.
func (v *visitor) say(text string) {
	v.t.Helper()
	frame := append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
	_, err := v.conn.Write(frame)
	require.NoError(v.t, err)
}

// dismissed reads a close frame.
func (v *visitor) dismissed() (code uint16, reason string) {
	v.t.Helper()
	var head [2]byte
	_, err := io.ReadFull(v.in, head[:])
	require.NoError(v.t, err)
	require.EqualValues(v.t, 0x88, head[0], "not a close frame")
	body := make([]byte, head[1])
	_, err = io.ReadFull(v.in, body)
	require.NoError(v.t, err)
	require.GreaterOrEqual(v.t, len(body), 2)
	return binary.BigEndian.Uint16(body), string(body[2:])
}

func socketEnds(t *testing.T, f framework) {
	ended := make(chan string, 10)
	s := open(t, f, served(f, ended))
	for _, library := range f.sockets() {
		v := s.visitor()
		token := v.get("/set?u=x").issues()
		v.start(http.MethodGet, "/"+library, "", handshake()...).is(101).silent()
		v.say("hello")
		require.Equal(t, "hello", v.message(), library)

		require.NoError(t, s.manager.Revoke(t.Context(), idOf(t, token)))
		code, reason := v.dismissed()
		require.EqualValues(t, 1008, code)
		require.Equal(t, "session ended", reason)
		_, err := v.conn.Write([]byte{0x88, 0x80, 0, 0, 0, 0}) // what a client answers
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, v.in) // nil, or that the connection was reset
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is closed")
		require.Equal(t, library, receive(t, ended, "the handler's end"))
	}
}

func socketOfNobody(t *testing.T, f framework) {
	s := open(t, f, served(f, make(chan string, 10)))
	for _, library := range f.sockets() {
		v := s.visitor()
		v.start(http.MethodGet, "/"+library, "", handshake()...).is(101).silent()
		code, _ := v.dismissed()
		require.EqualValues(t, 1008, code, library)
	}
}

func socketClientGone(t *testing.T, f framework) {
	ended := make(chan string, 10)
	s := open(t, f, served(f, ended))
	for _, library := range f.sockets() {
		v := s.visitor()
		token := v.get("/set?u=x").issues()
		v.start(http.MethodGet, "/"+library, "", handshake()...).is(101)
		v.hangUp()
		require.Equal(t, library, receive(t, ended, "the handler's end"))
		require.NoError(t, s.manager.Revoke(t.Context(), idOf(t, token)))
		require.Equal(t, core.SessionExpired, s.await(core.SessionExpired).Kind)
	}
}
