package servers_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

func TestRedis(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		t.Run("it answers, and tells kinds of answers apart", answersAreTyped(engine))
		t.Run("what it was told to save survives a kill", killAndRestart(engine))
		t.Run("without saving nothing survives", killWithoutSaving(engine))
		t.Run("a paused one goes on where it was", pauseAndResume(engine))
		t.Run("with a password and TLS", passwordAndTLS(engine))
		t.Run("the shared one is one, and is not stopped", sharedOne(engine))
		t.Run("it is gone after its test", goneAfterTest(engine))
	})
}

func answersAreTyped(engine servers.Engine) func(*testing.T) {
	return func(t *testing.T) {
		r := engine.Shared(t)
		assert.Equal(t, "OK", r.MustDo("SET", "kinds", "a\r\nb"))
		assert.Equal(t, "a\r\nb", r.MustDo("GET", "kinds"))
		assert.Nil(t, r.MustDo("GET", "kinds-none"))
		assert.Equal(t, int64(1), r.MustDo("EXISTS", "kinds"))
		assert.Equal(t, []any{"a\r\nb", nil, []any{int64(7)}},
			r.MustDo("EVAL", `return {redis.call("GET", "kinds"), false, {7}}`, "0"))
		_, err := r.Do("NONSENSE")
		var refused servers.ReplyError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "PONG", r.MustDo("PING"), "the connection is as good as before")
	}
}

func killAndRestart(engine servers.Engine) func(*testing.T) {
	return func(t *testing.T) {
		r := engine.Start(t, "appendonly yes", "appendfsync always")
		addr := r.Addr()
		r.MustDo("SET", "a", "1")
		r.Kill()
		require.False(t, reachable(addr))
		_, err := r.Do("GET", "a")
		require.Error(t, err)
		r.Restart()
		require.Equal(t, addr, r.Addr())
		require.Equal(t, "1", r.MustDo("GET", "a"))
	}
}

func killWithoutSaving(engine servers.Engine) func(*testing.T) {
	return func(t *testing.T) {
		r := engine.Start(t)
		r.MustDo("SET", "a", "1")
		r.Restart() // in good order
		require.Nil(t, r.MustDo("GET", "a"))
	}
}

func pauseAndResume(engine servers.Engine) func(*testing.T) {
	return func(t *testing.T) {
		r := engine.Start(t)
		r.MustDo("SET", "a", "1")
		r.Pause()
		answered := make(chan struct{})
		go func() {
			_, _ = r.Do("INCR", "a")
			close(answered)
		}()
		select {
		case <-answered:
			t.Error("a paused server has answered")
		default:
		}
		r.Resume()
		<-answered
		require.Equal(t, "2", r.MustDo("GET", "a"), "what was sent meanwhile was done")
		r.Pause() // also a paused one can be stopped
		r.Stop()
		require.False(t, r.Running())
	}
}

func passwordAndTLS(engine servers.Engine) func(*testing.T) {
	return func(t *testing.T) {
		secure := servers.Certificates(t).Redis()
		r := engine.Start(t, append([]string{"requirepass secret"}, secure...)...)
		require.Equal(t, "rediss://:secret@"+r.Addr(), r.URL())
		require.NotNil(t, r.TLS().RootCAs)
		r.MustDo("SET", "a", "1")
		require.Equal(t, "1", r.Replica(t, nil, secure...).MustDo("GET", "a"))

		plain := engine.Start(t, "requirepass secret")
		require.Equal(t, "redis://:secret@"+plain.Addr(), plain.URL())
		require.Nil(t, plain.TLS())
	}
}

func sharedOne(engine servers.Engine) func(*testing.T) {
	return func(t *testing.T) {
		require.Equal(t, engine.Shared(t).Addr(), engine.Shared(t).Addr())
		for _, harm := range []func(*servers.Redis){
			(*servers.Redis).Kill, (*servers.Redis).Stop, (*servers.Redis).Restart,
			(*servers.Redis).Pause, (*servers.Redis).Resume,
		} {
			outcome := judge(t, func(t testing.TB) { harm(engine.Shared(t)) })
			require.Contains(t, outcome.failed, "shared")
		}
		require.Equal(t, "PONG", engine.Shared(t).MustDo("PING"))
	}
}

func goneAfterTest(engine servers.Engine) func(*testing.T) {
	return func(t *testing.T) {
		var r *servers.Redis
		t.Run("its test", func(t *testing.T) { r = engine.Start(t) })
		require.False(t, reachable(r.Addr()))
		require.NoDirExists(t, r.Dir())
	}
}

func TestRedisReplica(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		master := engine.Start(t, "requirepass secret")
		link := servers.NewLink(t, master.Addr())
		replica := master.Replica(t, link)
		master.MustDo("SET", "a", "before")
		require.Equal(t, int64(1), master.MustDo("WAIT", "1", "10000"))
		require.Equal(t, "before", replica.MustDo("GET", "a"))

		link.Cut()
		master.MustDo("SET", "a", "cut")
		require.Equal(t, int64(0), master.MustDo("WAIT", "1", "100"))
		link.Drop()
		replica.ReplicaOf("")
		require.Equal(t, "before", replica.MustDo("GET", "a"), "it never came through")
		require.Equal(t, "OK", replica.MustDo("SET", "a", "promoted"))

		link.Heal()
		replica.ReplicaOf(link.Addr())
		replica.AwaitReplica(t)
		require.Equal(t, "cut", replica.MustDo("GET", "a"))
		_, err := os.Stat(replica.Dir())
		require.NoError(t, err)
	})
}
