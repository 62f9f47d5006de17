package servers

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ReplyError is an error that a Redis or Valkey server has answered, such as "ERR no such key".
// After it the connection is as good as before.
type ReplyError string

// Error returns the server's words.
func (e ReplyError) Error() string { return string(e) }

// client speaks RESP2 over one connection, which it opens when there is none. It is safe for
// concurrent use; calls wait for each other.
type client struct {
	addr     string
	password string
	tls      *tls.Config // nil: none

	mu     sync.Mutex
	conn   net.Conn
	reader *bufio.Reader
}

// do sends one command and returns the answer: nil, string, int64 or []any of these. An error
// answer is a ReplyError; after any other error the outcome is unknown.
func (c *client) do(limit time.Duration, args ...string) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(limit)
	if c.conn == nil {
		if err := c.open(deadline); err != nil {
			return nil, err
		}
	}
	answer, err := c.exchange(deadline, args)
	var refused ReplyError
	if err != nil && !errors.As(err, &refused) {
		c.drop()
	}
	return answer, err
}

func (c *client) open(deadline time.Time) error {
	dialer := &net.Dialer{Deadline: deadline}
	var err error
	if c.tls == nil {
		c.conn, err = dialer.Dial("tcp", c.addr)
	} else {
		var conn *tls.Conn
		if conn, err = tls.DialWithDialer(dialer, "tcp", c.addr, c.tls); err == nil {
			c.conn = conn
		}
	}
	if err != nil {
		c.conn = nil
		return err
	}
	c.reader = bufio.NewReader(c.conn)
	if c.password == "" {
		return nil
	}
	if _, err := c.exchange(deadline, []string{"AUTH", c.password}); err != nil {
		c.drop()
		return err
	}
	return nil
}

func (c *client) drop() {
	_ = c.conn.Close()
	c.conn = nil
}

func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.drop()
	}
}

func (c *client) exchange(deadline time.Time, args []string) (any, error) {
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	var command strings.Builder
	fmt.Fprintf(&command, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&command, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := io.WriteString(c.conn, command.String()); err != nil {
		return nil, err
	}
	return readReply(c.reader)
}

// readReply reads one answer. An error inside an array is one of its elements.
func readReply(r *bufio.Reader) (any, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, text := line[0], strings.TrimSuffix(line[1:], "\r\n")
	switch kind {
	case '+':
		return text, nil
	case '-':
		return nil, ReplyError(text)
	case ':':
		return strconv.ParseInt(text, 10, 64)
	case '$':
		return readBulk(r, text)
	case '*':
		return readArray(r, text)
	default:
		return nil, fmt.Errorf("not an answer in RESP2: %q", line)
	}
}

func readBulk(r *bufio.Reader, length string) (any, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return nil, err
	}
	text := make([]byte, n+2)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	return string(text[:n]), nil
}

func readArray(r *bufio.Reader, length string) (any, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return nil, err
	}
	all := make([]any, n)
	for i := range all {
		element, err := readReply(r)
		var refused ReplyError
		switch {
		case errors.As(err, &refused):
			all[i] = refused
		case err != nil:
			return nil, err
		default:
			all[i] = element
		}
	}
	return all, nil
}
