package redisstore

import (
	"crypto/tls"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

const (
	dialTimeout = 2 * time.Second
	// pingEvery and pingTimeout find a server that holds a connection and does not answer.
	pingEvery   = time.Second
	pingTimeout = 3 * time.Second
	// refusedPause slows down what connects again and again; the client has loops that do not wait.
	refusedPause = 20 * time.Millisecond
	bufferSize   = 64 << 10
	ringScale    = 9
)

// Open makes a Store for a server, a Sentinel set or a cluster. It does no I/O: the first call
// connects, and one that cannot fails alone. Errors are *core.ConfigError, joined, and hold nothing
// of the URL.
//
//	redis://user:password@host:6379/0                         one server, or one node of a cluster
//	redis://host1:6379?addr=host2:6379&addr=host3:6379        more nodes of a cluster
//	redis://host1:26379?addr=host2:26379&master_set=main      Sentinels, which know the server
//	rediss://host:6379                                        TLS
//	unix:///run/redis.sock?db=0
//
// valkey:// and valkeys:// are the same as redis:// and rediss://. Signs in a password that have a
// meaning in URLs are written as %2F and the like. Further parameters: db, client_name, protocol=2,
// dial_timeout (2s where it is missing), write_timeout (how long a server may be silent, 3s),
// max_retries=0 (a Load is not tried again), sentinel_username and sentinel_password. The user name
// and the password before the host are the server's, not the Sentinels'. For all else, make a
// client of your own and call New.
func Open(address string, options Options) (*Store, error) {
	options = options.withDefaults()
	var f faults
	client := parse(address, &f)
	options.check(&f)
	f.add(options.TLS != nil && client.TLSConfig == nil && len(f) == 0, "Options.TLS",
		"is set, but the URL is not a rediss:// one")
	f.add(options.Credentials != nil && client.Sentinel.MasterSet != "", "Options.Credentials",
		"cannot be used with Sentinel")
	if err := f.err(); err != nil {
		return nil, err
	}
	settle(&client, &options)
	s := newStore(options)
	s.link.connect = func() (rueidis.Client, error) { return rueidis.NewClient(client) }
	return s, nil
}

// parse reads the URL. What is wrong with it is told without quoting it: the password is in it.
func parse(address string, f *faults) rueidis.ClientOption {
	if rest, ok := strings.CutPrefix(address, "valkey"); ok {
		address = "redis" + rest
	}
	const field = "Open"
	u, err := url.Parse(address)
	if err != nil {
		f.add(true, field, "is given no valid URL; is a sign in the password not written as %..?")
		return rueidis.ClientOption{}
	}
	f.add(u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix", field,
		"is given a URL whose scheme is not redis, rediss, valkey, valkeys or unix")
	f.add(u.Scheme != "unix" && u.Host == "" || u.Fragment != "", field,
		"is given a URL without a host; is a sign in the password not written as %..?")
	query := u.Query()
	for name := range query {
		switch name {
		case "addr", "client_cache", "client_name", "db", "dial_timeout", "master_set",
			"max_retries", "protocol", "sentinel_password", "sentinel_username", "write_timeout":
		default:
			f.add(true, field, "is given a URL with a parameter that it does not know")
		}
	}
	silence, err := time.ParseDuration(first(query.Get("write_timeout"), pingTimeout.String()))
	f.add(err != nil || silence <= 0, field, "is given a URL with a bad write_timeout")
	dial, err := time.ParseDuration(first(query.Get("dial_timeout"), dialTimeout.String()))
	f.add(err != nil || dial <= 0, field, "is given a URL with a bad dial_timeout")
	if len(*f) > 0 {
		return rueidis.ClientOption{}
	}
	client, err := rueidis.ParseURL(address)
	f.add(err != nil, field, "is given a URL with a bad path or db")
	client.ConnWriteTimeout, client.Dialer.Timeout = silence, dial
	client.Sentinel.Username = query.Get("sentinel_username")
	client.Sentinel.Password = query.Get("sentinel_password")
	return client
}

func first(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
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
	c.BlockingPoolSize = maxConfirming
	c.ReadBufferEachConn, c.WriteBufferEachConn = bufferSize, bufferSize
	c.RingScaleEachConn = ringScale
	c.RetryDelay = retryDelay
	c.DialFn = patient(c.DialFn)
}

// retryDelay has a Load tried again three times: at once where the server closed the connection
// while it was idle, and within a tenth of a second otherwise.
func retryDelay(attempts int, _ rueidis.Completed, _ error) time.Duration {
	switch attempts {
	case 1:
		return 0
	case 2, 3:
		return 40 * time.Millisecond
	}
	return -1
}

type dialFunc = func(string, *net.Dialer, *tls.Config) (net.Conn, error)

// patient waits a little after a connection that failed.
func patient(dial dialFunc) dialFunc {
	if dial == nil {
		dial = dialTCP
	}
	return func(address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
		conn, err := dial(address, dialer, config)
		if err != nil {
			time.Sleep(refusedPause)
		}
		return conn, err
	}
}

func dialTCP(address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	if config != nil {
		return tls.DialWithDialer(dialer, "tcp", address, config)
	}
	return dialer.Dial("tcp", address)
}
