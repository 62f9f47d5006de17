package core

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var errInvalidUTF8 = errors.New("it contains invalid UTF-8")

// encode makes a value's JSON. The shortcuts for the commonest types give the bytes that
// encoding/json gives, which is what their test compares.
func encode[T any](val T) (string, error) {
	switch v := any(&val).(type) {
	case *string:
		return encodeString(*v)
	case *bool:
		return strconv.FormatBool(*v), nil
	case *int:
		return strconv.FormatInt(int64(*v), 10), nil
	case *int64:
		return strconv.FormatInt(*v, 10), nil
	case *uint64:
		return strconv.FormatUint(*v, 10), nil
	case *[]byte:
		return encodeBytes(*v), nil
	case *time.Time:
		return encodeTime(*v)
	}
	return encodeKind(val)
}

// encodeKind lets named types share the shortcuts of their kinds, unless they marshal themselves.
func encodeKind(val any) (string, error) {
	v := reflect.ValueOf(val)
	if v.IsValid() && !marshals(v.Type()) {
		switch v.Kind() {
		case reflect.String:
			return encodeString(v.String())
		case reflect.Bool:
			return strconv.FormatBool(v.Bool()), nil
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			return strconv.FormatInt(v.Int(), 10), nil
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			return strconv.FormatUint(v.Uint(), 10), nil
		case reflect.Float64, reflect.Float32:
			if f := v.Float(); !math.IsInf(f, 0) && !math.IsNaN(f) {
				return encodeFloat(f, v.Type().Bits()), nil
			}
		}
	}
	return encodeJSON(val)
}

// marshals reports whether encoding/json would ask the type itself.
func marshals(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Marshaler]()) ||
		t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) ||
		t == reflect.TypeFor[json.Number]()
}

func encodeString(s string) (string, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			if !utf8.ValidString(s) {
				return "", errInvalidUTF8
			}
			return marshal(s)
		}
	}
	return `"` + s + `"`, nil
}

func encodeBytes(b []byte) string {
	if b == nil {
		return "null"
	}
	text := make([]byte, 0, base64.StdEncoding.EncodedLen(len(b))+2)
	text = append(text, '"')
	text = base64.StdEncoding.AppendEncode(text, b)
	return string(append(text, '"'))
}

func encodeTime(t time.Time) (string, error) {
	text, err := t.MarshalJSON()
	return string(text), err
}

// encodeFloat follows ECMAScript, as encoding/json does: exponents only for very large and very
// small numbers, and without a leading zero.
func encodeFloat(f float64, bits int) string {
	abs, format := math.Abs(f), byte('f')
	low, high := 1e-6, 1e21
	if bits == 32 {
		low, high = float64(float32(low)), float64(float32(high))
	}
	if abs != 0 && (abs < low || abs >= high) {
		format = 'e'
	}
	text := strconv.FormatFloat(f, format, -1, bits)
	if n := len(text); format == 'e' && n >= 4 && text[n-4:n-1] == "e-0" {
		text = text[:n-2] + text[n-1:]
	}
	return text
}

// encodeJSON is for everything else.
func encodeJSON(val any) (string, error) {
	text, err := marshal(val)
	if err != nil {
		return "", unencodable(val, err)
	}
	if !utf8.ValidString(text) || replaced(text) {
		return "", errInvalidUTF8
	}
	return text, nil
}

// replaced reports whether encoding/json put U+FFFD in the place of invalid UTF-8: it writes that
// as an escape, and a U+FFFD that was there before as it is.
func replaced(text string) bool {
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 || strings.HasPrefix(text[i:], `\ufffd`) {
			return i >= 0
		}
		text = text[i+2:]
	}
}

// unencodable says what is wrong without quoting the value, as the other errors may do.
func unencodable(val any, err error) error {
	var kind *json.UnsupportedTypeError
	var number *json.UnsupportedValueError
	if errors.As(err, &kind) || errors.As(err, &number) {
		return err // these name types, NaN and infinity
	}
	return fmt.Errorf("a %T cannot be written as JSON", val)
}

func marshal(val any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(val); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// decode reads a value's JSON. The shortcuts take the plain forms only and leave the rest, and all
// errors, to encoding/json.
func decode[T any](text string) (T, error) {
	var val T
	if decodeFast(any(&val), text) {
		return val, nil
	}
	return decodeJSON[T](text)
}

func decodeFast(to any, text string) bool {
	switch to := to.(type) {
	case *string:
		s, ok := plainString(text)
		*to = s
		return ok
	case *bool:
		*to = text == "true"
		return *to || text == "false"
	case *int:
		n, ok := plainInt(text, strconv.IntSize)
		*to = int(n)
		return ok
	case *int64:
		n, ok := plainInt(text, 64)
		*to = n
		return ok
	}
	return false
}

// plainInt reads a JSON number that is an integer. JSON knows no plus and no leading zeros.
func plainInt(text string, bits int) (int64, bool) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || digits[0] == '+' || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, bits)
	return n, err == nil
}

// plainString reads a JSON string that has no escapes.
func plainString(text string) (string, bool) {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return "", false
	}
	text = text[1 : len(text)-1]
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return "", false
		}
	}
	return text, true
}

// decodeJSON has a variable of its own: sharing one would put it on the heap for all.
func decodeJSON[T any](text string) (T, error) {
	var val, none T
	if err := json.Unmarshal([]byte(text), &val); err != nil {
		return none, describe[T](err)
	}
	return val, nil
}

// describe says what was expected without quoting what was found, which may be a secret.
func describe[T any](err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("what is stored is a JSON %s, not a %s",
			strings.Fields(wrong.Value + " ?")[0], reflect.TypeFor[T]())
	}
	return fmt.Errorf("what is stored is not a %s", reflect.TypeFor[T]())
}
