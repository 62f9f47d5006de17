package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// postgresUser is the only user of a test's PostgreSQL.
const postgresUser = "postgres"

// PostgresPassword is that user's password. Every server has it, so that a test can see that it is
// told to nobody.
const PostgresPassword = "the-password-of-a-test"

// Postgres is a running PostgreSQL server. It is safe for concurrent use.
type Postgres struct {
	t      testing.TB
	shared bool
	*postgresProcess
}

// postgresProcess is what the handles on one server have in common.
type postgresProcess struct {
	process
	tools     string // the directory of its programs
	port      int
	authority string // the file with the authority of its certificate, "" without TLS

	standby struct { // the replicas that its commits wait for
		sync.Mutex
		names []string
	}
}

// postgresDefaults come before the caller's lines, which win. Nothing is synced to disk, since most
// tests are not about the machine's crash: those that are say "fsync = on".
const postgresDefaults = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
fsync = off
wal_level = replica
max_wal_senders = 10
wal_keep_size = 64MB
hot_standby = on
log_line_prefix = '%m [%p] '
`

// NewPostgres starts a server on a free port. Each line of config is one of its configuration file,
// such as "fsync = on" or those of [Certificate.Postgres]. It is gone when the test has ended.
func NewPostgres(t testing.TB, config ...string) *Postgres {
	t.Helper()
	process, err := startPostgres(needPostgres(t), config)
	if err != nil {
		t.Fatalf("PostgreSQL does not start: %v", err)
	}
	return ownPostgres(t, process)
}

// ownPostgres returns a server that ends with the test.
func ownPostgres(t testing.TB, process *postgresProcess) *Postgres {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of PostgreSQL at port %d ends with\n%s", process.port, process.Log())
		}
		process.end()
	})
	return &Postgres{t: t, postgresProcess: process}
}

// sharedPostgres is the server of this process that all its tests share.
var sharedPostgres struct {
	sync.Mutex
	started *postgresProcess
}

// SharedPostgres returns the one server that all tests of this process share, for tests that need
// no more than a database of their own. It cannot be stopped.
func SharedPostgres(t testing.TB) *Postgres {
	t.Helper()
	tools := needPostgres(t)
	sharedPostgres.Lock()
	defer sharedPostgres.Unlock()
	if sharedPostgres.started == nil {
		started, err := startPostgres(tools, nil)
		if err != nil {
			t.Fatalf("PostgreSQL does not start: %v", err)
		}
		sharedPostgres.started = started
	}
	return &Postgres{t: t, shared: true, postgresProcess: sharedPostgres.started}
}

// startPostgres makes a new, empty server and starts it.
func startPostgres(tools string, config []string) (*postgresProcess, error) {
	p, err := newPostgresProcess(tools)
	if err != nil {
		return nil, err
	}
	model, err := postgresModel()
	if err != nil {
		return nil, err
	}
	if out, err := exec.Command("cp", "-a", model, p.data()).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copying a new server's files: %w: %s", err, out)
	}
	if err := p.configure(append([]string{postgresDefaults}, config...)...); err != nil {
		return nil, err
	}
	return p, p.process.start()
}

// postgresModel makes a new server's files once per process; making them takes far longer than a
// copy.
var postgresModel = sync.OnceValues(func() (string, error) {
	tools, err := postgresTools()
	if err != nil {
		return "", err
	}
	p, err := newPostgresProcess(tools)
	if err != nil {
		return "", err
	}
	secret := filepath.Join(p.dir, "password")
	if err := os.WriteFile(secret, []byte(PostgresPassword+"\n"), 0o644); err != nil {
		return "", err
	}
	_, err = p.run("initdb", "-D", p.data(), "-N", "-U", postgresUser, "-A", "scram-sha-256",
		"--pwfile", secret, "-E", "UTF8", "--locale", "C")
	return p.data(), err
})

// newPostgresProcess makes room for a server.
func newPostgresProcess(tools string) (*postgresProcess, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	as := unprivileged()
	dir, err := plot("postgres", as)
	if err != nil {
		return nil, err
	}
	p := &postgresProcess{tools: tools, port: port}
	p.process.program = program{
		path: filepath.Join(tools, "postgres"), args: []string{"-D", p.dataIn(dir)},
		dir: dir, as: as, ready: p.ready,
	}
	return p, nil
}

func (p *postgresProcess) dataIn(dir string) string { return filepath.Join(dir, "data") }

func (p *postgresProcess) data() string { return p.dataIn(p.dir) }

// configure adds lines to the server's configuration file. The port comes last.
func (p *postgresProcess) configure(lines ...string) error {
	file, err := os.OpenFile(filepath.Join(p.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	text := "\n" + strings.Join(lines, "\n") + fmt.Sprintf("\nport = %d\n", p.port)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, "ssl_ca_file = "); ok {
			p.authority = strings.Trim(value, "' \n")
		}
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// ready reads what the server writes about itself: its number in the first line of this file, and
// in the eighth whether it takes connections.
func (p *postgresProcess) ready(pid int) error {
	text, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 8 || lines[0] != strconv.Itoa(pid) {
		return errors.New("it has not begun yet")
	}
	if state := strings.TrimSpace(lines[7]); !slices.Contains([]string{"ready", "standby"}, state) {
		return fmt.Errorf("it says that it is %s", state)
	}
	return nil
}

// end ends the server for good: at once, and so that it still takes care of its children, whom
// nobody might count otherwise.
func (p *postgresProcess) end() {
	_ = p.process.stop(signalQuit) // if it does not listen it is killed
	p.process.kill()
	_ = os.RemoveAll(p.dir) // what stays is removed at the process's end
}

// Addr returns host and port.
func (p *Postgres) Addr() string { return local(p.port) }

// Port returns the port.
func (p *Postgres) Port() int { return p.port }

// Dir returns the directory of the server's data.
func (p *Postgres) Dir() string { return p.data() }
