package core

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	// TokenLength is the length of a token's text: 96 random bytes in base64url without padding.
	TokenLength = 128
	// IDLength is the length of an ID, which is how a token begins: 24 random bytes, 192 bits.
	IDLength = 32

	secretLength = TokenLength - IDLength
	redacted     = "[session token]"
)

// An ID is a session's public name: the first 32 characters of its token. It stays when the token
// is renewed, gives nobody a session, and is safe to log and to show to its owner.
type ID string

// A Token is the secret that a client holds: 128 characters of which the first 32 are the ID and
// the other 96, 576 bits, the secret proper. It prints, logs and marshals as a fixed text, so that
// it cannot leak by accident; Reveal gives the text. The zero Token is none. OWASP ASVS 5.0, 7.2.3
// asks for 128 bits from a secure generator.
type Token struct {
	text *string // behind a pointer, which fmt does not follow in other types' unexported fields
}

func tokenOf(text string) Token { return Token{text: &text} }

// NewToken makes a token of 96 bytes from crypto/rand. It cannot fail.
func NewToken() Token {
	return newTokenFor(newID())
}

// newID makes the ID of a session to be; its secret is made when it is committed.
func newID() ID {
	var room [IDLength]byte
	return ID(appendRandom(room[:0], IDLength))
}

// newTokenFor makes a token with a new secret under an ID that exists.
func newTokenFor(id ID) Token {
	var room [TokenLength]byte
	return tokenOf(string(appendRandom(append(room[:0], id...), secretLength)))
}

// appendRandom appends length characters (a multiple of four) of base64url.
func appendRandom(b []byte, length int) []byte {
	var random [TokenLength / 4 * 3]byte
	raw := random[:length/4*3]
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.AppendEncode(b, raw)
}

// ParseToken accepts exactly what NewToken can make: 128 characters of A-Z, a-z, 0-9, '-' and '_'.
// It reports false for anything else, and trims, unescapes and folds nothing.
func ParseToken(text string) (Token, bool) {
	if !wellFormed(text, TokenLength) {
		return Token{}, false
	}
	return tokenOf(text), true
}

// wellFormed reports whether text is length characters, a multiple of eight, of the base64url
// alphabet. Each request with a token asks, so eight are looked at in one go.
func wellFormed(text string, length int) bool {
	if len(text) != length {
		return false
	}
	var strange uint64
	for ; text != ""; text = text[8:] {
		strange |= strangers(binary.LittleEndian.Uint64([]byte(text[:8])))
	}
	return strange == 0
}

// strangers has the high bit set of each of eight characters that is not in the base64url alphabet.
func strangers(eight uint64) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	x := eight &^ high // so that no sum below reaches the next character
	lower := x | 0x20*each
	letter := (lower + (0x80-'a')*each) &^ (lower + (0x7f-'z')*each)
	digit := (x + (0x80-'0')*each) &^ (x + (0x7f-'9')*each)
	dash := high - (x ^ '-'*each) // no borrow, either
	underscore := high - (x ^ '_'*each)
	return (eight | ^(letter | digit | dash | underscore)) & high
}

// ID returns the token's public part, in memory of its own; "" for the zero Token.
func (t Token) ID() ID {
	if t.text == nil {
		return ""
	}
	return ID(strings.Clone((*t.text)[:IDLength]))
}

// Reveal returns the token's text, which is a secret: whoever holds it holds the session. It is ""
// for the zero Token.
func (t Token) Reveal() string {
	if t.text == nil {
		return ""
	}
	return *t.text
}

// String returns a fixed text.
func (t Token) String() string { return redacted }

// Format writes a fixed text, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns a fixed text, also for JSON.
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns a fixed text.
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// A verifier is what the server keeps of a secret: SHA-256 of the domain and the secret. Since a
// secret has 576 bits, a plain hash is enough (OWASP ASVS 5.0, 6.5.2 asks for 112).
type verifier [sha256.Size]byte

// A domain separates applications that share a store: the first 16 bytes of a hash of the
// Namespace. Of that length, it and a secret fill exactly two blocks of SHA-256.
type domain [16]byte

func newDomain(namespace string) domain {
	sum := sha256.Sum256([]byte("session namespace:" + namespace))
	return domain(sum[:16])
}

// verifierOf hashes the secret of a well-formed token's text.
func (d domain) verifierOf(tokenText string) verifier {
	var block [len(d) + secretLength]byte
	copy(block[:], d[:])
	copy(block[len(d):], tokenText[IDLength:])
	return sha256.Sum256(block[:])
}

// nameOf is a text in place of an owner's, which is another one in another domain.
func (d domain) nameOf(owner string) string {
	sum := sha256.Sum256(append(d[:], owner...))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// equal compares in constant time.
func (v *verifier) equal(w *verifier) bool {
	return subtle.ConstantTimeCompare(v[:], w[:]) == 1
}

// is compares with the bytes of a frame, in constant time.
func (v *verifier) is(kept string) bool {
	return subtle.ConstantTimeCompare(v[:], []byte(kept)) == 1
}
