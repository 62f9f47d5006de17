package shared

import (
	"database/sql"
	"errors"
)

// sqliteVersion is that of the SQLite that the driver brings; "" if it does not say.
func sqliteVersion() string {
	var version string
	_ = askSQLite(":memory:", "SELECT sqlite_version()", &version)
	return version
}

// pagesOf is how many bytes the pages of a database take.
func pagesOf(file string) (bytes int64, err error) {
	err = askSQLite("file:"+file, `SELECT page_count * page_size
		FROM pragma_page_count, pragma_page_size`, &bytes)
	return bytes, err
}

func askSQLite(dsn, query string, into any) error {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	return errors.Join(db.QueryRow(query).Scan(into), db.Close())
}
