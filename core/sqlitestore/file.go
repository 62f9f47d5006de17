package sqlitestore

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// A file is the database file, and how to connect to it.
type file struct {
	path string
	dsn  string
	sql  schema
	is   fs.FileInfo // which file it was when it was set up
}

func newFile(path, table string) file {
	// The URI's mode=rw keeps SQLite from making a file: one that was removed under a running
	// program must be an error, not an empty store.
	uri := filepath.ToSlash(path)
	if !strings.HasPrefix(uri, "/") {
		uri = "/" + uri
	}
	uri = (&url.URL{Path: uri}).EscapedPath()
	return file{path: path, dsn: "file:" + uri + "?mode=rw", sql: newSchema(table)}
}

// setUp makes what is missing: the file, its settings and the table. It refuses a file that is not
// this store's, and changes nothing in it then.
func (f *file) setUp() (err error) {
	if err := f.make(); err != nil {
		return err
	}
	c, err := connect(f.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	fresh, err := f.look(c)
	if err != nil {
		return err
	}
	if fresh {
		// It must come before anything that writes the file's first page.
		if err := c.exec("PRAGMA auto_vacuum = INCREMENTAL"); err != nil {
			return err
		}
	}
	if err := f.useLog(c); err != nil {
		return err
	}
	if err := f.makeTable(c); err != nil {
		return err
	}
	f.is, err = os.Stat(f.path)
	return explainFile(f.path, err)
}

// same sees to it that the path still names the file that was set up. Connections go on with a
// file that was removed or replaced, but what they write there nobody will find.
func (f *file) same() error {
	is, err := os.Stat(f.path)
	if err == nil && os.SameFile(is, f.is) {
		return nil
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sqlitestore: %s was removed or replaced while the program uses it: "+
			"restart the program", f.path)
	}
	return explainFile(f.path, err)
}

// make creates an empty file that only this user can read, if there is none.
//
// It makes it under another name, closes it, and gives it the true one then: whoever closes a file
// takes away the locks that other connections of the same process have on it (POSIX), and one may
// use the file as soon as it has its name.
func (f *file) make() error {
	if _, err := os.Stat(f.path); !errors.Is(err, fs.ErrNotExist) {
		return explainFile(f.path, err)
	}
	made, err := os.CreateTemp(filepath.Dir(f.path), ".sessions-*") // of mode 0600
	if err != nil {
		return explainFile(f.path, err)
	}
	defer os.Remove(made.Name())
	if err := made.Close(); err != nil {
		return explainFile(f.path, err)
	}
	err = os.Link(made.Name(), f.path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return f.makeInPlace() // this file system has no links
}

// makeInPlace is for a file system without links, and safe if no other Store of this process opens
// the same file for the first time at the same time.
func (f *file) makeInPlace() error {
	made, err := os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return explainFile(f.path, err)
	}
	return made.Close()
}

// look inspects the file at one instant: another process may be making its table.
func (f *file) look(c *conn) (fresh bool, err error) {
	if err := c.exec("BEGIN"); err != nil {
		return false, err
	}
	if fresh, err = f.inspect(c); err != nil {
		return false, err // closing the connection ends the transaction
	}
	return fresh, c.exec("COMMIT")
}

// inspect finds out whose file it is. A fresh one holds nothing yet.
func (f *file) inspect(c *conn) (fresh bool, err error) {
	id, err := c.number("PRAGMA application_id")
	if err != nil {
		return false, err
	}
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return false, err
	}
	tables, err := c.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return false, err
	}
	switch {
	case id == applicationID && version > layout:
		return false, fmt.Errorf("sqlitestore: %s was written by a newer version of this package "+
			"(layout %d, this one knows %d)", f.path, version, layout)
	case id == applicationID:
		return false, nil
	case id == 0 && version == 0 && tables == 0:
		return true, nil
	}
	return false, fmt.Errorf("sqlitestore: %s is another program's SQLite database "+
		"(application_id %d, %d tables and indexes): sessions need a file of their own",
		f.path, id, tables)
}

// useLog turns to write-ahead logging, in which readers and the writer do not wait for each other.
func (f *file) useLog(c *conn) error {
	var mode [1]driver.Value
	if err := c.row("PRAGMA journal_mode = WAL", mode[:]); err != nil {
		return err
	}
	if mode[0] != "wal" {
		return fmt.Errorf("sqlitestore: the file system of %s cannot do write-ahead logging "+
			"(journal_mode is %v): it must be a local disk", f.path, mode[0])
	}
	return nil
}

// makeTable looks again at whose file it is, now that no other process can change it.
func (f *file) makeTable(c *conn) error {
	if err := c.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if _, err := f.inspect(c); err != nil {
		return err // closing the connection rolls back
	}
	err := c.exec(fmt.Sprintf("%s\nPRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		f.sql.create, applicationID, layout))
	return err
}
