package servers

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
	if _, err := p.Psql("SELECT pg_promote(true, 60)"); err != nil {
		p.t.Errorf("promotion: %v", err)
	}
}
