package shared

import (
	"context"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The contestants that are not ours.
const (
	ByHand = "by hand"
	SCS    = "scs"
)

func redisByHand() Maker {
	return Maker{
		Name: ByHand,
		What: "GET, SETEX, EXPIRE and DEL of the same bytes, over rueidis with the settings of ours",
		New: func(_ context.Context, at Place) (Contestant, error) {
			client, err := newRueidis(at)
			return plainRedis{client}, err
		},
	}
}

// newRueidis makes a client as redisstore's Open does: one connection, which carries the calls of
// all goroutines.
func newRueidis(at Place) (rueidis.Client, error) {
	return rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{string(at)}, DisableCache: true, PipelineMultiplex: -1,
		ReadBufferEachConn: 64 << 10, WriteBufferEachConn: 64 << 10, RingScaleEachConn: 9,
	})
}

// plainRedis is what one would do without guards.
type plainRedis struct{ client rueidis.Client }

const plainPrefix = "plain:"

func (p plainRedis) Create(ctx context.Context, rec core.Record) error {
	return p.Change(ctx, rec, 0)
}

func (p plainRedis) Load(ctx context.Context, id core.ID) (string, bool, error) {
	get := p.client.B().Get().Key(plainPrefix + string(id)).Build()
	data, err := p.client.Do(ctx, get).ToString()
	if rueidis.IsRedisNil(err) {
		return "", false, nil
	}
	return data, err == nil, err
}

func (p plainRedis) Change(ctx context.Context, rec core.Record, _ core.Revision) error {
	return p.client.Do(ctx, p.client.B().Setex().Key(plainPrefix+string(rec.ID)).
		Seconds(secondsUntil(rec.Expires)).Value(rec.Data).Build()).Error()
}

func (p plainRedis) Touch(ctx context.Context, rec core.Record, _ core.Revision) error {
	return p.client.Do(ctx, p.client.B().Expire().Key(plainPrefix+string(rec.ID)).
		Seconds(secondsUntil(rec.Expires)).Build()).Error()
}

func (p plainRedis) Delete(ctx context.Context, id core.ID) error {
	return p.client.Do(ctx, p.client.B().Del().Key(plainPrefix+string(id)).Build()).Error()
}

func (p plainRedis) Close() error {
	p.client.Close()
	return nil
}

func secondsUntil(t time.Time) int64 { return int64(time.Until(t)/time.Second) + 1 }

func redisSCS() Maker {
	return Maker{
		Name: SCS,
		What: "scs' goredisstore of the same bytes, over go-redis with its default pool",
		New: func(_ context.Context, at Place) (Contestant, error) {
			client := redis.NewClient(&redis.Options{Addr: string(at)})
			return scsStore{
				store: goredisstore.New(client), close: func() error { return client.Close() },
			}, nil
		},
	}
}

// scsStore is a store of scs. It has one way to write, which creates what is not there.
type scsStore struct {
	store interface {
		FindCtx(ctx context.Context, token string) ([]byte, bool, error)
		CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error
		DeleteCtx(ctx context.Context, token string) error
	}
	close func() error
}

func (s scsStore) Create(ctx context.Context, rec core.Record) error {
	return s.store.CommitCtx(ctx, string(rec.ID), []byte(rec.Data), rec.Expires)
}

func (s scsStore) Load(ctx context.Context, id core.ID) (string, bool, error) {
	data, ok, err := s.store.FindCtx(ctx, string(id))
	return string(data), ok, err
}

func (s scsStore) Change(ctx context.Context, rec core.Record, _ core.Revision) error {
	return s.Create(ctx, rec)
}

// Touch is what scs does in a request that only reads, if it has an idle timeout.
func (s scsStore) Touch(ctx context.Context, rec core.Record, _ core.Revision) error {
	return s.Create(ctx, rec)
}

func (s scsStore) Delete(ctx context.Context, id core.ID) error {
	return s.store.DeleteCtx(ctx, string(id))
}

func (s scsStore) Close() error { return s.close() }
