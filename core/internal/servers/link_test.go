package servers_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// listener is a server that notes every line and answers it.
type listener struct {
	net.Listener
	lines chan string
}

func listen(t *testing.T) *listener {
	gate, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = gate.Close() })
	l := &listener{gate, make(chan string, 100)}
	go func() {
		for {
			conn, err := gate.Accept()
			if err != nil {
				return
			}
			go l.serve(conn)
		}
	}()
	return l
}

func (l *listener) serve(conn net.Conn) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		l.lines <- lines.Text()
		_, _ = io.WriteString(conn, "heard "+lines.Text()+"\n")
	}
	l.lines <- "(end)"
}

// caller is a connection through a link.
type caller struct {
	t *testing.T
	net.Conn
	answers *bufio.Reader
}

func call(t *testing.T, link *servers.Link) *caller {
	conn, err := net.DialTimeout("tcp", link.Addr(), patience)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return &caller{t, conn, bufio.NewReader(conn)}
}

func (c *caller) say(line string) {
	_, err := io.WriteString(c.Conn, line+"\n")
	require.NoError(c.t, err)
}

func (c *caller) hear() string {
	line, err := c.answers.ReadString('\n')
	require.NoError(c.t, err)
	return line
}

// isSilent reports that nothing has come, after what would have been time enough.
func (c *caller) isSilent() bool {
	require.NoError(c.t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := c.answers.ReadByte()
	require.NoError(c.t, c.SetReadDeadline(time.Now().Add(patience)))
	return err != nil
}

func TestLink(t *testing.T) {
	t.Parallel()

	t.Run("it carries both ways, and ends", func(t *testing.T) {
		server := listen(t)
		c := call(t, servers.NewLink(t, server.Addr().String()))
		c.say("hello")
		require.Equal(t, "heard hello\n", c.hear())
		c.say("and bye")
		require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
		require.Equal(t, "heard and bye\n", c.hear(), "the last answer still comes")
		_, err := c.answers.ReadByte()
		require.Equal(t, io.EOF, err)
	})

	t.Run("a cut is a black hole, and what waits in it arrives after it", func(t *testing.T) {
		server := listen(t)
		link := servers.NewLink(t, server.Addr().String())
		c := call(t, link)
		c.say("1")
		require.Equal(t, "heard 1\n", c.hear())
		link.Cut()
		c.say("2")
		late := call(t, link)
		late.say("3")
		require.True(t, c.isSilent())
		require.True(t, late.isSilent())
		require.Len(t, server.lines, 1, "nothing has passed")
		link.Heal()
		require.Equal(t, "heard 2\n", c.hear())
		require.Equal(t, "heard 3\n", late.hear())
	})

	t.Run("what is sent into a cut never arrives after a drop", func(t *testing.T) {
		server := listen(t)
		link := servers.NewLink(t, server.Addr().String())
		c := call(t, link)
		c.say("1")
		require.Equal(t, "heard 1\n", c.hear())
		link.Cut()
		c.say("2")
		require.True(t, c.isSilent())
		link.Drop()
		_, err := c.answers.ReadByte()
		require.Error(t, err, "the connection is closed")
		require.False(t, reachable(link.Addr()), "and no other is taken")

		link.Heal()
		again := call(t, link)
		again.say("3")
		require.Equal(t, "heard 3\n", again.hear())
		require.NoError(t, again.Close())
		heard := map[string]bool{}
		for !heard["3"] || len(heard) < 3 {
			heard[<-server.lines] = true
		}
		require.Equal(t, map[string]bool{"1": true, "3": true, "(end)": true}, heard)
	})

	t.Run("the end of a connection does not pass a cut", func(t *testing.T) {
		server := listen(t)
		link := servers.NewLink(t, server.Addr().String())
		c := call(t, link)
		c.say("1")
		require.Equal(t, "heard 1\n", c.hear())
		<-server.lines
		link.Cut()
		require.NoError(t, c.Close())
		select {
		case line := <-server.lines:
			t.Errorf("%q has passed", line)
		case <-time.After(50 * time.Millisecond):
		}
		link.Heal()
		require.Equal(t, "(end)", <-server.lines)
	})

	t.Run("a delay delays, and ends", func(t *testing.T) {
		server := listen(t)
		link := servers.NewLink(t, server.Addr().String())
		c := call(t, link)
		link.Delay(time.Hour)
		c.say("1")
		require.True(t, c.isSilent())
		link.Heal()
		again := call(t, link)
		link.Delay(40 * time.Millisecond)
		began := time.Now()
		again.say("2")
		require.Equal(t, "heard 2\n", again.hear())
		require.GreaterOrEqual(t, time.Since(began), 80*time.Millisecond, "once per direction")
	})
}
