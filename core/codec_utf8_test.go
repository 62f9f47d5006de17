package core

import (
	"container/list"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const broken = "a\xffb"

// Types whose strings encoding/json sees only in part.
type (
	embedded struct{ Inner string }
	Exported struct{ Outer string }

	withEmbedded struct {
		embedded
		*Exported
	}
	withHidden struct {
		Text   string
		hidden string
		Minus  string `json:"-"`
	}
	withParent struct {
		Name   string
		parent *withParent
		Up     *withParent `json:"-"`
		Down   []*withParent
	}

	// selfMade writes JSON of its own; the others write text, also as a key, and also through a
	// pointer only.
	selfMade    struct{ raw []byte }
	selfText    struct{ raw []byte }
	selfKey     int
	pointerText struct{ raw []byte }
	hashed      string
)

func (hashed) MarshalJSON() ([]byte, error)         { return []byte(`"#"`), nil }
func (s selfMade) MarshalJSON() ([]byte, error)     { return s.raw, nil }
func (s selfText) MarshalText() ([]byte, error)     { return s.raw, nil }
func (selfKey) MarshalText() ([]byte, error)        { return []byte(broken), nil }
func (p *pointerText) MarshalText() ([]byte, error) { return p.raw, nil }

// encoding/json would put U+FFFD in the place of each byte that is wrong, which is another value
// than the handler set.
func TestInvalidUTF8AnywhereIsRefused(t *testing.T) {
	text, deep := broken, any([]any{map[string]any{"k": broken}})
	for name, val := range map[string]any{
		"a string":                          broken,
		"a single byte":                     "\x80",
		"a surrogate":                       "\xed\xa0\x80",
		"an overlong form":                  "\xc0\xaf",
		"beyond Unicode":                    "\xf4\x90\x80\x80",
		"half a letter":                     "é"[:1],
		"beside a good U+FFFD":              "\ufffd\xff",
		"a named string":                    aString(broken),
		"a pointer":                         &text,
		"a list":                            []string{"a", broken},
		"an array":                          [2]string{1: broken},
		"a list of named strings":           []aString{broken},
		"a map's value":                     map[string]string{"k": broken},
		"a map's key":                       map[string]int{broken: 1},
		"a map's named key":                 map[aString]int{broken: 1},
		"a struct's field":                  aStruct{Name: broken},
		"a struct's field behind a pointer": &aStruct{Nested: &aStruct{Name: broken}},
		"an interface":                      aStruct{Any: broken},
		"an interface, deep below":          aStruct{Any: &deep},
		"an embedded struct's field":        withEmbedded{embedded: embedded{broken}},
		"one behind an embedded pointer":    withEmbedded{Exported: &Exported{broken}},
		"raw JSON":                          json.RawMessage(`"` + broken + `"`),
		"raw JSON in a struct":              aStruct{Raw: json.RawMessage(`"` + broken + `"`)},
		"what a type writes as JSON":        selfMade{[]byte(`"` + broken + `"`)},
		"what a type writes as text":        selfText{[]byte(broken)},
		"what a type in a list writes":      []any{selfText{[]byte(broken)}},
		"what a type in a struct writes":    struct{ T selfText }{selfText{[]byte(broken)}},
		"what only its pointer writes":      []pointerText{{[]byte(broken)}},
		"a key that a type writes":          map[selfKey]int{1: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := encode(val)
			assert.ErrorIs(t, err, errInvalidUTF8, "%q", got)
			assert.Empty(t, got)
		})
	}
}

func TestALegitimateReplacementCharacterIsKept(t *testing.T) {
	const fffd = "a\ufffdb"
	for name, val := range map[string]any{
		"a string":                         fffd,
		"a list":                           []string{fffd},
		"a map's key":                      map[string]int{fffd: 1},
		"a struct's field":                 aStruct{Name: fffd},
		"beside bytes, which are base64":   struct{ S, B any }{fffd, []byte(broken)},
		"beside a field that stays inside": withHidden{Text: fffd, hidden: broken},
		"beside a field marked -":          withHidden{Text: fffd, Minus: broken},
		"beside a nil interface":           aStruct{Name: fffd, Any: nil},
		"beside that escape, written out":  []string{fffd, `\ufffd`, `\\ufffd`},
		"what a type writes as text":       selfText{[]byte(fffd)},
		"what a type writes as JSON":       selfMade{[]byte(`"` + fffd + `"`)},
		"beside a type that writes none":   struct{ A, B any }{fffd, selfMade{[]byte(`"x"`)}},
		"beside a string that is hashed":   struct{ A, B any }{fffd, hashed(broken)},
		"beside text that is not written":  struct{ A, B any }{fffd, pointerText{[]byte(broken)}},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := reference(val)
			require.NoError(t, err)
			got, err := encode(val)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

// A field that encoding/json does not follow may lead around in a circle. Following it would not
// only fail: a stack that overflows ends the whole program, at the will of whoever sent U+FFFD.
func TestACircleOutsideTheJSONDoesNoHarm(t *testing.T) {
	const fffd = "a\ufffdb"
	parent := &withParent{Name: fffd}
	child := &withParent{Name: "child", parent: parent}
	parent.Down = []*withParent{child}
	text, err := encode(parent)
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(text, `"Name"`))

	child.parent, child.Up = nil, parent
	_, err = encode(parent)
	require.NoError(t, err)

	ring := list.New()
	ring.PushBack("x")
	_, err = encode(struct {
		Text string
		List *list.List
	}{fffd, ring})
	require.NoError(t, err)
}
