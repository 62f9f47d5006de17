package core

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A frameVector is one of testdata/frame-vectors.json, which docs/record-format.md quotes. The
// bytes were not made by this package.
type frameVector struct {
	Name, Description, Hex string
}

func frameVectors(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/frame-vectors.json")
	require.NoError(t, err)
	var list []frameVector
	require.NoError(t, json.Unmarshal(text, &list))
	frames := map[string]string{}
	for _, v := range list {
		raw, err := hex.DecodeString(v.Hex)
		require.NoError(t, err, v.Name)
		require.NotEmpty(t, v.Description, v.Name)
		require.NotContains(t, frames, v.Name)
		frames[v.Name] = string(raw)
	}
	return frames
}

// vectorToken is 32 times A, and 96 times another letter.
func vectorToken(letter string) string {
	return strings.Repeat("A", IDLength) + strings.Repeat(letter, secretLength)
}

// frameCases says what the vectors hold.
func frameCases() map[string]struct {
	head   head
	values []entry
} {
	const created moment = 946_684_800_000
	headOf := func(namespace, letter string, edit ...func(*head, domain)) head {
		d := newDomain(namespace)
		h := head{domain: d, verifier: d.verifierOf(vectorToken(letter)), created: created}
		for _, f := range edit {
			f(&h, d)
		}
		return h
	}
	replacedBy := func(letters string, at ...moment) func(*head, domain) {
		return func(h *head, d domain) {
			for i := range letters {
				v := d.verifierOf(vectorToken(letters[i : i+1]))
				h.previous += previous(v[:])
				h.previous += previous(binary.BigEndian.AppendUint64(nil, uint64(at[i])))
			}
		}
	}
	persist := func(on bool) func(*head, domain) {
		return func(h *head, _ domain) { h.setPersist(on) }
	}
	const s = 1000
	extend := func(h *head, _ domain) { h.extension = "\x7f\x01\x03" }
	signedIn := func(h *head, _ domain) {
		h.extension = h.extension.withNumber(authenticatedField, uint64(created+s)).
			withLevel(2).with(labelField, "Firefox").withNumber(stampField, 1)
	}
	one := []entry{{"n", "1"}}
	return map[string]struct {
		head   head
		values []entry
	}{
		"empty session": {headOf("", "A"), []entry{}},
		"two values": {headOf("shop", "A"),
			[]entry{{"note", `"hello"`}, {"cart", `{"items":3}`}}},
		"persist on":   {headOf("", "A", persist(true)), one},
		"persist off":  {headOf("", "A", persist(false)), one},
		"renewed once": {headOf("", "B", replacedBy("A", created+s)), one},
		"renewed four times": {headOf("", "E",
			replacedBy("DCBA", created+4*s, created+3*s, created+2*s, created+s)), []entry{}},
		"extension": {headOf("", "A", extend), one},
		"signed in": {headOf("", "A", signedIn), one},
		"long value and foreign name": {headOf("", "A"),
			[]entry{{"größe", `"` + strings.Repeat("x", 126) + `"`}}},
	}
}

func TestTheFrameVectorsHoldInBothDirections(t *testing.T) {
	vectors, cases := frameVectors(t), frameCases()
	require.Len(t, vectors, len(cases))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			data := vectors[name]
			got, v, err := parseFrame(data)
			require.NoError(t, err)
			assert.Equal(t, c.head, got)
			assert.Equal(t, c.values, v.entries())
			for _, e := range c.values {
				text, ok := v.get(e.name)
				assert.True(t, ok)
				assert.Equal(t, e.value, text)
			}
			written := c.head.append(nil)
			written = append(written, joined(c.values)...)
			assert.Equal(t, hex.EncodeToString([]byte(data)), hex.EncodeToString(written))
		})
	}
}

func TestAFrameCutAnywhereIsAFrameError(t *testing.T) {
	for name, data := range frameVectors(t) {
		for end := range len(data) {
			_, _, err := parseFrame(data[:end])
			var damaged *FrameError
			require.ErrorAs(t, err, &damaged, "%s, cut after %d bytes", name, end)
			require.Zero(t, damaged.Version, "%s, cut after %d bytes", name, end)
		}
	}
}

