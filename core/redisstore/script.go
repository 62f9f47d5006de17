package redisstore

import (
	"crypto/sha1"
	"encoding/hex"

	"github.com/redis/rueidis"
)

// What the scripts answer with.
const (
	absent   = 0
	done     = 1
	conflict = 2
	foreign  = 3 // there is something, but no record
)

// compareText begins a script that goes on only if the record's Revision is ARGV[1]. The Revision
// is compared as text, since a Lua number is not whole above 2^53, and only the value's beginning
// is read, however long it is. ARGV[2] is the TTL.
const compareText = `local key, was = KEYS[1], redis.call('GETRANGE', KEYS[1], 0, 8)
if was ~= ARGV[1] then
  if was == '' then return redis.call('EXISTS', key) * 3 end
  if #was < 9 or string.byte(was) ~= 1 then return 3 end
`

const updateText = `#!lua
` + compareText + `  if ARGV[4] then redis.call('SETRANGE', key, 0, was) end
  return 2
end
if ARGV[2] == '0' then
  redis.call('SET', key, ARGV[3])
else
  redis.call('SET', key, ARGV[3], 'PX', ARGV[2])
end
return 1`

// A touch makes the value no longer, and is allowed where memory is short.
const touchText = `#!lua flags=allow-oom
` + compareText + `  return 2
end
redis.call('SETRANGE', key, 0, ARGV[3])
if ARGV[2] == '0' then
  redis.call('PERSIST', key)
else
  redis.call('PEXPIRE', key, ARGV[2])
end
return 1`

// An end writes in any case, so that a WAIT behind it has something to wait for: a DEL of nothing
// is sent to no replica.
const deleteText = `#!lua flags=allow-oom
if redis.call('DEL', KEYS[1]) == 0 then
  redis.call('SET', KEYS[1], '')
  redis.call('DEL', KEYS[1])
end
return 1`

// A script is sent by its name first, and whole if the server does not know it.
type script struct{ text, sum string }

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text))
	return &script{text: text, sum: hex.EncodeToString(sum[:])}
}

func (s *script) command(
	b rueidis.Builder, whole bool, key string, args []string,
) rueidis.Completed {
	if whole {
		return b.Eval().Script(s.text).Numkeys(1).Key(key).Arg(args...).Build()
	}
	return b.Evalsha().Sha1(s.sum).Numkeys(1).Key(key).Arg(args...).Build()
}

type scripts struct{ update, touch, delete *script }

func newScripts() scripts {
	return scripts{newScript(updateText), newScript(touchText), newScript(deleteText)}
}

// A write is one command that changes one key: a script, or without one SET NX.
type write struct {
	script *script
	key    string
	args   []string // the script's: Revision, TTL, value; or without one TTL and value
	fence  bool     // it writes also where it answers conflict
}

// took reports whether the write has written something.
func (w *write) took(outcome int64) bool {
	return outcome == done || w.fence && outcome == conflict
}

// again is the write of what is there already, after it has taken effect.
func (w *write) again(update *script) write {
	if len(w.args) == 0 || w.fence {
		return *w
	}
	value, ttl := w.args[len(w.args)-1], w.args[len(w.args)-2]
	return write{script: update, key: w.key, args: []string{value[:revisionSize], ttl, value}}
}

func (w *write) command(b rueidis.Builder, whole bool) rueidis.Completed {
	switch {
	case w.script != nil:
		return w.script.command(b, whole, w.key, w.args)
	case w.args[0] == noTTL:
		return b.Arbitrary("SET").Keys(w.key).Args(w.args[1], "NX").Build()
	}
	return b.Arbitrary("SET").Keys(w.key).Args(w.args[1], "NX", "PX", w.args[0]).Build()
}

// outcome reads the answer to a write.
func (w *write) outcome(result rueidis.RedisResult) (int64, error) {
	if w.script != nil {
		return result.AsInt64()
	}
	switch err := result.Error(); {
	case rueidis.IsRedisNil(err):
		return conflict, nil
	case err != nil:
		return 0, err
	}
	return done, nil
}
