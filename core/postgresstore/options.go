package postgresstore

import (
	"strings"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	defaultTable = "sessions"
	// maxTable leaves room for what is added to a table's name to make those of the others, of an
	// index or of a constraint, at most "_owners_pkey": PostgreSQL cuts names at 63 bytes, and two
	// that are cut may be the same.
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
	// Standby demands that each end and each renewal, each addition to an owner, and each raised
	// epoch and mark is confirmed by the synchronous standbys that the server's
	// synchronous_standby_names asks for. Where that setting is empty they answer
	// core.ErrNotDurable, which they also do where somebody cancelled the wait for a standby; the
	// Manager then tries again until one confirms. A Store of New needs a pool that Configure has
	// prepared for it. Durability is core.Replicated with it, else core.Durable.
	Standby bool
	// Listen is the URL of the connection on which Watch listens. It is needed only where that of
	// the pool will not do: where DB is no *pgxpool.Pool, and behind a pooler of transactions, such
	// as PgBouncer, which passes on nothing that it was not asked for. It leads to the same server
	// and database by another way, and to the one that takes writes if there are several.
	Listen string
	// Unwatched leaves out of ends and renewals what Watch needs to hear of them, which spares them
	// a second round trip where there are many at once, or a standby. Watch then answers with
	// errors.ErrUnsupported, and the Manager looks every few seconds after sessions that somebody
	// waits for. All Stores of a table must agree.
	Unwatched bool
}

// tables are the names of what a Store needs, quoted, since one may be a word of SQL, such as
// "user".
type tables struct {
	table, index        string
	owners, ownersIndex string
	marks               string
}

// names returns the names of the tables and of their indexes.
func (o Options) names() (tables, error) {
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
		return tables{}, &core.ConfigError{Field: "postgresstore.Options.Table", Reason: reason}
	}
	index := func(of string) string { return `"` + table + of + `_due"` }
	in := ""
	if qualified {
		in = `"` + schema + `".`
	}
	return tables{
		table: in + `"` + table + `"`, index: index(""),
		owners: in + `"` + table + `_owners"`, ownersIndex: index("_owners"),
		marks: in + `"` + table + `_marks"`,
	}, nil
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
