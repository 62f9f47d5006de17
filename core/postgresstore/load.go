package postgresstore

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Load implements core.Store.
func (s *Store) Load(ctx context.Context, id core.ID) (core.Record, error) {
	rec := core.Record{ID: id}
	found := false
	err := unlessRolledBack(func() (err error) {
		rows, err := s.db.Query(ctx, s.load, string(id))
		if err != nil {
			return err
		}
		defer rows.Close()
		if found = rows.Next(); found {
			err = read(rows, &rec)
		}
		rows.Close()
		if err == nil {
			err = rows.Err()
		}
		return err
	})
	switch {
	case err != nil:
		return core.Record{}, s.failure(ctx, err)
	case !found:
		return core.Record{}, core.ErrNotFound
	}
	return rec, nil
}

// read takes a record from the columns of loadSQL. They come as numbers in most of pgx's modes, and
// as text in some; for numbers that is done here, since finding out how to scan each column anew
// takes longer than all the rest.
func read(rows pgx.Rows, rec *core.Record) error {
	raw := rows.RawValues()
	if !binaryColumns(rows) || len(raw[0]) != 8 || len(raw[2]) != 8 {
		return scan(rows, rec)
	}
	rec.Revision = core.Revision(binary.BigEndian.Uint64(raw[0]))
	rec.Owner = string(raw[1])
	rec.Used = milliseconds(int64(binary.BigEndian.Uint64(raw[2])))
	if len(raw[3]) == 8 {
		rec.Expires = milliseconds(int64(binary.BigEndian.Uint64(raw[3])))
	}
	rec.Data = string(raw[4])
	return nil
}

// binaryColumns reports whether all five columns are in PostgreSQL's binary format. (That of a text
// is the text itself.)
func binaryColumns(rows pgx.Rows) bool {
	fields := rows.FieldDescriptions()
	for i := range fields {
		if fields[i].Format != pgx.BinaryFormatCode && fields[i].DataTypeOID != pgtype.TextOID {
			return false
		}
	}
	return len(fields) == 5
}

func scan(rows pgx.Rows, rec *core.Record) error {
	var (
		revision, used int64
		expires        pgtype.Int8
		data           frame
	)
	if err := rows.Scan(&revision, &rec.Owner, &used, &expires, &data); err != nil {
		return err
	}
	rec.Revision, rec.Used = core.Revision(revision), milliseconds(used)
	if expires.Valid {
		rec.Expires = milliseconds(expires.Int64)
	}
	rec.Data = string(data)
	return nil
}

func milliseconds(n int64) time.Time { return time.UnixMilli(n).UTC() }

// A frame is Data that is read without a copy in between.
type frame string

// ScanBytes implements pgtype.BytesScanner. What it is given is good only until it returns.
func (f *frame) ScanBytes(data []byte) error {
	*f = frame(data)
	return nil
}
