package core

import (
	"context"
	"strings"
	"sync"
	"time"
)

// memoryMarks are a few moments by name.
type memoryMarks struct {
	mu sync.Mutex
	at map[string]int64 // milliseconds
}

// Mark implements Marker.
func (m *MemoryStore) Mark(_ context.Context, name string) (time.Time, error) {
	m.marks.mu.Lock()
	defer m.marks.mu.Unlock()
	at, ok := m.marks.at[name]
	if !ok {
		return time.Time{}, nil
	}
	return time.UnixMilli(at).UTC(), nil
}

// RaiseMark implements Marker. It is never refused for want of room, and marks are not counted by
// Bytes: there are but a few.
func (m *MemoryStore) RaiseMark(_ context.Context, name string, at time.Time) error {
	m.marks.mu.Lock()
	defer m.marks.mu.Unlock()
	before, ok := m.marks.at[name]
	raised := at.UnixMilli()
	if at.IsZero() || ok && raised <= before {
		return nil
	}
	if m.marks.at == nil {
		m.marks.at = map[string]int64{}
	}
	m.marks.at[strings.Clone(name)] = raised
	return nil
}
