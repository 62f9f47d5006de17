package loopback

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// A connection asks one server for the same again and again.
type connection struct {
	net.Conn
	reader  *bufio.Reader
	request []byte
}

func dial(s site) (*connection, error) {
	c, err := net.Dial("tcp4", s.Address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, reader: bufio.NewReader(c), request: []byte(s.Request)}, nil
}

// ask sends the request and reads the answer, which must be "ok".
func (c *connection) ask() error {
	if _, err := c.Write(c.request); err != nil {
		return err
	}
	status, err := c.reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("loopback: %q", status)
	}
	length, err := c.length()
	if err != nil {
		return err
	}
	body, err := c.reader.Peek(length)
	if err != nil {
		return err
	}
	if string(body) != "ok" {
		return fmt.Errorf("loopback: answered %q", body)
	}
	_, err = c.reader.Discard(length)
	return err
}

var contentLength = []byte("Content-Length:")

var errNoLength = errors.New("loopback: an answer without Content-Length")

// length reads the rest of the header and returns the body's length.
func (c *connection) length() (int, error) {
	length := -1
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, contentLength); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errNoLength
	}
	return length, nil
}

// A client is some connections to one server.
type client []*connection

func connect(s site, connections int) (c client, err error) {
	for range connections {
		one, err := dial(s)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c = append(c, one)
	}
	return c, nil
}

func (c client) close() error {
	var errs []error
	for _, one := range c {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// run asks over all connections at once for the time of a slice and returns the requests a second.
func (c client) run(slice time.Duration) (float64, error) {
	var over atomic.Bool
	type outcome struct {
		requests int
		err      error
	}
	outcomes := make(chan outcome, len(c))
	start := time.Now()
	for _, one := range c {
		go func() {
			var o outcome
			for !over.Load() && o.err == nil {
				o.err = one.ask()
				o.requests++
			}
			outcomes <- o
		}()
	}
	time.Sleep(slice)
	over.Store(true)
	requests := 0
	var errs []error
	for range c {
		o := <-outcomes
		requests += o.requests
		errs = append(errs, o.err)
	}
	took := time.Since(start)
	if err := errors.Join(errs...); err != nil {
		return 0, unexpected(err)
	}
	return float64(requests) / took.Seconds(), nil
}

// unexpected makes plain that a server which hangs up is at fault.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
