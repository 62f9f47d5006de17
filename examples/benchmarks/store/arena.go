package store

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"sync"
	"time"
)

const (
	arenaChunk = 1 << 20
	arenaGrain = 16 // bytes; positions are counted in these, so that 32 bits reach 64 GiB
)

func pointerFreeArena() Maker {
	return Maker{
		Name: "arena", KeyLength: idLength,
		Traits: Traits{
			Ends: EndsEach, Removal: RemovedNever, Form: "core's record",
			CompareAndSet: true, Collision: "the second key is refused",
			Note: "core's record without pointers in the simplest way: it is only ever appended " +
				"to, so nothing that has ended can leave",
		},
		New: func(Settings) (Contestant, error) {
			f, err := newFrames()
			return &arenaStore{
				frames: f, seed: maphash.MakeSeed(), index: make(map[uint64]uint32),
			}, err
		},
	}
}

// arenaStore writes records one behind the other into chunks without pointers, and finds them by
// their hash. An entry is its length, the key, and the packed record.
type arenaStore struct {
	*frames
	seed maphash.Seed

	mu     sync.RWMutex
	index  map[uint64]uint32 // hash of the key to the position, in grains
	chunks [][]byte
	end    int // in bytes, over all chunks
}

func (a *arenaStore) Put(n int, expires time.Time) error {
	rec := a.of(n, expires)
	key := string(rec.ID)
	hash := maphash.String(a.seed, key)
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.index[hash]; ok && a.find(key) == nil {
		return errors.New("another key has the same hash")
	}
	size := 2 + idLength + packedHead + len(rec.Data)
	entry := a.grow(size)
	a.index[hash] = uint32((a.end - roundUp(size)) / arenaGrain)
	binary.LittleEndian.PutUint16(entry, uint16(size))
	copy(entry[2:], key)
	pack(entry[2+idLength:2+idLength], rec)
	return nil
}

// grow takes the next size bytes, which never lie in two chunks.
func (a *arenaStore) grow(size int) []byte {
	need := roundUp(size)
	if room := len(a.chunks)*arenaChunk - a.end; room < need {
		a.end += room
		a.chunks = append(a.chunks, make([]byte, arenaChunk))
	}
	at := a.end % arenaChunk
	a.end += need
	return a.chunks[len(a.chunks)-1][at : at+size]
}

func roundUp(size int) int { return (size + arenaGrain - 1) / arenaGrain * arenaGrain }

// find is the packed record under key, nil if there is none. The caller holds the lock.
func (a *arenaStore) find(key string) []byte {
	position, ok := a.index[maphash.String(a.seed, key)]
	if !ok {
		return nil
	}
	at := int(position) * arenaGrain
	entry := a.chunks[at/arenaChunk][at%arenaChunk:]
	entry = entry[:binary.LittleEndian.Uint16(entry)]
	if string(entry[2:2+idLength]) != key {
		return nil
	}
	return entry[2+idLength:]
}

func (a *arenaStore) Get(key string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	b := a.find(key)
	return b != nil && unpack(key, b).Data != ""
}

func (a *arenaStore) Touch(key string, expires time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.find(key)
	if b == nil {
		return errMissing
	}
	setTimes(b, time.Now(), expires)
	return nil
}

func (a *arenaStore) Values(n int) (Values, bool, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	key := keyOf(n, idLength)
	b := a.find(key)
	if b == nil {
		return Values{}, false, nil
	}
	return a.values(unpack(key, b))
}
