package redisstore_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

func TestTwoApplicationsShareAServerByPrefix(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		shop := open(t, server.URL(), redisstore.Options{Prefix: "shop:"})
		blog := open(t, server.URL(), redisstore.Options{Prefix: "blog:"})
		rec := created(t, shop)
		requireGone(t, blog, rec.ID)
		require.ErrorIs(t, blog.Update(t.Context(), rec, rec.Revision), core.ErrNotFound)
		require.ErrorIs(t, blog.Touch(t.Context(), rec, rec.Revision), core.ErrNotFound)
		require.NoError(t, blog.Delete(t.Context(), rec.ID))
		other := changed(rec, "blog")
		require.NoError(t, blog.Create(t.Context(), other))
		requireStored(t, shop, rec)
		requireStored(t, blog, other)
		require.NotNil(t, server.MustDo("GET", "shop:"+string(rec.ID)))
	})
}

// ttlOf is in how many milliseconds the server removes the record, -1 for never, -2 if it has none.
func ttlOf(server *servers.Redis, id core.ID) time.Duration {
	ms, _ := server.MustDo("PTTL", "session:"+string(id)).(int64)
	if ms < 0 {
		return time.Duration(ms)
	}
	return time.Duration(ms) * time.Millisecond
}

func TestTheServerRemovesARecordSomeTimeAfterItExpires(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		now := time.Now().UTC().Truncate(time.Millisecond)
		for name, tt := range map[string]struct {
			expires  time.Time
			from, to time.Duration
		}{
			"in an hour":  {now.Add(time.Hour), 60 * time.Minute, 66 * time.Minute},
			"now":         {now, 4 * time.Minute, 5 * time.Minute},
			"long ago":    {now.Add(-1000 * time.Hour), 4 * time.Minute, 5 * time.Minute},
			"far away":    {inYear(292_000_000), 99 * year, 101 * year},
			"before 1970": {inYear(-292_000_000), 4 * time.Minute, 5 * time.Minute},
			"never":       {time.Time{}, -1, -1},
		} {
			t.Run(name, func(t *testing.T) {
				requireTTL := func(id core.ID) {
					t.Helper()
					require.GreaterOrEqual(t, ttlOf(server, id), tt.from)
					require.LessOrEqual(t, ttlOf(server, id), tt.to)
				}
				rec := newRecord()
				rec.Expires = tt.expires
				require.NoError(t, store.Create(t.Context(), rec))
				requireStored(t, store, rec)
				requireTTL(rec.ID)

				for _, before := range []time.Time{now.Add(24 * time.Hour), {}} {
					other := newRecord()
					other.Expires = before
					require.NoError(t, store.Create(t.Context(), other))
					next := changed(other, "next")
					next.Expires = tt.expires
					require.NoError(t, store.Update(t.Context(), next, other.Revision))
					requireStored(t, store, next)
					requireTTL(other.ID)

					back := changed(next, "back")
					back.Expires = before
					require.NoError(t, store.Update(t.Context(), back, next.Revision))
					touched := changed(back, back.Data)
					touched.Expires = tt.expires
					require.NoError(t, store.Touch(t.Context(), touched, back.Revision))
					requireStored(t, store, touched)
					requireTTL(other.ID)
				}
			})
		}
	})
}

const year = 365 * 24 * time.Hour

func inYear(n int) time.Time { return time.Date(n, 1, 1, 0, 0, 0, 0, time.UTC) }

func TestWhatIsNoRecordIsAnErrorAndStays(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		rec := newRecord()
		key := "session:" + string(rec.ID)
		for name, put := range map[string][]string{
			"a list":             {"RPUSH", key, "x"},
			"nothing":            {"SET", key, ""},
			"a short text":       {"SET", key, "x"},
			"a long text":        {"SET", key, strings.Repeat("x", 100)},
			"a head only":        {"SET", key, "\x01" + strings.Repeat("\x00", 24)},
			"half an owner":      {"SET", key, "\x01" + strings.Repeat("\x00", 24) + "\x05abcd"},
			"another format":     {"SET", key, "\x02" + strings.Repeat("\x00", 40)},
			"a few bytes of one": {"SET", key, "\x01\x00\x00"},
		} {
			t.Run(name, func(t *testing.T) {
				server.MustDo("DEL", key)
				server.MustDo(put...)
				was := server.MustDo("DUMP", key)
				_, err := store.Load(t.Context(), rec.ID)
				requireNoVerdict(t, err)
				require.ErrorIs(t, store.Create(t.Context(), rec), core.ErrExists)
				// What begins like a record may be taken for one of another Revision.
				if !strings.HasPrefix(put[2], "\x01\x00\x00\x00") {
					requireNoVerdict(t, store.Update(t.Context(), rec, 1))
					requireNoVerdict(t, store.Touch(t.Context(), rec, 1))
					requireNoVerdict(t, store.Renew(t.Context(), rec, 1))
				}
				require.Equal(t, was, server.MustDo("DUMP", key))
			})
		}
	})
}

