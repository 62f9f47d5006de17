package redisstore

import (
	"time"

	"github.com/redis/rueidis"
)

const (
	dialTimeout = 2 * time.Second
	// pingEvery and pingTimeout find a server that holds a connection and does not answer.
	pingEvery   = time.Second
	pingTimeout = 3 * time.Second
	bufferSize  = 64 << 10
	ringScale   = 9
)

// Open makes a Store for a server, a Sentinel set or a cluster. It does no I/O: the first call
// connects, and one that cannot fails alone. Errors are *core.ConfigError, joined, and hold
// nothing of the URL.
//
//	redis://user:password@host:6379/0                         one server, or one node of a cluster
//	redis://host1:6379?addr=host2:6379&addr=host3:6379        more nodes of a cluster
//	redis://host1:26379?addr=host2:26379&master_set=main      Sentinels, which know the server
//	rediss://host:6379                                        TLS
//	unix:///run/redis.sock?db=0
//
// valkey:// and valkeys:// are the same as redis:// and rediss://. Signs in a password that have a
// meaning in URLs are written as %2F and the like. Further parameters: db, client_name,
// protocol=2, dial_timeout (2s where it is missing), write_timeout (how long a server may be
// silent, 3s), sentinel_username and sentinel_password. The user name and the password before the
// host are the server's, not the Sentinels'. For all else, make a client of your own and call New.
func Open(address string, options Options) (*Store, error) {
	options = options.withDefaults()
	var f faults
	client, reason := parse(address)
	f.add(reason != "", "Open", "is given a URL "+reason)
	options.check(&f)
	f.add(options.TLS != nil && client.TLSConfig == nil && reason == "", "Options.TLS",
		"is set, but the URL is not a rediss:// one")
	f.add(options.Credentials != nil && client.Sentinel.MasterSet != "", "Options.Credentials",
		"cannot be used with Sentinel")
	if err := f.err(); err != nil {
		return nil, err
	}
	settle(&client, &options)
	s := newStore(options)
	s.link.open(client)
	return s, nil
}

// settle sets what the URL does not say.
func settle(c *rueidis.ClientOption, o *Options) {
	if c.TLSConfig != nil {
		// The name to verify is that of each node, not of the one in the URL.
		c.TLSConfig.ServerName = ""
		if o.TLS != nil {
			c.TLSConfig = o.TLS.Clone()
		}
	}
	c.Dialer.KeepAlive = pingEvery
	c.Sentinel.Dialer, c.Sentinel.TLSConfig = c.Dialer, c.TLSConfig
	if credentials := o.Credentials; credentials != nil {
		c.AuthCredentialsFn = func(
			server rueidis.AuthCredentialsContext,
		) (answer rueidis.AuthCredentials, err error) {
			answer.Username, answer.Password, err = credentials(server.Address)
			return answer, err
		}
	}
	c.DisableCache = true
	// One that watches no more may still be closing its connection.
	c.BlockingPoolSize = maxConfirming + 2*maxListening
	c.PipelineMultiplex = -1 // one connection to a node: a second is made when a call needs it
	c.ReadBufferEachConn, c.WriteBufferEachConn = bufferSize, bufferSize
	c.RingScaleEachConn = ringScale
	c.DisableRetry = true // the client's own retry connects, whatever the context says
}
