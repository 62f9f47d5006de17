package faults

import (
	"cmp"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// header is what the clients of a run keep their token in.
const header = "Session-Id"

// A Node is one process of the application: a Manager over a store of its own.
type Node struct {
	Name    string
	Manager *core.Manager
}

// NewNode makes a node. The Config's Store and Carrier are set, and timeouts that are zero become
// short, so that operations on a server that is away fail within the test: LoadTimeout 1s,
// CommitTimeout 2s (a store that waits for copies must give up sooner), TouchInterval 50ms, so that
// touches run among the rest. The Manager is closed with the test, the store is not.
func NewNode(t testing.TB, name string, store core.Store, cfg core.Config) Node {
	t.Helper()
	cfg.Store, cfg.Carrier = store, core.Header{Name: header}
	cfg.LoadTimeout = cmp.Or(cfg.LoadTimeout, time.Second)
	cfg.CommitTimeout = cmp.Or(cfg.CommitTimeout, 2*time.Second)
	cfg.TouchInterval = cmp.Or(cfg.TouchInterval, 50*time.Millisecond)
	manager, err := core.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = manager.Close() })
	return Node{Name: name, Manager: manager}
}
