package sqlitestore

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Options are the settings of a Store. The zero value is right for one application and its file.
type Options struct {
	// Table is the name of the table that holds the records, so that two applications can share a
	// file. Its indexes and the tables beside it are named after it. It is a letter or '_' and then
	// letters, digits and '_', at most 63 of them, and does not begin with "sqlite_". The zero value
	// means "sessions".
	Table string
}

const (
	defaultTable    = "sessions"
	longestTable    = 63
	reservedByTheDB = "sqlite_"
)

// faults collects what is wrong with the arguments of Open.
type faults []error

func (f *faults) add(bad bool, field, reason string) {
	if bad {
		*f = append(*f, &core.ConfigError{Field: field, Reason: reason})
	}
}

func (o Options) withDefaults() Options {
	if o.Table == "" {
		o.Table = defaultTable
	}
	return o
}

// check judges Options that have their defaults.
func (o Options) check(f *faults) {
	const field = "sqlitestore.Options.Table"
	f.add(!identifier(o.Table), field, "is not a letter or '_' followed by letters, digits and '_'")
	f.add(len(o.Table) > longestTable, field, "is longer than 63 characters")
	f.add(len(o.Table) >= len(reservedByTheDB) &&
		strings.EqualFold(o.Table[:len(reservedByTheDB)], reservedByTheDB),
		field, `begins with "sqlite_", which SQLite keeps for itself`)
}

func identifier(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}

// settle checks everything that Open was given, and returns the file's absolute path, so that the
// program may change its directory later.
func settle(path string, options Options) (string, Options, error) {
	const field = "sqlitestore.Open path"
	var f faults
	options = options.withDefaults()
	options.check(&f)
	f.add(path == "", field, "is empty: it names the file that keeps the sessions")
	f.add(strings.HasPrefix(path, ":memory:"), field,
		`is ":memory:": sessions that need not survive the process are core.MemoryStore's`)
	f.add(strings.HasPrefix(path, "file:"), field, "is a URI: it is the plain name of a file")
	f.add(strings.ContainsRune(path, 0), field, "contains a NUL")
	if err := errors.Join(f...); err != nil {
		return "", options, err
	}
	absolute, err := filepath.Abs(path)
	return absolute, options, err
}