// requireNoVerdict requires an error that says nothing of a record.
func requireNoVerdict(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	for _, verdict := range []error{
		core.ErrNotFound, core.ErrExists, core.ErrConflict, core.ErrNotDurable, core.ErrStoreFull,
	} {
		require.NotErrorIs(t, err, verdict)
	}
}

func TestAFullServerSaysSoAndGoesOnEndingSessions(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t, "maxmemory-policy noeviction")
		store := open(t, server.URL(), redisstore.Options{})
		ended, touched, changes := created(t, store), created(t, store), created(t, store)
		server.MustDo("CONFIG", "SET", "maxmemory", "1")

		rec := newRecord()
		require.ErrorIs(t, store.Create(t.Context(), rec), core.ErrStoreFull)
		requireGone(t, store, rec.ID)
		next := changed(changes, "next")
		require.ErrorIs(t, store.Update(t.Context(), next, changes.Revision), core.ErrStoreFull)
		require.ErrorIs(t, store.Renew(t.Context(), next, changes.Revision), core.ErrStoreFull)
		requireStored(t, store, changes)
		next = changed(touched, touched.Data)
		require.NoError(t, store.Touch(t.Context(), next, touched.Revision), "it takes no room")
		requireStored(t, store, next)
		require.NoError(t, store.Delete(t.Context(), ended.ID))
		require.NoError(t, store.Delete(t.Context(), ended.ID), "it can still be confirmed")
		requireGone(t, store, ended.ID)

		server.MustDo("CONFIG", "SET", "maxmemory", "0")
		require.NoError(t, store.Create(t.Context(), rec))
	})
}

func TestScriptsAreSentAgainWhenTheServerForgotThem(t *testing.T) {
	test := func(t *testing.T, url string, all []*servers.Redis, options redisstore.Options) {
		store := open(t, url, options)
		for range 3 {
			rec := created(t, store)
			next, touched := changed(rec, "next"), changed(rec, "next")
			renewed := changed(rec, "renewed")
			for _, write := range []func() error{
				func() error { return store.Update(t.Context(), next, rec.Revision) },
				func() error { return store.Touch(t.Context(), touched, next.Revision) },
				func() error { return store.Renew(t.Context(), renewed, touched.Revision) },
				func() error { return store.Delete(t.Context(), rec.ID) },
			} {
				for _, server := range all {
					server.MustDo("SCRIPT", "FLUSH")
				}
				require.NoError(t, write())
			}
		}
	}
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		replicaOf(t, server, nil)
		one := []*servers.Redis{server}
		test(t, server.URL(), one, redisstore.Options{Replicas: redisstore.NoReplicas})
		test(t, server.URL(), one, redisstore.Options{Replicas: 1, ConfirmTimeout: patient})
	})
}

// Parts of an unwanted command come back in the server's error, and would be in the log.
func TestNothingOfARecordIsInAnError(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t,
			`rename-command EVALSHA ""`, `rename-command SET ""`)
		store := open(t, server.URL(), redisstore.Options{})
		rec := newRecord()
		rec.Data, rec.Owner = "a-value-of-the-session", "somebody"
		for _, err := range []error{
			store.Create(t.Context(), rec), store.Update(t.Context(), rec, 1),
			store.Renew(t.Context(), rec, 1), store.Touch(t.Context(), rec, 1),
		} {
			requireNoVerdict(t, err)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				require.NotContains(t, fmt.Sprintf(verb, err), "value-of")
				require.NotContains(t, fmt.Sprintf(verb, err), "somebody")
			}
		}
	})
}

func TestAUserWithTheDocumentedRightsSuffices(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		replicaOf(t, server, nil)
		user := []string{"ACL", "SETUSER", "shop", "on", ">" + password}
		server.MustDo(append(user, rights...)...)
		url := strings.Replace(server.URL(), "redis://", "redis://shop:"+password+"@", 1)
		store := open(t, url, redisstore.Options{ConfirmTimeout: patient})
		require.NoError(t, store.Ping(t.Context()))
		rec := created(t, store)
		next := changed(rec, "next")
		require.NoError(t, store.Update(t.Context(), next, rec.Revision))
		renewed := changed(next, "renewed")
		require.NoError(t, store.Renew(t.Context(), renewed, next.Revision))
		require.Equal(t, core.Replicated, store.Durability())
		touched := changed(renewed, renewed.Data)
		require.NoError(t, store.Touch(t.Context(), touched, renewed.Revision))
		requireStored(t, store, touched)
		never := changed(touched, touched.Data)
		never.Expires = time.Time{}
		require.NoError(t, store.Touch(t.Context(), never, touched.Revision))
		l := watch(t, store).hears(t)
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		eventually(t, l.hasEnded(rec.ID), "it is told")
		useOwners(t, store)

		other := open(t, url, redisstore.Options{Prefix: "other:"})
		_, err := other.Load(t.Context(), rec.ID)
		requireNoVerdict(t, err)
		require.ErrorContains(t, err, "NOPERM")
	})
}

