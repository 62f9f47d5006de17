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
	full     = 4 // there are as many entries as there may be
)

// compareText begins a script that goes on only if the record's Revision is ARGV[1]. The Revision
// is compared as text, since a Lua number is not whole above 2^53, and only the value's beginning
// is read, however long it is. ARGV[2] is the TTL.
const compareText = `local key, was = KEYS[1], redis.call('GETRANGE', KEYS[1], 0, 8)
if was ~= ARGV[1] then
  if was == '' then return redis.call('EXISTS', key) * 3 end
  if #was < 9 or string.byte(was) ~= 1 then return 3 end
`

// An update with ARGV[4] being 1 writes also where it is refused. One that is a renewal tells so in
// the channel ARGV[5], if the user may.
const updateText = `#!lua
` + compareText + `  if ARGV[4] == '1' then redis.call('SETRANGE', key, 0, was) end
  return 2
end
if ARGV[2] == '0' then
  redis.call('SET', key, ARGV[3])
else
  redis.call('SET', key, ARGV[3], 'PX', ARGV[2])
end
if ARGV[5] then redis.pcall('PUBLISH', ARGV[5], key) end
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
// is sent to no replica. It tells so in the channel ARGV[1]; a user who may not publish there can
// still end sessions.
const deleteText = `#!lua flags=allow-oom
if redis.call('DEL', KEYS[1]) == 0 then
  redis.call('SET', KEYS[1], '')
  redis.call('DEL', KEYS[1])
end
redis.pcall('PUBLISH', ARGV[1], KEYS[1])
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

type scripts struct {
	update, touch, delete        *script
	add, raise, remove, addAgain *script
	mark, beat                   *script
}

func newScripts() scripts {
	return scripts{
		update: newScript(updateText), touch: newScript(touchText), delete: newScript(deleteText),
		add: newScript(addText), raise: newScript(raiseText), remove: newScript(removeText),
		addAgain: newScript(addAgainText), mark: newScript(markText), beat: newScript(beatText),
	}
}
