package sqlitestore

import "strings"

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

// LimitPages lets the file have no more pages than it has now, as on a disk that is full, or with
// false any number again, on this writing connection and those after it. It waits for the writer to
// have nothing to do.
func (s *Store) LimitPages(limit bool) error {
	for {
		s.writer.mu.Lock()
		running := s.writer.running
		if running == nil {
			break
		}
		s.writer.mu.Unlock()
		<-running
	}
	defer s.writer.mu.Unlock()
	if s.writer.conn != nil {
		if err := s.writer.conn.close(); err != nil {
			return err
		}
		s.writer.conn = nil
	}
	const setting = "&_pragma=max_page_count(1)" // what there is stays
	s.file.dsn = strings.TrimSuffix(s.file.dsn, setting)
	if limit {
		s.file.dsn += setting
	}
	return nil
}

// MakeInPlace makes the file as on a file system without links.
func (s *Store) MakeInPlace() error { return s.file.makeInPlace() }