// useOwners calls what is about owners and marks, with all that the scripts can come to.
func useOwners(t *testing.T, store *redisstore.Store) {
	entry := added(t, store, "user:42")
	never := newEntry()
	never.Until = time.Time{}
	over := newEntry()
	over.Until = time.Now().Add(-time.Hour)
	for _, entry := range []core.OwnerEntry{over, never} {
		_, err := store.AddOwned(t.Context(), "user:42", entry, 0, 10)
		require.NoError(t, err)
	}
	requireOwned(t, store, "user:42", entry, never)
	epoch := newEpoch()
	_, entries, err := store.RaiseEpoch(t.Context(), "user:42", epoch, inAnHour())
	require.NoError(t, err)
	require.NoError(t, store.RemoveOwned(t.Context(), "user:42", entries...))
	got, err := store.OwnerEpoch(t.Context(), "user:42")
	require.NoError(t, err)
	require.Equal(t, epoch, got)
	require.NoError(t, store.RaiseMark(t.Context(), "all", time.Now()))
	_, err = store.Mark(t.Context(), "all")
	require.NoError(t, err)
}

// rights are those that the package's documentation names.
var rights = strings.Fields("~session:* &session:* +get +set +del +evalsha " +
	"+eval +getrange +setrange +strlen +exists +pexpire +persist +wait +info +ping " +
	"+hello +hset +hget +hgetall +hlen +hexists +hrandfield +hdel +pttl +publish " +
	"+subscribe +unsubscribe +role +select +cluster|shards +cluster|slots")

// watcherRights are those of a user of the Sentinels.
var watcherRights = strings.Fields("+sentinel|sentinels +sentinel|get-master-addr-by-name " +
	"+subscribe +unsubscribe +hello +ping")

func TestUsersWithTheDocumentedRightsSufficeWithSentinel(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		for name, channels := range map[string]string{
			"all channels": "&*", "no channel, which is not enough to be told": "resetchannels",
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := engine.Sentinel(t)
				for _, node := range s.Nodes() {
					user := []string{"ACL", "SETUSER", "shop", "reset", "on", ">" + password}
					node.MustDo(append(user, rights...)...)
				}
				for _, sentinel := range s.Sentinels() {
					user := []string{"ACL", "SETUSER", "watcher", "reset", "on", ">" + password}
					sentinel.MustDo(append(append(user, channels), watcherRights...)...)
				}
				addrs := s.Addrs()
				store := open(t, fmt.Sprintf("redis://shop:%s@%s?addr=%s&addr=%s&master_set=%s"+
					"&sentinel_username=watcher&sentinel_password=%s",
					password, addrs[0], addrs[1], addrs[2], s.MasterName(), password),
					redisstore.Options{})
				eventually(t, works(t, store), "it works")
				s.AwaitMaster(t, s.KillMaster(t))
				eventually(t, works(t, store), "it finds the new master")
			})
		}
	})
}

func TestADatabaseIsSelected(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		user := []string{"ACL", "SETUSER", "shop", "reset", "on", ">" + password}
		server.MustDo(append(user, rights...)...)
		url := strings.Replace(server.URL(), "redis://", "redis://shop:"+password+"@", 1)
		rec := created(t, open(t, url+"/3", redisstore.Options{}))
		requireStored(t, open(t, url+"?db=3", redisstore.Options{}), rec)
		requireGone(t, open(t, url, redisstore.Options{}), rec.ID)
	})
}

func TestWithoutINFOAutomaticConfirmsNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		replicaOf(t, server, nil)
		server.MustDo("ACL", "SETUSER", "shop", "on", ">"+password, "~*", "+@all", "-info")
		url := strings.Replace(server.URL(), "redis://", "redis://shop:"+password+"@", 1)
		store := open(t, url, redisstore.Options{})
		rec := created(t, store)
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		require.Equal(t, core.BestEffort, store.Durability())
	})
}

