package core_test

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"time"
)

// An eventSource reads server-sent events as the HTML standard says ("9.2.6 Interpreting an event
// stream"), which is how browsers do it.
type eventSource struct {
	in     *bufio.Reader
	begun  bool
	lastCR bool // a LF that comes now belongs to the line before

	lastID   string
	retry    time.Duration
	comments int
}

// A message is an event as a page gets it.
type message struct{ name, data, lastID string }

func newEventSource(r io.Reader) *eventSource { return &eventSource{in: bufio.NewReader(r)} }

// next reads up to the next event that is dispatched. What is cut off at the end is dropped.
func (s *eventSource) next() (message, error) {
	var name string
	var data strings.Builder
	id := s.lastID
	for {
		line, err := s.line()
		if err != nil {
			return message{}, err
		}
		if line == "" {
			s.lastID = id
			if data.Len() > 0 {
				if name == "" {
					name = "message"
				}
				return message{name, strings.TrimSuffix(data.String(), "\n"), s.lastID}, nil
			}
			name = ""
			continue
		}
		field, value, colon := strings.Cut(line, ":")
		if colon && field == "" {
			s.comments++
			continue
		}
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "data":
			data.WriteString(value + "\n")
		case "id":
			if !strings.Contains(value, "\x00") {
				id = value
			}
		case "retry":
			if n, err := strconv.ParseUint(value, 10, 32); err == nil {
				s.retry = time.Duration(n) * time.Millisecond
			}
		}
	}
}

// line reads a line, which ends with CRLF, CR or LF, decoded as UTF-8.
func (s *eventSource) line() (string, error) {
	var line []byte
	for {
		b, err := s.in.ReadByte()
		if err != nil {
			return "", err
		}
		if s.lastCR && b == '\n' {
			s.lastCR = false
			continue
		}
		s.lastCR = b == '\r'
		if b != '\r' && b != '\n' {
			line = append(line, b)
			continue
		}
		text := strings.ToValidUTF8(string(line), "\uFFFD")
		if !s.begun {
			text, s.begun = strings.TrimPrefix(text, "\uFEFF"), true
		}
		return text, nil
	}
}
