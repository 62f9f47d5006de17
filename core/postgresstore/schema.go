package postgresstore

import (
	"context"
	"fmt"
	"strings"
)

// schemaSQL makes the table. See the package's documentation for what its columns are.
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
`

// lockSQL lets one node at a time make tables, of whatever name, in a database; the number is
// arbitrary. "IF NOT EXISTS" alone is not safe: two nodes may both find nothing.
const lockSQL = `SELECT pg_advisory_xact_lock(7305804402637827941);
`

// inspectSQL tells of the table $1 whether it exists, has all columns, and an index for the sweep.
// (A name is looked up in the newest state of the catalog, all else in that in which the statement
// began. A table that came in between must not seem to be one without columns.)
const inspectSQL = `SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1::text)),
  (SELECT count(*) = 7 FROM pg_attribute a JOIN (VALUES ('id', 'text'), ('revision', 'bigint'),
      ('owner', 'text'), ('used', 'bigint'), ('expires', 'bigint'), ('due', 'bigint'),
      ('data', 'bytea')) AS wanted (name, type)
    ON a.attname = wanted.name AND format_type(a.atttypid, NULL) = wanted.type
    WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0),
  EXISTS (SELECT FROM pg_index i JOIN pg_attribute a
    ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = to_regclass($1::text) AND i.indisvalid AND a.attname = 'due')`

func newSchema(table, index string) string {
	return strings.NewReplacer("{table}", table, "{index}", index).Replace(schemaSQL)
}

// Schema returns the SQL that Migrate runs, for those whose tables are made by somebody else. It
// may be run again.
func (s *Store) Schema() string { return s.schema }

// Migrate makes the table and its index where they are missing. It may be called at every start,
// and by many nodes at once. Where there is nothing to do it only reads; else it needs the
// privilege CREATE on the schema, which must exist, and an index that is missing needs the table's
// owner.
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

// migrated reports whether the table is as it should be.
func (s *Store) migrated(ctx context.Context) (bool, error) {
	var exists, columns, index bool
	err := s.db.QueryRow(ctx, inspectSQL, s.table).Scan(&exists, &columns, &index)
	switch {
	case err != nil:
		return false, s.failure(ctx, err)
	case exists && !columns:
		return false, fmt.Errorf("postgresstore: the table %s exists and is not one of this "+
			"store: name another in Options.Table", s.table)
	}
	return exists && index, nil
}
