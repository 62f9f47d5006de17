package floor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Cookie is the name of both floors' cookie.
const Cookie = "__Host-floor"

const (
	idLength     = 32 // of the token's characters, the first
	secretLength = 96
	tokenLength  = idLength + secretLength
	randomBytes  = tokenLength / 4 * 3
)

const attributes = "; Path=/; HttpOnly; Secure; SameSite=Lax"

type verifier = [sha256.Size]byte

// newToken returns 96 random bytes as 128 characters.
func newToken() string {
	var random [randomBytes]byte
	_, _ = rand.Read(random[:]) // never fails, as its documentation says
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// split takes a token apart; ok is false if it cannot be one.
func split(token string) (id, secret string, ok bool) {
	if len(token) != tokenLength {
		return "", "", false
	}
	return token[:idLength], token[idLength:], true
}

// verify hashes the secret, in an array of its own since a converted string would go to the heap.
func verify(secret string) verifier {
	var block [secretLength]byte
	copy(block[:], secret)
	return sha256.Sum256(block[:])
}

// setCookie is the Set-Cookie line of a token.
func setCookie(token string) string {
	return Cookie + "=" + token + attributes
}

// tokenOf finds the floors' cookie in the Cookie lines of a request; "" if there is none.
func tokenOf(lines []string) string {
	for _, line := range lines {
		if token := tokenIn(line); token != "" {
			return token
		}
	}
	return ""
}

func tokenIn(line string) string {
	for line != "" {
		var pair string
		pair, line, _ = strings.Cut(line, ";")
		name, value, _ := strings.Cut(strings.TrimLeft(pair, " "), "=")
		if name == Cookie {
			return value
		}
	}
	return ""
}
