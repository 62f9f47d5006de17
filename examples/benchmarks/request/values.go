package request

import (
	"fmt"
	"strings"
)

// Names under which the values are kept.
const (
	nameKey   = "name"
	visitsKey = "visits"
)

// A session of 20 values holds these many fields beside its name and visits. With a name of 8
// characters and a number of 8 bytes they make 1 KiB.
const (
	fieldCount  = 18
	fieldLength = 56
)

// Expected is what handlers store in a session and what they demand of what they read.
type Expected struct {
	Name   string
	Visits int
}

// fieldKeys are the names of the fields.
func fieldKeys() []string {
	keys := make([]string, fieldCount)
	for i := range keys {
		keys[i] = fmt.Sprintf("field-%02d", i)
	}
	return keys
}

// fieldValues are the fields of the session with this name: 18 texts that differ.
func fieldValues(name string) []string {
	values := make([]string, fieldCount)
	for i := range values {
		text := fmt.Sprintf("%s's field %02d.", name, i)
		values[i] = text + strings.Repeat(string(rune('a'+i)), fieldLength-len(text))
	}
	return values
}
