package core_test

import (
	"encoding/base64"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// secretForms are the forms in which a token's secret could show: as it is, as its bytes, and in
// the usual codes, each shortened to what eight characters of the secret give.
func secretForms(t *testing.T, token string) []string {
	t.Helper()
	secret := token[32:]
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	require.NoError(t, err)
	return []string{
		secret[:8], secret[40:48], secret[88:], // also parts of it, and what URLs make of it
		string(raw[:8]),
		hex.EncodeToString(raw[:8]), strings.ToUpper(hex.EncodeToString(raw[:8])),
		hex.EncodeToString([]byte(secret[:8])),
		base64.StdEncoding.EncodeToString(raw)[:8],
		base64.StdEncoding.EncodeToString([]byte(secret))[:8],
		base64.RawURLEncoding.EncodeToString([]byte(token))[44:52], // the 34th character and on
	}
}

// requireNoSecret searches a text for each of the tokens.
func requireNoSecret(t *testing.T, where, text string, tokens []string) {
	t.Helper()
	for _, token := range tokens {
		for _, form := range secretForms(t, token) {
			at := strings.Index(text, form)
			if at >= 0 {
				t.Fatalf("%s holds the token %s: …%.200s", where, token, text[max(0, at-80):])
			}
		}
	}
}

// secMemory reads all that can be reached from a value, unexported fields included, as a dump of
// the program's memory would.
type secMemory struct {
	text strings.Builder  // all strings and bytes
	seen map[uintptr]bool // pointers, so as not to go in circles
	// views are the strings that lie within the memory of one of the given texts.
	of    []string
	views []string
}

// secDump reads what v points to. What belongs to a Manager is left out, unless v is one: others
// are at work on it.
func secDump(v any, of ...string) *secMemory {
	m := &secMemory{seen: map[uintptr]bool{}, of: of}
	top := reflect.ValueOf(v)
	if top.Kind() == reflect.Pointer {
		top = top.Elem()
	}
	m.walk(top)
	return m
}

func (m *secMemory) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		m.note(v.String())
	case reflect.Pointer:
		switch v.Type() {
		case reflect.TypeFor[*core.Manager](), reflect.TypeFor[*secListener]():
			return
		}
		if !v.IsNil() && m.first(v.Pointer()) {
			m.walk(v.Elem())
		}
	case reflect.Interface:
		m.walk(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			m.walk(v.Field(i))
		}
	case reflect.Map:
		if !v.IsNil() && m.first(v.Pointer()) {
			for it := v.MapRange(); it.Next(); {
				m.walk(it.Key())
				m.walk(it.Value())
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, v.Len())
			for i := range b {
				b[i] = byte(v.Index(i).Uint())
			}
			m.note(string(b))
			return
		}
		for i := range v.Len() {
			m.walk(v.Index(i))
		}
	}
}

func (m *secMemory) first(pointer uintptr) bool {
	first := !m.seen[pointer]
	m.seen[pointer] = true
	return first
}

func (m *secMemory) note(s string) {
	m.text.WriteString(s)
	m.text.WriteByte('\n')
	if s == "" {
		return
	}
	at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	for _, text := range m.of {
		begin := uintptr(unsafe.Pointer(unsafe.StringData(text)))
		if at >= begin && at < begin+uintptr(len(text)) {
			m.views = append(m.views, s)
		}
	}
}

func TestTheSearchForSecretsFindsThem(t *testing.T) {
	const token = "idididididididididididididididid" +
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123456789abcdefghijklmnopqrstuv"
	type inner struct {
		list []any
		m    map[string]*string
	}
	view := token[:32]
	for _, held := range []any{
		&inner{list: []any{1, token}}, &inner{m: map[string]*string{"a": &view}},
		struct{ hidden any }{[]byte(token)}, map[string]inner{token: {}},
	} {
		memory := secDump(held, token)
		found := len(memory.views) > 0
		for _, form := range secretForms(t, token) {
			found = found || strings.Contains(memory.text.String(), form)
		}
		require.True(t, found, "%T", held)
	}
}
