package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"
)

// A conn is one connection to the file, for one goroutine at a time.
//
// It speaks to the driver itself instead of through database/sql, whose pool knows nothing of one
// writer and many readers. And it never gives the driver a context that can end: the driver would
// start a goroutine for each call, which doubles what a load costs, to interrupt a statement that
// takes microseconds; and an interrupted statement of the writer's would take those of others with
// it. What may wait, for a lock, for its turn, waits outside and looks at the context there.
type conn struct {
	raw        driver.Conn
	statements []*statement
}

func connect(dsn string) (*conn, error) {
	raw, err := new(sqlite.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw}, nil
}

// close also closes the statements, without which SQLite would keep the file open for them.
func (c *conn) close() error {
	var list []error
	for _, s := range c.statements {
		list = append(list, s.raw.Close())
	}
	return errors.Join(append(list, c.raw.Close())...)
}

// exec runs statements without parameters.
func (c *conn) exec(query string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), query, nil)
	return err
}

// row returns the first row of a query without parameters.
func (c *conn) row(query string, dest []driver.Value) error {
	rows, err := c.raw.(driver.QueryerContext).QueryContext(context.Background(), query, nil)
	if err != nil {
		return err
	}
	return first(rows, dest)
}

// number returns the number that a query without parameters answers with.
func (c *conn) number(query string) (int64, error) {
	var dest [1]driver.Value
	if err := c.row(query, dest[:]); err != nil {
		return 0, err
	}
	n, ok := dest[0].(int64)
	if !ok {
		return 0, fmt.Errorf("sqlitestore: %s answers %T", query, dest[0])
	}
	return n, nil
}

// drain runs a query without parameters to its end, and drops what it answers.
func (c *conn) drain(query string) error {
	rows, err := c.raw.(driver.QueryerContext).QueryContext(context.Background(), query, nil)
	if err != nil {
		return err
	}
	dest := make([]driver.Value, len(rows.Columns()))
	for err == nil {
		err = rows.Next(dest)
	}
	if err == io.EOF {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

func first(rows driver.Rows, dest []driver.Value) error {
	err := rows.Next(dest)
	if err2 := rows.Close(); err == nil {
		err = err2
	}
	return err
}

// A statement is prepared once for a conn, and has the conn's one goroutine.
type statement struct {
	raw  driver.Stmt
	args []driver.NamedValue
}

func (c *conn) prepare(query string) (*statement, error) {
	raw, err := c.raw.Prepare(query)
	if err != nil {
		return nil, err
	}
	s := &statement{raw: raw}
	c.statements = append(c.statements, s)
	return s, nil
}

func (s *statement) bind(values []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, v := range values {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.args
}

// run returns how many rows the statement changed.
func (s *statement) run(values ...driver.Value) (int64, error) {
	res, err := s.raw.(driver.StmtExecContext).ExecContext(context.Background(), s.bind(values))
	clear(s.args) // do not hold on to Data
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// each calls f with every row in dest, until f returns an error.
func (s *statement) each(dest []driver.Value, f func() error, values ...driver.Value) error {
	q := s.raw.(driver.StmtQueryContext)
	rows, err := q.QueryContext(context.Background(), s.bind(values))
	if err != nil {
		return err
	}
	for err == nil {
		if err = rows.Next(dest); err == nil {
			err = f()
		}
	}
	if err2 := rows.Close(); err == io.EOF {
		err = err2
	}
	return err
}

// first puts the first row into dest. It answers io.EOF if there is none.
func (s *statement) first(dest []driver.Value, values ...driver.Value) error {
	q := s.raw.(driver.StmtQueryContext)
	rows, err := q.QueryContext(context.Background(), s.bind(values))
	if err != nil {
		return err
	}
	return first(rows, dest)
}
