package servers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ReplicaOptions say how a replica of PostgreSQL is attached. The zero value is an asynchronous one
// that reaches its primary directly.
type ReplicaOptions struct {
	// Sync makes the primary's commits wait for this replica, or for any one of those with Sync.
	Sync bool
	// Via is the way by which the replica reaches its primary; its target must be the primary's
	// address.
	Via *Link
	// Config are further lines of the replica's configuration file.
	Config []string
}

// replicaDefaults let a replica come back soon after its way was cut.
const replicaDefaults = `
wal_retrieve_retry_interval = 100ms
wal_receiver_status_interval = 1s
`

// Replica starts a replica of the server, made by pg_basebackup, and waits until it receives what
// is written. It is gone when the test has ended.
func (p *Postgres) Replica(t testing.TB, options ReplicaOptions) *Postgres {
	t.Helper()
	replica, err := newPostgresProcess(p.tools)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("replica_%d", replica.port)
	if err := p.copyTo(replica, name, options); err != nil {
		t.Fatalf("a copy of PostgreSQL: %v", err)
	}
	if err := replica.process.start(); err != nil {
		t.Fatalf("PostgreSQL's replica does not start: %v", err)
	}
	owned := ownPostgres(t, replica)
	if options.Sync {
		if err := p.waitFor(name); err != nil {
			t.Fatal(err)
		}
	}
	p.awaitReplica(t, name, options.Sync)
	return owned
}

// copyTo makes the files of a replica.
func (p *Postgres) copyTo(replica *postgresProcess, name string, options ReplicaOptions) error {
	addr := p.Addr()
	if options.Via != nil {
		addr = options.Via.Addr()
	}
	host, port, _ := strings.Cut(addr, ":")
	source := fmt.Sprintf("host=%s port=%s user=%s password=%s application_name=%s",
		host, port, postgresUser, PostgresPassword, name)
	_, err := replica.run("pg_basebackup", "-d", source, "-D", replica.data(), "-R", "-X", "stream",
		"-c", "fast", "-N")
	if err != nil {
		return err
	}
	// The copy has its primary's settings, also this one of ALTER SYSTEM, which would make a
	// promoted replica wait for itself. The last line counts.
	auto, err := os.OpenFile(
		filepath.Join(replica.data(), "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = auto.WriteString("synchronous_standby_names = ''\n")
	if err := errors.Join(err, auto.Close()); err != nil {
		return err
	}
	return replica.configure(append([]string{replicaDefaults}, options.Config...)...)
}

// waitFor adds a replica to those that commits wait for.
func (p *Postgres) waitFor(name string) error {
	p.standby.Lock()
	defer p.standby.Unlock()
	p.standby.names = append(p.standby.names, name)
	return p.setStandbys(fmt.Sprintf("ANY 1 (%s)", strings.Join(p.standby.names, ", ")))
}

// StopWaiting makes the primary's commits wait for no replica any more, as whoever runs it does
// when the replica is lost.
func (p *Postgres) StopWaiting() {
	p.standby.Lock()
	defer p.standby.Unlock()
	p.standby.names = nil
	if err := p.setStandbys(""); err != nil {
		p.t.Error(err)
	}
}

func (p *Postgres) setStandbys(names string) error {
	_, err := p.Psql("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'")
	if err != nil {
		return err
	}
	_, err = p.Psql("SELECT pg_reload_conf()")
	return err
}

// awaitReplica waits until the primary sends to a replica, and counts on it if it is to: each
// commit that comes then waits for it.
func (p *Postgres) awaitReplica(t testing.TB, name string, sync bool) {
	t.Helper()
	await(t, "PostgreSQL streams to "+name, func() bool {
		got, err := p.Psql("SELECT state, sync_state FROM pg_stat_replication " +
			"WHERE application_name = '" + name + "'")
		state, counted, _ := strings.Cut(got, "|")
		return err == nil && state == "streaming" && (counted != "async") == sync
	})
	if !sync {
		return
	}
	// That commits wait at all is switched on by the checkpointer, when it reads the configuration
	// anew, which it does before it looks for something to do. While the first of these two is
	// carried out it may not have done so; the second one it finds after that.
	for range 2 {
		if _, err := p.Psql("CHECKPOINT"); err != nil {
			t.Fatal(err)
		}
	}
}

// AwaitCaughtUp waits until a replica has applied all that the server has written so far.
func (p *Postgres) AwaitCaughtUp(t testing.TB, replica *Postgres) {
	t.Helper()
	at, err := p.Psql("SELECT pg_current_wal_lsn()")
	if err != nil {
		t.Fatal(err)
	}
	await(t, "PostgreSQL's replica catches up", func() bool {
		got, err := replica.Psql("SELECT pg_last_wal_replay_lsn() >= '" + at + "'")
		return err == nil && got == "t"
	})
}
