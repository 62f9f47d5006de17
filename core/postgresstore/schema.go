package postgresstore

import (
	"context"
	"fmt"
	"strings"
)

// schemaSQL makes the tables. See the package's documentation for what its columns are.
const schemaSQL = `CREATE TABLE IF NOT EXISTS {table} (
  id       text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL,
  owner    text   NOT NULL,
  used     bigint NOT NULL,
  expires  bigint,
  due      bigint,
  data     bytea  NOT NULL
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX IF NOT EXISTS {index} ON {table} (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS {owners} (
  owner   text COLLATE "C" PRIMARY KEY,
  epoch   bigint NOT NULL,
  before  bigint NOT NULL,
  kept    bigint NOT NULL,
  due     bigint,
  entries jsonb  NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX IF NOT EXISTS {owners_index} ON {owners} (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS {marks} (
  name text COLLATE "C" PRIMARY KEY,
  at   bigint NOT NULL
);
`

// lockSQL lets one node at a time make tables, of whatever name, in a database; the number is
// arbitrary. "IF NOT EXISTS" alone is not safe: two nodes may both find nothing.
const lockSQL = `SELECT pg_advisory_xact_lock(7305804402637827941);
`

// inspectSQL tells of the table $1 whether it exists, has all columns $2 of the types $3, and an
// index that begins with the column $4. (A name is looked up in the newest state of the catalog, all
// else in that in which the statement began. A table that came in between must not seem to be one
// without columns.)
const inspectSQL = `SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1::text)),
  (SELECT count(*) = cardinality($2::text[]) FROM pg_attribute a
    JOIN unnest($2::text[], $3::text[]) AS wanted (name, type)
    ON a.attname = wanted.name AND format_type(a.atttypid, NULL) = wanted.type
    WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0),
  EXISTS (SELECT FROM pg_index i JOIN pg_attribute a
    ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = to_regclass($1::text) AND i.indisvalid AND a.attname = $4::text)`

// A layout is what a table must have.
type layout struct {
	table   string
	columns string // names, each followed by its type
	index   string // the column of an index
}

func (t tables) layouts() []layout {
	return []layout{
		{t.table, "id text revision bigint owner text used bigint expires bigint due bigint " +
			"data bytea", "due"},
		{t.owners, "owner text epoch bigint before bigint kept bigint due bigint entries jsonb",
			"due"},
		{t.marks, "name text at bigint", "name"},
	}
}

func newSchema(t tables) string {
	return strings.NewReplacer("{table}", t.table, "{index}", t.index, "{owners}", t.owners,
		"{owners_index}", t.ownersIndex, "{marks}", t.marks).Replace(schemaSQL)
}

// Schema returns the SQL that Migrate runs, for those whose tables are made by somebody else. It
// may be run again, and makes what an earlier version did not have.
func (s *Store) Schema() string { return s.schema }

// Migrate makes the tables and indexes that are missing, also those that an earlier version did not
// have. It may be called at every start, and by many nodes at once. Where there is nothing to do it
// only reads; else it needs the privilege CREATE on the schema, which must exist, and an index that
// is missing needs the table's owner.
func (s *Store) Migrate(ctx context.Context) error {
	done, err := s.migrated(ctx)
	if err != nil || done {
		return err
	}
	// Without arguments several statements are one round trip, and one transaction.
	if _, err := s.db.Exec(ctx, lockSQL+s.schema); err != nil {
		return s.failure(ctx, err)
	}
	done, err = s.migrated(ctx)
	if err == nil && !done {
		err = fmt.Errorf("postgresstore: the table %s was removed while it was made", s.table)
	}
	return err
}

// migrated reports whether all tables are as they should be.
func (s *Store) migrated(ctx context.Context) (bool, error) {
	all := true
	for _, wanted := range s.layouts() {
		done, err := s.has(ctx, wanted)
		if err != nil {
			return false, err
		}
		all = all && done
	}
	return all, nil
}

// has reports whether a table is as it should be.
func (s *Store) has(ctx context.Context, wanted layout) (bool, error) {
	var names, types []string
	for i, word := range strings.Fields(wanted.columns) {
		if i%2 == 0 {
			names = append(names, word)
		} else {
			types = append(types, word)
		}
	}
	var exists, columns, index bool
	err := s.db.QueryRow(ctx, inspectSQL, wanted.table, names, types, wanted.index).
		Scan(&exists, &columns, &index)
	switch {
	case err != nil:
		return false, s.failureAt(ctx, wanted.table, err)
	case exists && !columns:
		return false, fmt.Errorf("postgresstore: the table %s exists and is not one of this "+
			"store: name another in Options.Table", wanted.table)
	}
	return exists && index, nil
}
