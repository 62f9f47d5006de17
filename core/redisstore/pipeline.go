package redisstore

import (
	"context"
	"errors"

	"github.com/redis/rueidis"
)

// maxRedirects is how often a call follows a slot from node to node.
const maxRedirects = 5

var errUnknownNode = errors.New("redisstore: the cluster names a node that is not known")

// A pair is the answers to a write and to the command behind it, from one node over one
// connection.
type pair struct {
	answer
	second rueidis.RedisResult
	err    error
}

// pipeline sends a write and another command over one connection to the node that has the key. The
// client follows a slot that has moved only for single commands.
func (s *Store) pipeline(
	ctx context.Context, w *write, second func(rueidis.Builder) rueidis.Completed,
) (p pair) {
	client, err := s.link.get(ctx)
	if err != nil {
		return pair{err: err}
	}
	node, asking, whole := client, false, false
	for range maxRedirects {
		commands := make([]rueidis.Completed, 0, 3)
		if asking {
			commands = append(commands, node.B().Asking().Build())
		}
		commands = append(commands, w.command(node.B(), whole), second(node.B()))
		results := node.DoMulti(ctx, commands...)
		results = results[len(results)-2:]
		p.second = results[1]
		p.answer, p.err = w.answer(results[0])
		refusal, ok := rueidis.IsRedisErr(p.err)
		if !ok {
			return p
		}
		if refusal.IsNoScript() {
			whole = true
			continue
		}
		address, moved := refusal.IsMoved()
		if !moved {
			if address, asking = refusal.IsAsk(); !asking {
				return p
			}
		}
		if node, err = nodeAt(ctx, client, address, w.key); err != nil {
			return pair{err: err}
		}
	}
	return p
}

// nodeAt finds the client of one node. One that the cluster client does not know it learns of when
// a single command is sent there.
func nodeAt(
	ctx context.Context, client rueidis.Client, address, key string,
) (rueidis.Client, error) {
	if node := client.Nodes()[address]; node != nil {
		return node, nil
	}
	if err := client.Do(ctx, client.B().Strlen().Key(key).Build()).Error(); err != nil {
		return nil, err
	}
	if node := client.Nodes()[address]; node != nil {
		return node, nil
	}
	return nil, errUnknownNode
}
