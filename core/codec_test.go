package core

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/require"
)

// Types that a program might name its values' types after.
type (
	aString  string
	aBool    bool
	anInt    int
	anInt8   int8
	anInt64  int64
	anUint16 uint16
	anUint64 uint64
	aFloat32 float32
	aFloat64 float64
	aBytes   []byte
	aTime    time.Time

	// Those that marshal themselves say something else than their kind would.
	jsonString string
	textInt    int
	pointerInt int
	textKey    string

	aStruct struct {
		Name    string            `json:"name"`
		Age     int               `json:"age,omitempty"`
		Score   float64           `json:",string"`
		Skipped string            `json:"-"`
		Nested  *aStruct          `json:"nested,omitempty"`
		Map     map[string][]byte `json:"map"`
		Any     any               `json:"any"`
		Raw     json.RawMessage   `json:"raw,omitempty"`
		When    time.Time         `json:"when,omitzero"`
	}
)

func (s jsonString) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "{%q: 1}", s), nil }
func (i textInt) MarshalText() ([]byte, error)    { return fmt.Appendf(nil, "<%d>", int(i)), nil }
func (i *pointerInt) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `"pointer to %d"`, int(*i)), nil
}
func (k textKey) MarshalText() ([]byte, error) { return []byte("key " + k), nil }

