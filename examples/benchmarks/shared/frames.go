package shared

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// What the sessions hold: a user's name of 14 characters and a number of five digits; and fields of
// 56 characters, if there are to be more values.
const (
	firstUser   = "user0000000000"
	firstVisits = 10_000
	fieldLength = 56

	lifetime = 24 * time.Hour
)

// frames make the records that core keeps for sessions of a number of values.
//
// A record is made by core's own Manager, once; those of other sessions differ from it in the ID
// and in the first two values, which are as long in every session.
type frames struct {
	before, between, after string // of the user's name and the number
	seed                   uint64
}

func newFrames(values int) (*frames, error) {
	var kept lastRecord
	manager, err := core.New(core.Config{Store: &kept})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	s, err := manager.Begin(ctx, http.Header{})
	if err != nil {
		return nil, err
	}
	core.NewValue[string]("user").Set(s, firstUser)
	core.NewValue[int]("visits").Set(s, firstVisits)
	for i := range values - 2 {
		text := fmt.Sprintf("the text of field %02d.", i)
		core.NewValue[string](fmt.Sprintf("field-%02d", i)).
			Set(s, text+strings.Repeat(string(rune('a'+i)), fieldLength-len(text)))
	}
	if err := manager.Commit(ctx, s, http.Header{}); err != nil {
		return nil, err
	}
	first, second := firstUser, strconv.Itoa(firstVisits)
	data := kept.record.Data
	if strings.Index(data, second) < strings.Index(data, first) {
		return nil, fmt.Errorf("a frame in another order than expected")
	}
	f := &frames{seed: rand.Uint64()}
	var one, two bool
	f.before, data, one = strings.Cut(data, first)
	f.between, f.after, two = strings.Cut(data, second)
	if !one || !two {
		return nil, fmt.Errorf("a frame without the values that it should have")
	}
	return f, manager.Close()
}

// size is how long each frame is.
func (f *frames) size() int {
	return len(f.before) + len(firstUser) + len(f.between) + 5 + len(f.after)
}

// data is the frame of session n after so many changes.
func (f *frames) data(n, changes int) string {
	visits := strconv.Itoa(firstVisits + changes%90_000)
	return f.before + userOf(n) + f.between + visits + f.after
}

// holds looks whether data is that of session n.
func (f *frames) holds(data string, n int) bool {
	rest, ok := strings.CutPrefix(data, f.before)
	return ok && len(data) == f.size() && strings.HasPrefix(rest, userOf(n))
}

func userOf(n int) string {
	digits := strconv.Itoa(n)
	return firstUser[:len(firstUser)-len(digits)] + digits
}

// record is that of session n after so many changes.
func (f *frames) record(n, changes int, revision core.Revision) core.Record {
	used := time.UnixMilli(time.Now().UnixMilli()).UTC()
	return core.Record{
		ID: f.id(n), Revision: revision, Used: used, Expires: used.Add(lifetime),
		Data: f.data(n, changes),
	}
}

// id is that of session n. It looks as random as a real one.
func (f *frames) id(n int) core.ID {
	random := rand.New(rand.NewPCG(f.seed, uint64(n)))
	var b [24]byte
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], random.Uint64())
	}
	return core.ID(base64.RawURLEncoding.EncodeToString(b[:]))
}

// A lastRecord is a core.Store that knows the last record that was created.
type lastRecord struct{ record core.Record }

func (l *lastRecord) Create(_ context.Context, rec core.Record) error {
	l.record = rec
	return nil
}

func (l *lastRecord) Load(context.Context, core.ID) (core.Record, error) {
	return core.Record{}, core.ErrNotFound
}

func (l *lastRecord) Update(context.Context, core.Record, core.Revision) error { return nil }

func (l *lastRecord) Delete(context.Context, core.ID) error { return nil }
