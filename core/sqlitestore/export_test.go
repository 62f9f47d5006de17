package sqlitestore

// Waiting counts the writes that wait for the writer.
func (s *Store) Waiting() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	n := 0
	for o := s.writer.waiting.first; o != nil; o = o.next {
		n++
	}
	return n
}

// CheckpointAfter sets after how many pages the log is brought into the file, before the first
// write.
func (s *Store) CheckpointAfter(pages int) { s.writer.checkpointAfter = pages }

// Suspect makes the writer take the log for one whose sync has failed.
func (s *Store) Suspect() { s.writer.suspect = true }
