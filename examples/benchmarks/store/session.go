package store

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// The names under which Values are kept.
const (
	userName   = "user"
	visitsName = "visits"
)

// Values are what a session holds: a string of 14 characters and a number of five digits. Written
// as JSON, and with their names, they are 31 bytes.
type Values struct {
	User   string
	Visits int
}

// PayloadBytes is the size of Values, names included.
const PayloadBytes = len(userName) + len(`"user0000000000"`) + len(visitsName) + len(`10000`)

// ValuesOf are the values of session n: others than its neighbours', never zero.
func ValuesOf(n int) Values {
	return Values{User: fmt.Sprintf("user%010d", n), Visits: 10_000 + n%90_000}
}

// keyOf is the key of session n, of a length up to 53. It looks as random as a real one and is
// derived from n, so that a measurement need not remember a million keys, which would be memory
// that the contestant is not to answer for.
func keyOf(n, length int) string {
	var random [40]byte
	state := uint64(n)
	for i := 0; i < len(random); i += 8 {
		state += 0x9e3779b97f4a7c15
		binary.LittleEndian.PutUint64(random[i:], mix(state))
	}
	var text [56]byte
	base64.RawURLEncoding.Encode(text[:], random[:])
	return string(text[:length])
}

// mix is the finalizer of SplitMix64. It maps no two numbers to one, so keys of two sessions
// differ.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