// reference is what the package promises to write.
func reference(val any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(val)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// requireSame compares encode with encoding/json, for the value and for a pointer to it.
func requireSame[T any](t *testing.T, val T) {
	t.Helper()
	requireAgreement(t, val)
	requireAgreement(t, &val)
	requireAgreement(t, any(val))
}

func requireAgreement[T any](t *testing.T, val T) {
	t.Helper()
	want, wantErr := reference(val)
	got, err := encode(val)
	if wantErr != nil {
		require.Error(t, err, "%T %+v", val, val)
		return
	}
	require.NoError(t, err, "%T %+v", val, val)
	require.Equal(t, want, got, "%T %+v", val, val)
}

// property checks agreement for many random values of one type.
func property[T any](t *testing.T) {
	t.Helper()
	t.Run(reflect.TypeFor[T]().String(), func(t *testing.T) {
		f := func(val T) bool {
			requireSame(t, val)
			return true
		}
		require.NoError(t, quick.Check(f, &quick.Config{MaxCount: 300}))
	})
}

func TestEncodeGivesTheBytesOfEncodingJSON(t *testing.T) {
	property[string](t)
	property[bool](t)
	property[int](t)
	property[int8](t)
	property[int16](t)
	property[int32](t)
	property[int64](t)
	property[uint](t)
	property[uint8](t)
	property[uint16](t)
	property[uint32](t)
	property[uint64](t)
	property[uintptr](t)
	property[float32](t)
	property[float64](t)
	property[[]byte](t)
	property[[]string](t)
	property[[3]int](t)
	property[map[string]int](t)
	property[map[int]bool](t)
	property[map[textKey]string](t)
	property[*string](t)
	property[*float64](t)
	property[aString](t)
	property[aBool](t)
	property[anInt](t)
	property[anInt8](t)
	property[anInt64](t)
	property[anUint16](t)
	property[anUint64](t)
	property[aFloat32](t)
	property[aFloat64](t)
	property[aBytes](t)
	property[jsonString](t)
	property[textInt](t)
	property[pointerInt](t)
	property[textKey](t)
	property[time.Duration](t)
	property[struct {
		A string
		B []float32 `json:"b"`
		C *int      `json:",omitempty"`
	}](t)
}

func TestEncodeOfStringsGivesTheBytesOfEncodingJSON(t *testing.T) {
	for c := range rune(0x300) {
		requireSame(t, string(c))
		requireSame(t, aString("before"+string(c)+"after"))
	}
	for _, text := range []string{
		"", `"`, `\`, "</script>&amp;'", "\u2028\u2029", "\ufffd", "a\ufffdb",
		"日本語", "👩‍👩‍👧",
		"\x00\x01\x1f\x7f", "\ufeffBOM", strings.Repeat("x", 10_000), "\U0010ffff",
	} {
		requireSame(t, text)
		requireSame(t, []string{text})
		requireSame(t, map[string]string{text: text})
		requireSame(t, aStruct{Name: text, Any: text})
	}
}

func TestEncodeOfNumbersGivesTheBytesOfEncodingJSON(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 9, 10, math.MaxInt32, math.MaxInt64, math.MinInt64} {
		requireSame(t, n)
		requireSame(t, int(n))
		requireSame(t, uint64(n))
		requireSame(t, anInt(n))
	}
	floats := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1.0 / 3, 100, 1e6, 123456789,
		1e-6, 9.999999e-7, 1e-7, 1e-9, 1e-10, 1e-100, 1e20, 9.999999999999999e20, 1e21, 1e22, 1e100,
		-1e21, -1e-7, math.Pi, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64,
		math.MaxFloat32, math.SmallestNonzeroFloat32, 1 << 53, 1<<53 + 2, math.MaxInt64,
		math.Nextafter(1e21, 0), math.Nextafter(1e-6, 0), math.Nextafter(1e-6, 1),
	}
	r := rand.New(rand.NewPCG(7, 7))
	for range 5000 { // over all exponents, which quick does not do
		if f := math.Float64frombits(r.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			floats = append(floats, f)
		}
	}
	for _, f := range floats {
		requireSame(t, f)
		requireSame(t, aFloat64(f))
		if small := float32(f); !math.IsInf(float64(small), 0) {
			requireSame(t, small)
			requireSame(t, aFloat32(small))
		}
	}
	for _, number := range []json.Number{"", "0", "-1.5e300", "12345678901234567890"} {
		requireSame(t, number)
	}
}

func TestEncodeOfOtherTypesGivesTheBytesOfEncodingJSON(t *testing.T) {
	zone := time.FixedZone("somewhere", -(3*3600 + 1800))
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Date(2024, 2, 29, 1, 2, 3, 4, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, zone), time.Now(),
	} {
		requireSame(t, at)
		requireSame(t, aTime(at))
	}
	for _, b := range [][]byte{nil, {}, {0}, []byte("<&>"), bytes.Repeat([]byte{0xfb, 0xff}, 999)} {
		requireSame(t, b)
		requireSame(t, aBytes(b))
		requireSame(t, string(bytes.ToValidUTF8(b, nil)))
	}
	one := 1
	for _, val := range []any{
		nil, (*string)(nil), (*int)(nil), []string(nil), []string{}, map[string]int(nil), &one,
		(*jsonString)(nil), (*textInt)(nil), (*time.Time)(nil),
		[]any{1, "two", 3.5, nil, true, []byte("six")}, struct{}{}, [0]int{},
		map[textKey]int{"b": 1, "a": 2}, map[textInt]int{2: 1},
		json.RawMessage(" { \"a\" : [ 1 , 2 ] } "), json.RawMessage(nil),
		aStruct{Name: "<n>", Score: 1e21, Nested: &aStruct{}, Any: map[string]any{"z": 1}},
		[]pointerInt{1, 2}, struct{ P *pointerInt }{new(pointerInt)},
	} {
		requireSame(t, val)
	}
	requireSame(t, json.RawMessage(`{ "a": "<" }`))
}

// requireDecodes compares decode with json.Unmarshal.
func requireDecodes[T any](t *testing.T, text string) {
	t.Helper()
	var want T
	wantErr := json.Unmarshal([]byte(text), &want)
	got, err := decode[T](text)
	if wantErr != nil {
		require.Error(t, err, "%T of %q", want, text)
		require.Zero(t, got, "%T of %q", want, text)
		return
	}
	require.NoError(t, err, "%T of %q", want, text)
	require.Equal(t, want, got, "%T of %q", want, text)
}

func requireDecodesAll(t *testing.T, text string) {
	t.Helper()
	requireDecodes[string](t, text)
	requireDecodes[int](t, text)
	requireDecodes[int64](t, text)
	requireDecodes[uint8](t, text)
	requireDecodes[bool](t, text)
	requireDecodes[float64](t, text)
	requireDecodes[[]byte](t, text)
	requireDecodes[time.Time](t, text)
	requireDecodes[*string](t, text)
	requireDecodes[aString](t, text)
	requireDecodes[anInt](t, text)
	requireDecodes[aStruct](t, text)
	requireDecodes[any](t, text)
	requireDecodes[json.RawMessage](t, text)
}

// decodeTexts are those where a shortcut could go another way than encoding/json.
var decodeTexts = []string{
	"", " ", "null", "true", "false", "True", "TRUE", " true ", "1", "0", "-0", "-1", "+1",
	"01", "00",
	"-01", "0x10", "1_000", "1e3", "1.0", "1.5", "9223372036854775807", "9223372036854775808",
	"-9223372036854775808", " 1", "1 ", "1\n", "256", `""`, `"`, `"a"`, `"a`, `a"`,
	`"a" "b"`, `"a"b"`,
	`"\"`, `"\\"`, `"\""`, `"\u0041"`, `"\ud800"`, `"\ufffd"`, "\"\ufffd\"", "\"\xff\"", "\"\x01\"",
	"\"\x7f\"", "\"\n\"", `"é"`, `"</>"`, " \"a\"", `"a" `, `"2024-02-29T01:02:03Z"`, `"YWJj"`,
	`{"name":"n","age":3}`, `{"NAME":"n"}`, `{"name":1}`, `{"name":"a","name":"b"}`, `{"age":1e2}`,
	`{"Score":"1.5"}`, "{}", "[]", "[1]", "{", "}", "nul", "nulll", "\x00",
}

func TestDecodeReadsWhatEncodingJSONReads(t *testing.T) {
	for _, text := range decodeTexts {
		requireDecodesAll(t, text)
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range decodeTexts {
		f.Add(text)
	}
	f.Fuzz(requireDecodesAll)
}

// FuzzEncode holds for any text that it is written as encoding/json would and comes back, or is
// refused because it is not UTF-8.
func FuzzEncode(f *testing.F) {
	for _, text := range decodeTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := encode(text)
		nested, nestedErr := encode([]any{map[string]aString{text: aString(text)}})
		if strings.ToValidUTF8(text, "") != text {
			require.ErrorIs(t, err, errInvalidUTF8)
			require.ErrorIs(t, nestedErr, errInvalidUTF8)
			return
		}
		require.NoError(t, err)
		require.NoError(t, nestedErr)
		want, err := reference(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, "[{"+want+":"+want+"}]", nested)
		back, err := decode[string](got)
		require.NoError(t, err)
		require.Equal(t, text, back)
	})
}
