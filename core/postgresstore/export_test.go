package postgresstore

import "time"

// Statements are the texts of what the Store sends in operation, for a test of the documentation.
func (s *Store) Statements() []string {
	t := s.statements
	return []string{
		t.ping, t.load, t.create, t.update, t.touch, t.renew, t.refused, t.delete, t.fence, t.sweep,
		t.epoch, t.add, t.notAdded, t.list, t.remove, t.raise, t.haveOwners, t.sweepOwners,
		t.mark, t.raiseMark, t.renewAndTell, t.deleteAndTell, t.channel, t.beat,
	}
}

// ListenWithin sets how long a Watch waits for a beat, before the first one. A machine may stand
// still for longer than the usual time, which is for networks.
func (s *Store) ListenWithin(d time.Duration) { s.ear.within = d }
