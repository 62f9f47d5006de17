package servers

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Redis is a running server of an [Engine]. It is safe for concurrent use.
type Redis struct {
	t      testing.TB
	engine Engine
	shared bool
	*redisProcess
}

// redisProcess is what the handles on one server have in common.
type redisProcess struct {
	process
	client
	port int
}

// redisDefaults come before the caller's lines, which win. Nothing is saved unless a test asks. A
// replica behind a cut stays one, in the eyes of its master, for as long as a test may take.
const redisDefaults = `bind 127.0.0.1
protected-mode no
daemonize no
save ""
appendonly no
enable-debug-command yes
repl-diskless-sync-delay 0
repl-timeout 600
loglevel notice
`

// Start starts a server on a free port. Each line of config is one of its configuration file, such
// as "requirepass x", "appendonly yes" or those of [Certificate.Redis]; Do and URL know about
// passwords and TLS. The server is gone when the test has ended.
func (e Engine) Start(t testing.TB, config ...string) *Redis {
	t.Helper()
	e.need(t)
	process, err := e.start(config)
	if err != nil {
		t.Fatalf("%s does not start: %v", e.Name, err)
	}
	return e.own(t, process)
}

// own returns a server that ends with the test.
func (e Engine) own(t testing.TB, process *redisProcess) *Redis {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of %s at port %d ends with\n%s", e.Name, process.port, process.Log())
		}
		process.end()
	})
	return &Redis{t: t, engine: e, redisProcess: process}
}

// sharedRedis are the servers of this process that all its tests share, by the engine's name.
var sharedRedis struct {
	sync.Mutex
	started map[string]*redisProcess
}

// Shared returns the one server that all tests of this process share, for tests that need no more
// than a prefix of their own. It cannot be stopped.
func (e Engine) Shared(t testing.TB) *Redis {
	t.Helper()
	e.need(t)
	sharedRedis.Lock()
	defer sharedRedis.Unlock()
	process := sharedRedis.started[e.Name]
	if process == nil {
		var err error
		if process, err = e.start(nil); err != nil {
			t.Fatalf("%s does not start: %v", e.Name, err)
		}
		if sharedRedis.started == nil {
			sharedRedis.started = map[string]*redisProcess{}
		}
		sharedRedis.started[e.Name] = process
	}
	return &Redis{t: t, engine: e, shared: true, redisProcess: process}
}

// start starts a server that nobody ends yet.
func (e Engine) start(config []string) (*redisProcess, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return e.startAs(redisRole{port: port, defaults: redisDefaults}, config)
}

// redisRole is what a server is to be, a sentinel for example, and its port.
type redisRole struct {
	port     int
	defaults string
	args     []string
}

// startAs starts a server on a port that is reserved for it.
func (e Engine) startAs(role redisRole, config []string) (*redisProcess, error) {
	dir, err := plot(e.Name, nil)
	if err != nil {
		return nil, err
	}
	r := &redisProcess{port: role.port}
	r.client.addr, r.client.password = local(role.port), setIn(config, "requirepass")
	lines := []string{role.defaults, "dir " + dir}
	if setIn(config, "tls-cert-file") == "" {
		lines = append(lines, fmt.Sprintf("port %d", role.port))
	} else {
		lines = append(lines, "port 0", fmt.Sprintf("tls-port %d", role.port))
		if r.client.tls, err = trusting(setIn(config, "tls-ca-cert-file")); err != nil {
			return nil, err
		}
	}
	if password := r.client.password; password != "" {
		lines = append(lines, "masterauth "+password) // for the day when it is a replica
	}
	text := strings.Join(append(lines, config...), "\n") + "\n"
	file := filepath.Join(dir, "server.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	r.process.program = program{
		path: e.binary, args: append([]string{file}, role.args...), dir: dir, ready: r.ready,
	}
	return r, r.process.start()
}

// setIn returns the last value that configuration lines give a name, "" if none does.
func setIn(config []string, name string) string {
	value := ""
	for _, line := range config {
		if found, ok := strings.CutPrefix(line, name+" "); ok {
			value = strings.Trim(found, `" `)
		}
	}
	return value
}

// ready asks the server for its number, so that it cannot be another one that answers.
func (r *redisProcess) ready(pid int) error {
	answer, err := r.client.do(patience, "INFO", "server")
	if err != nil {
		return err
	}
	if text, _ := answer.(string); !strings.Contains(text, fmt.Sprintf("process_id:%d\r", pid)) {
		r.client.close()
		return fmt.Errorf("another server answers at %s", r.client.addr)
	}
	answer, err = r.client.do(patience, "INFO", "persistence") // a sentinel's is empty
	if text, _ := answer.(string); err == nil && strings.Contains(text, "loading:1") {
		err = errors.New("it is still loading its data")
	}
	return err
}

// end ends the server for good.
func (r *redisProcess) end() {
	r.process.kill()
	r.client.close()
	_ = os.RemoveAll(r.process.dir) // what stays is removed at the process's end
}

// Addr returns host and port.
func (r *Redis) Addr() string { return local(r.port) }

// Port returns the port.
func (r *Redis) Port() int { return r.port }

// Dir returns the server's directory, where its files are.
func (r *Redis) Dir() string { return r.dir }

// Engine returns what the server is.
func (r *Redis) Engine() Engine { return r.engine }

// URL returns the server's address with its password, as redis:// or, with TLS, rediss://.
func (r *Redis) URL() string {
	address := url.URL{Scheme: "redis", Host: r.Addr()}
	if r.client.tls != nil {
		address.Scheme = "rediss"
	}
	if r.client.password != "" {
		address.User = url.UserPassword("", r.client.password)
	}
	return address.String()
}

// TLS returns how a client trusts this server, nil if it has no TLS.
func (r *Redis) TLS() *tls.Config { return r.client.tls.Clone() }

// Do sends one command and returns its answer: nil, string, int64, or []any of these. What the
// server refuses is a [ReplyError]; after any other error it is unknown whether it was done. Calls
// of one server wait for each other, 30 seconds at most for each answer.
func (r *Redis) Do(args ...string) (any, error) { return r.client.do(answerTime, args...) }

// MustDo is Do for a command that cannot fail; if it does, that ends the test.
func (r *Redis) MustDo(args ...string) any {
	r.t.Helper()
	answer, err := r.Do(args...)
	if err != nil {
		r.t.Fatalf("%s: %v", args[0], err)
	}
	return answer
}

// Info returns one field of the server's INFO, "" if there is no such field or no answer.
func (r *Redis) Info(field string) string {
	answer, _ := r.Do("INFO", "everything")
	text, _ := answer.(string)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
