package servers

import "strconv"

// Kill ends the server and all its processes as a crash would (kill -9).
func (p *Postgres) Kill() {
	if p.mine() {
		p.process.kill()
	}
}

// Stop ends all connections and lets the server end in good order.
func (p *Postgres) Stop() {
	if !p.mine() {
		return
	}
	if err := p.process.stop(signalFast); err != nil {
		p.t.Errorf("PostgreSQL: %v", err)
	}
}

// Restart starts the server again, with the same port and data. One that still runs is stopped
// first.
func (p *Postgres) Restart() {
	p.Stop()
	if !p.mine() {
		return
	}
	if err := p.process.start(); err != nil {
		p.t.Errorf("PostgreSQL does not start again: %v", err)
	}
}

// Pause stops the server in its tracks (SIGSTOP). What is sent to it waits in buffers until Resume,
// and takes effect then; to lose it, cut a [Link].
func (p *Postgres) Pause() {
	if p.mine() {
		p.process.pause()
	}
}

// Resume lets a paused server go on.
func (p *Postgres) Resume() {
	if p.mine() {
		p.process.resume()
	}
}

// mine reports whether the test may harm the server, and fails it if not.
func (p *Postgres) mine() bool {
	if p.shared {
		p.t.Errorf("a shared server is not to be stopped")
	}
	return !p.shared
}

// Promote ends the server's life as a replica: from its return on it takes writes.
func (p *Postgres) Promote() {
	done, err := p.Psql("SELECT pg_promote(true, 60)")
	if err != nil || done != "t" {
		p.t.Errorf("promotion: %q, %v", done, err)
	}
}

// HoldLog stops the process that writes the log of what was committed without waiting for the disk
// (synchronous_commit = off): from then on nothing of that gets there but with a commit that waits,
// and a Kill loses it for sure. It lasts until the server is killed, stopped or started again.
func (p *Postgres) HoldLog() {
	if !p.mine() {
		return
	}
	const writer = " FROM pg_stat_activity WHERE backend_type = 'walwriter'"
	held := eventually(func() bool {
		text, err := p.Psql("SELECT pid" + writer)
		pid, _ := strconv.Atoi(text)
		if err != nil || pid == 0 {
			return false // it has not begun yet
		}
		send(pid, signalPause)
		if !eventually(func() bool { return !moves(pid) }) {
			return false
		}
		// In the middle of its work it might hold a lock that all others need.
		idle, err := p.Psql("SELECT wait_event = 'WalWriterMain'" + writer)
		if err != nil || idle != "t" {
			send(pid, signalResume)
			return false
		}
		return true
	})
	if !held {
		p.t.Errorf("PostgreSQL's writer of the log does not stop")
	}
}
