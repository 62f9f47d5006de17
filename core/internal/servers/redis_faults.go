package servers

// Kill ends the server as a crash would (kill -9).
func (r *Redis) Kill() {
	if r.mine() {
		r.process.kill()
	}
}

// Stop lets the server end in good order, saving what it is configured to save.
func (r *Redis) Stop() {
	if !r.mine() {
		return
	}
	if err := r.process.stop(signalEnd); err != nil {
		r.t.Errorf("%s: %v", r.engine.Name, err)
	}
}

// Restart starts the server again, with the same port and directory. One that still runs is stopped
// first.
func (r *Redis) Restart() {
	r.Stop()
	if !r.mine() {
		return
	}
	r.client.close()
	if err := r.process.start(); err != nil {
		r.t.Errorf("%s does not start again: %v", r.engine.Name, err)
	}
}

// Pause stops the server in its tracks (SIGSTOP). What is sent to it waits in buffers until Resume,
// and takes effect then; to lose it, cut a [Link].
func (r *Redis) Pause() {
	if r.mine() {
		r.process.pause()
	}
}

// Resume lets a paused server go on.
func (r *Redis) Resume() {
	if r.mine() {
		r.process.resume()
	}
}

// mine reports whether the test may harm the server, and fails it if not.
func (r *Redis) mine() bool {
	if r.shared {
		r.t.Errorf("a shared server is not to be stopped")
	}
	return !r.shared
}

// Running reports whether the server's process is there, paused or not.
func (r *Redis) Running() bool {
	r.process.mu.Lock()
	defer r.process.mu.Unlock()
	return r.process.alive()
}
