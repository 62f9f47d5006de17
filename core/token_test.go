package core_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestNewTokenIs128CharactersOfBase64URL(t *testing.T) {
	shape := regexp.MustCompile(`^[A-Za-z0-9_-]{128}$`)
	seen := map[byte]bool{}
	for range 200 {
		text := core.NewToken().Reveal()
		require.Regexp(t, shape, text)
		for i := range len(text) {
			seen[text[i]] = true
		}
	}
	assert.Len(t, seen, 64, "characters in use")
}

func TestTheIDIsTheFirst32CharactersOfTheToken(t *testing.T) {
	token := core.NewToken()
	assert.Equal(t, core.ID(token.Reveal()[:32]), token.ID())
	assert.Empty(t, core.Token{}.ID(), "of the zero Token")
	assert.Empty(t, core.Token{}.Reveal(), "of the zero Token")
}

func TestTheIDDoesNotKeepTheTokenInMemory(t *testing.T) {
	token := core.NewToken()
	text, id := token.Reveal(), string(token.ID())
	assert.NotSame(t, unsafe.StringData(text), unsafe.StringData(id))
}

func TestTokensOf64GoroutinesAreAllDifferent(t *testing.T) {
	const goroutines, each = 64, 200
	var mu sync.Mutex
	ids, secrets := map[core.ID]bool{}, map[string]bool{}
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				token := core.NewToken()
				mu.Lock()
				ids[token.ID()] = true
				secrets[token.Reveal()[core.IDLength:]] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	assert.Len(t, ids, goroutines*each)
	assert.Len(t, secrets, goroutines*each)
}

func TestATokenShowsNothingOfItself(t *testing.T) {
	token := core.NewToken()
	in := struct {
		Token   core.Token
		Pointer *core.Token
		List    []core.Token
		Map     map[string]core.Token
	}{token, &token, []core.Token{token}, map[string]core.Token{"k": token}}

	printed := map[string]string{
		"String":     token.String(),
		"Println":    fmt.Sprintln(token, &token, in),
		"Errorf":     fmt.Errorf("with %w and %v", fmt.Errorf("%v", token), in).Error(),
		"slog text":  logged(slog.Any("t", token), slog.Any("in", in), slog.Any("p", &token)),
		"slog value": token.LogValue().String(),
	}
	for _, verb := range "vsqxXdbcoOtTUeEfFgGp" {
		for _, flags := range []string{"", "+", "#", "-", "0", " ", "200", ".3"} {
			format := "%" + flags + string(verb)
			printed[format] = fmt.Sprintf(format, token)
			if verb != 'p' {
				printed[format+" nested"] = fmt.Sprintf(format, in)
			}
		}
	}
	for _, v := range []any{token, &token, in, map[core.Token]int{token: 1}} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		printed[fmt.Sprintf("JSON of %T", v)] = string(text)
	}
	text, err := token.MarshalText()
	require.NoError(t, err)
	printed["MarshalText"] = string(text)

	for how, got := range printed {
		assert.False(t, shows(got, token), "%s shows %q", how, got)
	}
	assert.True(t, shows("x"+token.Reveal()[40:60], token), "the search finds a part")
	assert.Equal(t, "[session token]", fmt.Sprintf("%+v", token))
	assert.Equal(t, `"[session token]"`, printed["JSON of core.Token"])
}

func logged(attrs ...any) string {
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("text", attrs...)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("json", attrs...)
	return b.String()
}

// shows reports whether a text holds any eight characters of the token, also in hexadecimal.
func shows(got string, token core.Token) bool {
	text := token.Reveal()
	for i := 0; i+8 <= len(text); i += 4 {
		part := text[i : i+8]
		hex := fmt.Sprintf("%x", part)
		if strings.Contains(got, part) || strings.Contains(strings.ToLower(got), hex) {
			return true
		}
	}
	return false
}

func TestParseTokenTakesExactlyWhatNewTokenMakes(t *testing.T) {
	good := core.NewToken().Reveal()
	replace := func(at int, by string) string { return good[:at] + by + good[at+len(by):] }
	tests := map[string]struct {
		text string
		want bool
	}{
		"a new token":                            {good, true},
		"only dashes":                            {strings.Repeat("-", 128), true},
		"only underscores":                       {strings.Repeat("_", 128), true},
		"nothing":                                {"", false},
		"one character too few":                  {good[1:], false},
		"one character too many":                 {good + "A", false},
		"only the ID":                            {good[:32], false},
		"64 KiB of good characters":              {strings.Repeat("A", 64<<10), false},
		"a plus, of another base64":              {replace(0, "+"), false},
		"a slash":                                {replace(31, "/"), false},
		"padding":                                {replace(126, "=="), false},
		"a blank at the beginning":               {replace(0, " "), false},
		"a blank at the end":                     {replace(127, " "), false},
		"a new line at the end":                  {replace(127, "\n"), false},
		"a carriage return in the middle":        {replace(64, "\r"), false},
		"a NUL":                                  {replace(40, "\x00"), false},
		"a quote":                                {replace(0, `"`), false},
		"a percent escape":                       {replace(10, "%41"), false},
		"a path upwards":                         {replace(0, "../"), false},
		"a dot":                                  {replace(5, "."), false},
		"a tilde":                                {replace(5, "~"), false},
		"the characters just beside the letters": {replace(5, "@[`{"), false},
		"the characters just beside the digits":  {replace(5, "/:"), false},
		"a byte above 127":                       {replace(99, "\xff"), false},
		"a letter of two bytes":                  {replace(99, "é"), false},
		"a letter that folds to k":               {replace(99, "\u212a"), false},
		"a character of full width":              {replace(3, "Ａ"), false},
		"128 letters, more than 128 bytes":       {strings.Repeat("é", 128), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			token, ok := core.ParseToken(test.text)
			require.Equal(t, test.want, ok)
			if !ok {
				assert.Zero(t, token)
				return
			}
			assert.Equal(t, test.text, token.Reveal())
		})
	}
}

