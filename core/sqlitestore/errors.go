package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"

	"github.com/sessionserverstore/sessionserverstore/core"
)

var errClosed = errors.New("sqlitestore: the store is closed")

// SQLite's primary result codes, the lowest eight bits of every code. They are part of its stable
// interface (sqlite.org/rescode.html).
const (
	codePerm     = 3
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeProtocol = 15
	codeNotADB   = 26
)

// codeOf returns the primary result code of an error of SQLite's, and zero for any other.
func codeOf(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// isBusy reports whether another connection holds what this one needs, so that it is worth trying
// again. SQLITE_PROTOCOL is the same for the locks of the write-ahead log.
func isBusy(err error) bool {
	switch codeOf(err) {
	case codeBusy, codeLocked, codeProtocol:
		return true
	}
	return false
}

func isFull(err error) bool { return codeOf(err) == codeFull }

// explain says in words what is wrong with the file. Verdicts, and what is not SQLite's error, stay
// as they are.
func (s *Store) explain(err error) error {
	var reason string
	switch codeOf(err) {
	case 0:
		return err
	case codeFull:
		return fmt.Errorf("%w: no room to write in the file system of %s: %w",
			core.ErrStoreFull, s.file.path, err)
	case codeCorrupt:
		reason = "is damaged: restore it from a backup, or remove it with its -wal and -shm files"
	case codeNotADB:
		reason = "is not an SQLite database, or its first page is damaged"
	case codeReadOnly, codePerm:
		reason = "cannot be written: the file, its -wal and -shm files and their directory must " +
			"be writable"
	case codeCantOpen:
		reason = "cannot be opened"
	case codeIOErr:
		reason = "cannot be read or written: the disk or the file system fails"
	case codeBusy, codeLocked, codeProtocol:
		reason = "is locked by another program"
	default:
		reason = "gives an error"
	}
	return fmt.Errorf("sqlitestore: %s %s: %w", s.file.path, reason, err)
}

// over says that a context ended before anything was done.
func over(ctx context.Context) error {
	return fmt.Errorf("sqlitestore: not begun: %w", ctx.Err())
}

// unknown says that a context ended while a write was under way.
func unknown(ctx context.Context) error {
	return fmt.Errorf("sqlitestore: the write may or may not take effect: %w", ctx.Err())
}

// explainFile says what is wrong with the file where the operating system told it, not SQLite.
func explainFile(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("sqlitestore: the directory of %s does not exist: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("sqlitestore: %s may not be made or opened by this user: %w", path, err)
	}
	return fmt.Errorf("sqlitestore: %s: %w", path, err)
}
