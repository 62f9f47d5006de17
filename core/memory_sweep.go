package core

import (
	"context"
	"runtime"
	"sync/atomic"
)

// A sweepCursor is how far a sweep has come in a shard: it goes from the last chunk of the highest
// class to the first of the lowest, one at a time, and others may read and write between the steps.
//
// It misses nothing by that. A record moves in three ways. Where another one of its vector was
// removed, it moves from the end of the vector, which the cursor sees first, towards the
// beginning: it may be seen twice. In a write it may move to another vector, which then knows when
// it is due, for the next sweep if this one has been there. And what was seen is not seen again, but
// it was not due. Each chunk keeps for itself when it is due, whatever moves to it.
type sweepCursor struct {
	class slotClass
	chunk int // the cursor stands before it; what is at or behind it was seen
}

func newSweepCursor() sweepCursor { return sweepCursor{class: shortClasses + 1} }

// sweepAll takes the steps of a sweep, and returns how many things have gone.
func sweepAll(
	ctx context.Context, due *atomic.Int64, now int64,
	step func(cursor *sweepCursor, now int64) (gone int, more bool),
) (int, error) {
	gone := 0
	for cursor := newSweepCursor(); ; {
		if err := ctx.Err(); err != nil || due.Load() > now {
			return gone, err
		}
		n, more := step(&cursor, now)
		if !more {
			return gone, nil
		}
		if gone += n; n > 0 {
			runtime.Gosched() // with one processor, requests would wait until all is done
		}
	}
}

// sweepStep removes what has expired by now from the next chunk where there may be such records.
// It reports false when there was none, and then the shard's due is exact.
func (sh *memoryShard) sweepStep(cursor *sweepCursor, now int64) (removed int, more bool) {
	var told []ID
	sh.mu.Lock()
	removed, more = sh.sweepNext(cursor, now, func(p place) {
		told = sh.tell(told, p)
		sh.remove(sh.index.at(entryOf(sh.hashAt(p), p)), p)
	})
	sh.mu.Unlock()
	sh.watch.ended(told...)
	return removed, more
}

// sweepNext looks through the next chunk in which something may be due, and gives what is to drop,
// which either removes it or makes it due later.
func (sh *memoryShard) sweepNext(
	cursor *sweepCursor, now int64, drop func(place),
) (dropped int, more bool) {
	for cursor.advance(sh.vectors) {
		if sh.vectors[cursor.class].chunks[cursor.chunk].due <= now {
			return sh.sweepChunk(cursor.class, cursor.chunk, now, drop), true
		}
	}
	due := int64(never)
	for i := range sh.vectors {
		due = min(due, sh.vectors[i].due())
	}
	sh.due.Store(due)
	return 0, false
}

// advance moves the cursor to the next chunk, if there is one.
func (c *sweepCursor) advance(vectors []vector) bool {
	if int(c.class) < len(vectors) {
		c.chunk = min(c.chunk, len(vectors[c.class].chunks))
	}
	for c.chunk == 0 || int(c.class) >= len(vectors) {
		if c.class == 0 {
			return false
		}
		c.class--
		if int(c.class) < len(vectors) {
			c.chunk = len(vectors[c.class].chunks)
		}
	}
	c.chunk--
	return true
}

// sweepChunk drops what is due of one chunk, and finds out when it is due again. It goes backwards,
// because removing moves a record from behind.
func (sh *memoryShard) sweepChunk(
	c slotClass, number int, now int64, drop func(place),
) (dropped int) {
	begin := number * chunkSlots
	end := min(sh.vectors[c].n, begin+chunkSlots)
	sh.seen += end - begin
	due := int64(never)
	for i := end - 1; i >= begin; i-- {
		if at := sh.vectors[c].slot(c, i).due(); at > now {
			due = min(due, at)
			continue
		}
		drop(placeOf(c, i))
		dropped++
		if v := &sh.vectors[c]; i < v.n {
			// What moved here was seen before, or is seen when the chunk is due again.
			due = min(due, v.slot(c, i).due())
		}
	}
	if v := &sh.vectors[c]; begin < v.n {
		v.chunks[number].due = due
	}
	return dropped
}
