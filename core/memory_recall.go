package core

// recall is Load without the detour by a Record's times, for the Manager, which asks with each
// request. It keeps nothing of id, and leaves valuesAt to who takes the frame apart.
func (m *MemoryStore) recall(id ID, b *snapshot) bool {
	i, hash := m.locate(id)
	sh := &m.shards[i]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	_, p, ok := sh.find(hash, id)
	if !ok {
		return false
	}
	s := sh.slot(p)
	b.revision, b.used, b.expires = s.revision(), momentIn(s.used()), momentIn(s.expires())
	b.id, b.owner, b.data = sh.text(p)
	return true
}

// momentIn is a slot's time as core has it, which does not tell the epoch from no time.
func momentIn(ms int64) moment {
	if ms == unixMilliZero {
		return noMoment
	}
	return moment(ms)
}
