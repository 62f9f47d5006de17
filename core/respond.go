package core

import (
	"net/http"
)

// ErrorHeader is what an adapter adds to the header of its error page when Begin (with a nil
// Session) or Commit failed, after it took back what the handler had set: Retry-After to a 503,
// Vary, and what the client must be told although the answer is an error, because it took effect.
func (m *Manager) ErrorHeader(s *Session, err error, response ResponseHeader) {
	if len(response.Values("Cache-Control")) > 0 { // an outer layer's, for the answer it expected
		response.Set("Cache-Control", "no-store")
	}
	if Status(err) == http.StatusServiceUnavailable {
		response.Set("Retry-After", "1")
	}
	if s == nil {
		m.writeVary(response)
		return
	}
	m.writeHeader(s, response, true)
}

// writeHeader tells the client what is owed to it.
func (m *Manager) writeHeader(s *Session, response ResponseHeader, looked bool) {
	s.mu.Lock()
	var debt owed
	if s.edits != nil {
		debt, s.edits.owed = s.edits.owed, owed{}
	}
	heal, presented, present := s.sent.heal, s.sent.presented, s.sent.present
	s.sent.heal = 0
	s.mu.Unlock()
	if debt.token.text == nil && !debt.expire && heal == 0 {
		if looked {
			m.writeVary(response)
		}
		return
	}
	if presented == 0 {
		presented.put(m.firstOf(present))
	}
	if debt.token.text != nil {
		s.mu.Lock()
		s.sent.presented = presented // where the client has it from now on
		s.mu.Unlock()
	}
	for i, c := range m.carriers {
		if !presented.has(i) {
			continue
		}
		switch {
		case debt.token.text != nil:
			c.issue(response, debt.token.Reveal(), debt.persist, debt.maxAge)
		case debt.expire:
			c.expire(response)
		}
		if heal.has(i) {
			c.heal(response, debt.token.text != nil || debt.expire)
		}
	}
	response.Set("Cache-Control", "no-store")
	m.writeVary(response)
}

// firstOf is the carrier for a client that holds no token: the first whose own name is in the
// request, else the first.
func (m *Manager) firstOf(present carrierSet) uint8 {
	for i := range m.carriers {
		if present.has(i) {
			return uint8(i)
		}
	}
	return 0
}

func (m *Manager) writeVary(response ResponseHeader) {
	for _, name := range m.vary {
		addToList(response, "Vary", name)
	}
}