func TestParseTokenJudgesEachByteAtEachPlace(t *testing.T) {
	good := []byte(core.NewToken().Reveal())
	alphabet := regexp.MustCompile(`^[A-Za-z0-9_-]$`)
	for at := range good {
		for c := range 256 {
			text := bytes.Clone(good)
			text[at] = byte(c)
			_, ok := core.ParseToken(string(text))
			if want := alphabet.Match(text[at : at+1]); ok != want {
				t.Fatalf("byte %#x at %d: %v, want %v", c, at, ok, want)
			}
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(core.NewToken().Reveal())
	f.Add(strings.Repeat("A", 127) + "=")
	f.Add("")
	shape := regexp.MustCompile(`\A[A-Za-z0-9_-]{128}\z`)
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := core.ParseToken(text)
		require.Equal(t, shape.MatchString(text), ok)
		if ok {
			require.Equal(t, text, token.Reveal())
			require.Equal(t, core.ID(text[:32]), token.ID())
		}
	})
}

// What is kept of a token is a copy of its ID and a hash. The walk looks at every string that can
// be reached, map keys and unexported fields included.
func TestNothingKeepsATokenAfterBeginAndCommit(t *testing.T) {
	m := newSite(t, core.Config{Store: core.NewMemoryStore(core.MemoryOptions{})})
	check := func(s *core.Session, token string, in ...string) {
		t.Helper()
		walkStrings(reflect.ValueOf(s), map[unsafe.Pointer]bool{}, func(found string) {
			require.NotContains(t, found, token[core.IDLength:], "the secret is kept")
			for _, memory := range in {
				require.False(t, overlap(found, memory), "%q is a part of the request", found)
			}
		})
	}

	session, err := m.Begin(t.Context(), http.Header{})
	require.NoError(t, err)
	note.Set(session, "new")
	session.SetOwner("somebody")
	response := http.Header{}
	require.NoError(t, m.Commit(t.Context(), session, response))
	token := tokenIn(t, response)
	check(session, token)

	line := strings.Clone("a=b; __Host-sid=" + token)
	session, err = m.Begin(t.Context(), http.Header{"Cookie": {line}})
	require.NoError(t, err)
	require.NotEmpty(t, session.ID())
	check(session, token, line)

	session.Renew()
	note.Set(session, "renewed")
	response = http.Header{}
	require.NoError(t, m.Commit(t.Context(), session, response))
	check(session, token, line)
	check(session, tokenIn(t, response), line)

	unknown := strings.Clone(core.NewToken().Reveal())
	session, err = m.Begin(t.Context(), cookies(unknown))
	require.NoError(t, err)
	check(session, unknown, unknown)
}

// overlap reports whether a lies in the memory of b.
func overlap(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	begin := uintptr(unsafe.Pointer(unsafe.StringData(b)))
	at := uintptr(unsafe.Pointer(unsafe.StringData(a)))
	return at >= begin && at < begin+uintptr(len(b))
}

// walkStrings visits all strings below v.
func walkStrings(v reflect.Value, seen map[unsafe.Pointer]bool, visit func(string)) {
	switch v.Kind() {
	case reflect.String:
		visit(v.String())
	case reflect.Pointer:
		if v.IsNil() || seen[v.UnsafePointer()] {
			return
		}
		seen[v.UnsafePointer()] = true
		walkStrings(v.Elem(), seen, visit)
	case reflect.Interface:
		walkStrings(v.Elem(), seen, visit)
	case reflect.Struct:
		for i := range v.NumField() {
			walkStrings(v.Field(i), seen, visit)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walkStrings(v.Index(i), seen, visit)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			walkStrings(it.Key(), seen, visit)
			walkStrings(it.Value(), seen, visit)
		}
	}
}

// A walk that saw nothing would prove nothing.
func TestTheWalkFindsStringsEverywhere(t *testing.T) {
	type inner struct {
		hidden any
		keys   map[core.ID]*string
	}
	deep := "deep"
	var found []string
	in := &inner{hidden: []any{"list", &deep}, keys: map[core.ID]*string{"key": &deep}}
	walkStrings(reflect.ValueOf(in), map[unsafe.Pointer]bool{}, func(s string) {
		found = append(found, s)
	})
	assert.ElementsMatch(t, []string{"list", "deep", "key"}, found)
	assert.True(t, overlap(deep[2:], deep))
	assert.False(t, overlap(strings.Clone(deep), deep))
}