func TestDamagedFramesAreFrameErrors(t *testing.T) {
	vectors := frameVectors(t)
	good := vectors["two values"]
	const countAt = fixedHeadSize - 1 // of the previous verifiers; the extension's length follows
	replace := func(at, n int, by string) string { return good[:at] + by + good[at+n:] }
	tests := map[string]struct {
		data    string
		version int
	}{
		"nothing":                              {"", 0},
		"version 0":                            {"\x00" + good[1:], 0},
		"version 2":                            {"\x02" + good[1:], 2},
		"version 255, and nothing else":        {"\xff", 255},
		"JSON":                                 {`{"user":1}`, '{'},
		"five previous verifiers":              {replace(countAt, 1, "\x05"), 0},
		"255 previous verifiers":               {replace(countAt, 1, "\xff"), 0},
		"one previous verifier too many":       {replace(countAt, 1, "\x01"), 0},
		"five, though they are there":          {fiveTimesReplaced(vectors), 0},
		"an extension longer than the rest":    {replace(countAt+1, 1, "\x7f"), 0},
		"an extension's length in two bytes":   {replace(countAt+1, 1, "\x80\x00"), 0},
		"a length of five bytes":               {replace(countAt+1, 1, "\x80\x80\x80\x80\x01"), 0},
		"a length that never ends":             {replace(countAt+1, 1, "\xff\xff\xff\xff\xff"), 0},
		"a count one too great":                {replace(countAt+2, 1, "\x03"), 0},
		"a count one too small":                {replace(countAt+2, 1, "\x01"), 0},
		"a count of many millions":             {replace(countAt+2, 1, "\xff\xff\xff\x7f"), 0},
		"a count in two bytes":                 {replace(countAt+2, 1, "\x82\x00"), 0},
		"a name longer than the rest":          {replace(countAt+3, 1, "\x7f"), 0},
		"a name's length not in shortest form": {replace(countAt+3, 1, "\x84\x00"), 0},
		"a value longer than the rest":         {replace(countAt+8, 1, "\x7f"), 0},
		"a byte too many":                      {good + "\x00", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := parseFrame(test.data)
			var damaged *FrameError
			require.ErrorAs(t, err, &damaged)
			assert.Equal(t, test.version, damaged.Version)
		})
	}
}

func fiveTimesReplaced(vectors map[string]string) string {
	data := vectors["renewed four times"]
	previous := data[fixedHeadSize : fixedHeadSize+previousSize]
	return data[:fixedHeadSize-1] + "\x05" + previous + data[fixedHeadSize:]
}

func TestUvarintsOfFourBytesAreRead(t *testing.T) {
	for text, want := range map[string]int{
		"\x00": 0, "\x7f": 127, "\x80\x01": 128, "\xff\x7f": 1<<14 - 1, "\x80\x80\x01": 1 << 14,
		"\xff\xff\xff\x7f": 1<<28 - 1,
	} {
		n, rest, ok := takeUvarint(text + "rest")
		require.True(t, ok, "%x", text)
		assert.Equal(t, want, n)
		assert.Equal(t, "rest", rest)
	}
}

func TestRandomFramesComeBackAsTheyWere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(most int) string {
		b := make([]byte, r.IntN(most+1))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return string(b)
	}
	fields := func() (x extension) {
		for range r.IntN(4) {
			x = x.with(byte(10+r.IntN(100)), text(300))
		}
		return x
	}
	for range 500 {
		h := head{flags: byte(r.Uint32()), created: moment(r.Uint64()), extension: fields()}
		copy(h.domain[:], text(16))
		copy(h.verifier[:], text(32))
		for range r.IntN(maxPrevious + 1) {
			h.previous += previous(strings.Repeat(string(rune('a'+r.IntN(26))), previousSize))
		}
		list := make([]entry, r.IntN(200))
		for i := range list {
			list[i] = entry{text(maxNameLength), text(500)}
		}
		got, v, err := parseFrame(string(append(h.append(nil), joined(list)...)))
		require.NoError(t, err)
		require.Equal(t, h, got)
		require.Equal(t, list, v.entries())
	}
}