func TestTwoNodesChangeOneSession(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		nodes := []*redisstore.Store{
			open(t, server.URL(), redisstore.Options{}),
			open(t, server.URL(), redisstore.Options{}),
		}
		rec := newRecord()
		rec.Data = "0"
		require.NoError(t, nodes[0].Create(t.Context(), rec))
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for range 25 {
					add(t, nodes[i%2], rec.ID)
				}
			})
		}
		all.Wait()
		got, err := nodes[1].Load(t.Context(), rec.ID)
		require.NoError(t, err)
		require.Equal(t, "200", got.Data)
	})
}

// add adds one to the number that the record holds.
func add(t *testing.T, store *redisstore.Store, id core.ID) {
	for {
		rec, err := store.Load(t.Context(), id)
		if err != nil {
			t.Error(err)
			return
		}
		n, _ := strconv.Atoi(rec.Data)
		next := changed(rec, strconv.Itoa(n+1))
		err = store.Update(t.Context(), next, rec.Revision)
		if err == nil {
			return
		}
		if !isConflict(err) {
			t.Error(err)
			return
		}
	}
}

func TestARecordOfTheGreatestSizeIsKept(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t, "client-query-buffer-limit 1gb")
		// It takes its time to send so much.
		store := open(t, server.URL()+"?write_timeout=2m", redisstore.Options{})
		rec := newRecord()
		rec.Data = strings.Repeat("0123456789abcdef", 65<<20/16)
		require.NoError(t, store.Create(t.Context(), rec))
		got, err := store.Load(t.Context(), rec.ID)
		require.NoError(t, err)
		require.True(t, got == rec)
		next := changed(rec, rec.Data[1:])
		require.NoError(t, store.Update(t.Context(), next, rec.Revision))
		touched := changed(next, next.Data)
		require.NoError(t, store.Touch(t.Context(), touched, next.Revision))
		got, err = store.Load(t.Context(), rec.ID)
		require.NoError(t, err)
		require.True(t, got == touched)
		rec.Owner = strings.Repeat("x", 256)
		require.Error(t, store.Create(t.Context(), rec))
	})
}

func TestConnectionsAreEncryptedWhereTheURLSays(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		certificate := servers.Certificates(t)
		server := engine.Start(t, append(certificate.Redis(), "requirepass "+password)...)
		store := open(t, server.URL(), redisstore.Options{TLS: certificate.TLS(t)})
		created(t, store)

		_, err := open(t, server.URL(), redisstore.Options{}).Load(t.Context(), newRecord().ID)
		requireNoVerdict(t, err)
		require.ErrorContains(t, err, "certificate")
		require.NotContains(t, err.Error(), password)
	})
}

func TestCredentialsAreAskedForEachConnection(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t, "requirepass "+password)
		url := "redis://" + server.Addr()
		var mu sync.Mutex
		secret, asked := "wrong", 0
		store := open(t, url, redisstore.Options{
			Credentials: func(address net.Addr) (string, string, error) {
				mu.Lock()
				defer mu.Unlock()
				asked++
				return "", secret, nil
			},
		})
		err := store.Create(t.Context(), newRecord())
		require.ErrorContains(t, err, "WRONGPASS")
		mu.Lock()
		secret = password
		mu.Unlock()
		created(t, store)
		mu.Lock()
		defer mu.Unlock()
		require.Greater(t, asked, 1)
	})
}

func TestAWrongPasswordIsAnErrorThatDoesNotTellIt(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t, "requirepass "+password)
		for name, login := range map[string]string{
			"a wrong password": ":another@", "none": "", "a wrong user": "nobody:another@",
		} {
			t.Run(name, func(t *testing.T) {
				store := open(t, "redis://"+login+server.Addr(), redisstore.Options{})
				err := store.Ping(t.Context())
				requireNoVerdict(t, err)
				require.NotContains(t, fmt.Sprintf("%+v %#v", err, err), "another")
				_, err = store.Load(t.Context(), newRecord().ID)
				requireNoVerdict(t, err)
			})
		}
	})
}

func TestAPasswordThatComesBackInAnErrorIsNotTold(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t, `rename-command AUTH ""`)
		store := open(t, "redis://:"+password+"@"+server.Addr()+"?protocol=2",
			redisstore.Options{})
		err := store.Ping(t.Context())
		requireNoVerdict(t, err)
		require.ErrorContains(t, err, "unknown command")
		require.NotContains(t, fmt.Sprintf("%+v %#v", err, err), password)
	})
}

func TestAClientOfOnesOwnIsUsedAndLeftOpen(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}})
		require.NoError(t, err)
		defer client.Close()
		store, err := redisstore.New(client, redisstore.Options{})
		require.NoError(t, err)
		rec := created(t, store)
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		require.NoError(t, store.Close())
		require.NoError(t, store.Close())
		_, err = store.Load(t.Context(), rec.ID)
		requireNoVerdict(t, err)
		require.NoError(t, client.Do(t.Context(), client.B().Ping().Build()).Error())
	})
}
