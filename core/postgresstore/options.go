package postgresstore

import (
	"strings"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	defaultTable = "sessions"
	// maxTable leaves room for what is added to a table's name to make that of its index or of a
	// constraint: PostgreSQL cuts names at 63 bytes, and two that are cut may be the same.
	maxTable  = 50
	maxSchema = 63
)

// Options are the settings of a Store. The zero value is right for one PostgreSQL server, with or
// without standbys, whose configuration says how carefully it writes.
type Options struct {
	// Table is the name of the table, "sessions" if empty, which may stand after that of a schema,
	// as in "app.sessions"; applications that share a database have one table each. Names are of
	// a-z, 0-9 and '_', do not begin with a digit, and are not more than 50 characters long.
	Table string
	// Standby demands that each end and each renewal is confirmed by the synchronous standbys that
	// the server's synchronous_standby_names asks for. Where that setting is empty they answer
	// core.ErrNotDurable, which they also do where somebody cancelled the wait for a standby; the
	// Manager then tries again until one confirms. A Store of New needs a pool that Configure has
	// prepared for it. Durability is core.Replicated with it, else core.Durable.
	Standby bool
}

// table returns the quoted name of the table, and that of its index.
func (o Options) table() (table, index string, err error) {
	name := o.Table
	if name == "" {
		name = defaultTable
	}
	schema, table, qualified := strings.Cut(name, ".")
	if !qualified {
		schema, table = "", name
	}
	reason := ""
	switch {
	case !isName(table) || qualified && !isName(schema):
		reason = "is not a name, or two with a point between them, of a-z, 0-9 and '_'"
	case len(table) > maxTable:
		reason = "is longer than 50 characters"
	case len(schema) > maxSchema:
		reason = "is in a schema whose name is longer than 63 characters"
	}
	if reason != "" {
		return "", "", &core.ConfigError{Field: "postgresstore.Options.Table", Reason: reason}
	}
	// Quoted, since the name may be a word of SQL, such as "user".
	index = `"` + table + `_due"`
	table = `"` + table + `"`
	if qualified {
		table = `"` + schema + `".` + table
	}
	return table, index, nil
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
