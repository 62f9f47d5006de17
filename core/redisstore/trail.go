package redisstore

import (
	"sync"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// maxTrails is how many sessions' latest writes are remembered, at least; twice as many at
	// most.
	maxTrails = 4096
	// trailLength is how many Revisions of one session are.
	trailLength = 4
)

// A trail is the Revisions that one session went through by this process's writes, the latest
// first.
type trail struct {
	revisions [trailLength]core.Revision
	length    int
}

// trails remember what this process wrote lately. A request touches a session and renews it in the
// same moment, and where a failover undoes both, the journal must know that the Revision before
// the touch came before the renewal, too. Two generations take turns: when the younger one is
// full, the older one is forgotten.
type trails struct {
	mu         sync.Mutex
	young, old map[core.ID]trail
}

// step notes that a write has replaced was with now.
func (t *trails) step(id core.ID, was, now core.Revision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := trail{length: 1}
	if last := t.of(id); last.length > 0 && last.revisions[0] == was {
		next.length += copy(next.revisions[1:], last.revisions[:last.length])
	} else {
		next.revisions[1], next.length = was, 2
	}
	next.revisions[0] = now
	if len(t.young) >= maxTrails {
		t.old, t.young = t.young, nil
	}
	if t.young == nil {
		t.young = make(map[core.ID]trail)
	}
	t.young[id] = next
}

func (t *trails) of(id core.ID) trail {
	if found, ok := t.young[id]; ok {
		return found
	}
	return t.old[id]
}

// before returns the Revisions that are known to have led to one, the latest first, itself at
// first.
func (t *trails) before(id core.ID, revision core.Revision) []core.Revision {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := []core.Revision{revision}
	last := t.of(id)
	for i, r := range last.revisions[:last.length] {
		if r == revision {
			return append(all, last.revisions[i+1:last.length]...)
		}
	}
	return all
}
