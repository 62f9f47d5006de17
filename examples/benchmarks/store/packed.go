package store

import (
	"encoding/binary"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// packedHead is the size of what precedes Data in a packed record.
const packedHead = 3 * 8

// pack writes a record without its key, as one would keep it in a cache of bytes: revision, used,
// expires, Data.
func pack(b []byte, rec core.Record) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.Revision))
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.Used.UnixMilli()))
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.Expires.UnixMilli()))
	return append(b, rec.Data...)
}

func unpack(key string, b []byte) core.Record {
	return core.Record{
		ID:       core.ID(key),
		Revision: core.Revision(binary.LittleEndian.Uint64(b)),
		Used:     time.UnixMilli(int64(binary.LittleEndian.Uint64(b[8:]))).UTC(),
		Expires:  time.UnixMilli(int64(binary.LittleEndian.Uint64(b[16:]))).UTC(),
		Data:     string(b[packedHead:]),
	}
}

// setTimes changes used and expires of a packed record where it lies.
func setTimes(b []byte, used, expires time.Time) {
	binary.LittleEndian.PutUint64(b[8:], uint64(used.UnixMilli()))
	binary.LittleEndian.PutUint64(b[16:], uint64(expires.UnixMilli()))
}
