package request

// Online builds the contestant with one session, and returns the request by which a client reads
// two values of that. Its handler answers 500 if they are not what they should be. Only a
// contestant that is safe for concurrent use may be put on a listener: see Concurrent.
func (c Contestant) Online() (s Server, raw string, err error) {
	e := &entry{contestant: c, scenario: Scenario{seed: pathCreate, path: pathRead}}
	if err := e.open(); err != nil {
		return nil, "", e.wrap(err)
	}
	return e.server, rawRequest(pathRead, e.sent()), nil
}

// Concurrent reports whether the contestant may serve several goroutines. The floor may not, since
// it has no lock.
func (c Contestant) Concurrent() bool { return c.Name != Floor }
