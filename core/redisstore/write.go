package redisstore

import (
	"errors"

	"github.com/redis/rueidis"
)

var errAnswer = errors.New("redisstore: a script answers with what it cannot answer with")

// A write is one command that changes one key: a script, or without one SET NX.
type write struct {
	script *script
	key    string
	args   []string // the script's; or without one TTL and value
	fence  bool     // it writes also where it answers conflict
}

// An answer is what became of a write, and what else a script tells.
type answer struct {
	outcome int64
	more    []rueidis.RedisMessage
}

// took reports whether the write has written something.
func (w *write) took(outcome int64) bool {
	return outcome == done || w.fence && outcome == conflict
}

// again is the write of what is there already, after it has taken effect. Most writes can be
// repeated as they are.
func (w *write) again(update *script) write {
	var ttl, value string
	switch {
	case w.script == nil:
		ttl, value = w.args[0], w.args[1]
	case w.script == update && !w.fence:
		ttl, value = w.args[1], w.args[2]
	default:
		return *w
	}
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

// answer reads the answer to a write.
func (w *write) answer(result rueidis.RedisResult) (answer, error) {
	if w.script != nil {
		return answerOf(result)
	}
	switch err := result.Error(); {
	case rueidis.IsRedisNil(err):
		return answer{outcome: conflict}, nil
	case err != nil:
		return answer{}, err
	}
	return answer{outcome: done}, nil
}

// answerOf reads a script's answer: a number, or a list that begins with it.
func answerOf(result rueidis.RedisResult) (a answer, err error) {
	message, err := result.ToMessage()
	if err != nil {
		return answer{}, err
	}
	if message.IsArray() {
		if a.more, err = message.ToArray(); err != nil {
			return answer{}, err
		}
		if len(a.more) == 0 {
			return answer{}, errAnswer
		}
		message, a.more = a.more[0], a.more[1:]
	}
	a.outcome, err = message.AsInt64()
	return a, err
}