// FuzzFrame holds that no bytes make the parser panic, and that what it takes it writes again byte
// for byte: a frame has one form.
func FuzzFrame(f *testing.F) {
	for _, data := range frameVectors(f) {
		f.Add([]byte(data))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		data := string(b)
		h, v, err := parseFrame(data)
		if err != nil {
			var damaged *FrameError
			require.ErrorAs(t, err, &damaged)
			return
		}
		require.Equal(t, data, string(append(h.append(nil), v...)))
		list := v.entries()
		require.Equal(t, v, joined(list))
		for _, e := range list {
			_, ok := v.get(e.name)
			require.True(t, ok)
		}
	})
}

// What a later version adds must outlive a visit of this one.
func TestExtensionAndUnknownFlagsOutliveAnUpdateAndARenewal(t *testing.T) {
	store := NewMemoryStore(MemoryOptions{})
	m, err := New(Config{Store: store})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	token := NewToken()
	h := head{
		flags: 0b1010_0000, domain: m.domain, verifier: m.domain.verifierOf(token.Reveal()),
		created: now(), extension: "\x0a\x14of a later version\x00\xff",
	}
	data := string(append(h.append(nil), joined([]entry{{"n", "1"}})...))
	rec := Record{ID: token.ID(), Revision: 1, Used: now().time(), Data: data}
	require.NoError(t, store.Create(t.Context(), rec))

	request := http.Header{"Cookie": {"__Host-sid=" + token.Reveal()}}
	s, err := m.Begin(t.Context(), request)
	require.NoError(t, err)
	NewValue[string]("n").Set(s, "changed")
	s.Renew()
	require.NoError(t, m.Commit(t.Context(), s, http.Header{}))

	rec, err = store.Load(t.Context(), token.ID())
	require.NoError(t, err)
	got, v, err := parseFrame(rec.Data)
	require.NoError(t, err)
	assert.Equal(t, h.extension, got.extension)
	assert.Equal(t, h.flags, got.flags)
	assert.Equal(t, h.created, got.created)
	assert.Equal(t, []entry{{"n", `"changed"`}}, v.entries())
	assert.NotEqual(t, h.verifier, got.verifier)
	assert.NotEqual(t, noMoment, got.previous.find(&h.verifier))
}

func TestReplacedVerifiersAreKeptForAMinuteAndNeverMoreThanFour(t *testing.T) {
	known := func(h *head) (letters string) {
		for _, letter := range "ABCDEFGH" {
			if h.previous.find(&verifier{byte(letter)}) != noMoment {
				letters += string(letter)
			}
		}
		return letters
	}
	minute := moment(time.Minute.Milliseconds())

	h := head{verifier: verifier{'A'}}
	for i, letter := range "BCDEFG" {
		h.replace(verifier{byte(letter)}, 1000+moment(i))
	}
	assert.Equal(t, "CDEF", known(&h), "the last four")
	assert.Equal(t, byte('F'), h.previous[0], "the newest first")
	assert.Len(t, h.previous, maxPrevious*previousSize)

	h.replace(verifier{'H'}, 1003+minute)
	assert.Equal(t, "EFG", known(&h), "D was replaced a minute ago, E a millisecond later")
	e := &verifier{'E'}
	assert.True(t, h.outdated(e, 1003+minute))
	assert.False(t, h.outdated(e, 1004+minute), "after a minute it is unknown")
	assert.Equal(t, moment(1004), h.previous.find(e), "but still known to have been good")
	assert.False(t, h.outdated(&verifier{'X'}, 1003))
	assert.False(t, h.outdated(&verifier{'H'}, 1003), "the verifier in force is not outdated")
}
