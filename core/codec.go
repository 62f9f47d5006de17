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

// encodeJSON is for everything else. encoding/json replaces invalid UTF-8 by U+FFFD; only if that
// stands in the result the value is searched for what it came from.
func encodeJSON(val any) (string, error) {
	text, err := marshal(val)
	if err != nil {
		return "", err
	}
	if strings.Contains(text, `\ufffd`) || strings.ContainsRune(text, utf8.RuneError) {
		if hasInvalidUTF8(reflect.ValueOf(val)) {
			return "", errInvalidUTF8
		}
	}
	return text, nil
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

// hasInvalidUTF8 searches the strings that encoding/json would write. It ends, because a value that
// contains itself has failed to encode before.
func hasInvalidUTF8(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return !utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return hasInvalidUTF8(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if hasInvalidUTF8(v.Field(i)) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if hasInvalidUTF8(v.Index(i)) {
				return true
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if hasInvalidUTF8(it.Key()) || hasInvalidUTF8(it.Value()) {
				return true
			}
		}
	}
	return false
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
		n, err := strconv.ParseInt(text, 10, strconv.IntSize)
		*to = int(n)
		return err == nil && text[0] != '+'
	case *int64:
		n, err := strconv.ParseInt(text, 10, 64)
		*to = n
		return err == nil && text[0] != '+'
	}
	return false
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
