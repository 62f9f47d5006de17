package redisstore

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const anID core.ID = "0123456789abcdefghijklmnopqrstuv"

func FuzzDecode(f *testing.F) {
	whole, err := encode(&core.Record{Revision: 7, Owner: "owner", Data: "data"})
	require.NoError(f, err)
	for _, seed := range []string{
		"", "x", whole, whole[:headSize], whole[:headSize+2], "\x02" + whole[1:],
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		rec, err := decode(anID, value)
		if err != nil {
			require.Equal(t, core.Record{}, rec)
			return
		}
		again, err := encode(&rec)
		require.NoError(t, err)
		require.Equal(t, value, again, "a value has one form")
	})
}

func FuzzEncode(f *testing.F) {
	f.Add(uint64(1), int64(0), int64(1_700_000_000_000), "", "data")
	f.Add(^uint64(0), int64(-5), int64(1)<<62, "user:42", "\x00\xff")
	f.Fuzz(func(t *testing.T, revision uint64, used, expires int64, owner, data string) {
		rec := core.Record{
			ID: anID, Revision: core.Revision(revision), Used: moment(used),
			Expires: moment(expires), Owner: owner, Data: data,
		}
		value, err := encode(&rec)
		if len(owner) > 255 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		got, err := decode(anID, value)
		require.NoError(t, err)
		require.Equal(t, rec, got)
		require.Equal(t, headText(&rec), value[:headSize], "a touch replaces the head")
		require.Equal(t, revisionText(rec.Revision), value[:revisionSize])
	})
}

// The layout is what servers hold: it does not change without another format byte.
func TestTheLayoutOfAValue(t *testing.T) {
	value, err := encode(&core.Record{
		ID: anID, Revision: 0x0102030405060708, Owner: "me",
		Used:    time.UnixMilli(0x1122334455).UTC(),
		Expires: time.UnixMilli(0x66778899aa).UTC(),
		Data:    "data",
	})
	require.NoError(t, err)
	require.Equal(t, "01"+"0102030405060708"+"0000001122334455"+"00000066778899aa"+"02"+
		hex.EncodeToString([]byte("me"))+hex.EncodeToString([]byte("data")),
		hex.EncodeToString([]byte(value)))
}

func TestTheTTLIsWhatIsLeftAndSomeMore(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		expires time.Time
		want    string
	}{
		"never":           {time.Time{}, "0"},
		"in a second":     {now.Add(time.Second), "301000"},
		"now":             {now, "300000"},
		"past":            {now.Add(-time.Hour), "300000"},
		"very far":        {time.UnixMilli(1<<63 - 1), "3153600000000"},
		"a century":       {now.Add(100 * 365 * 24 * time.Hour), "3153600300000"},
		"before the year": {time.UnixMilli(-1 << 63), "300000"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, ttl(tt.expires, now)) })
	}
}
