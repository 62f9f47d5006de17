package core

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkPieces measures what a request that reads a value is made of, one piece at a time, to
// find out where its time goes. Compare the lines of one run; examples/benchmarks has the whole.
func BenchmarkPieces(b *testing.B) {
	ctx := b.Context()
	m, err := New(Config{})
	require.NoError(b, err)
	defer func() { require.NoError(b, m.Close()) }()
	name := NewValue[string]("name")
	s, err := m.Begin(ctx, http.Header{})
	require.NoError(b, err)
	name.Set(s, "alice")
	response := http.Header{}
	require.NoError(b, m.Commit(ctx, s, response))
	cookie, err := http.ParseSetCookie(response.Get("Set-Cookie"))
	require.NoError(b, err)
	token := cookie.Value
	request := netHeader{"Cookie": {cookie.Name + "=" + token}}
	id := ID(token[:IDLength])
	var base snapshot
	require.NoError(b, m.fetch(ctx, id, &base))
	verifier := m.domain.verifierOf(token)
	at := now()
	var kept any

	pieces := []struct {
		name string
		do   func()
	}{
		{"cookie", func() { m.carriers[0].collect(request, found{}) }},
		{"form of the ID", func() { wellFormed(token[:IDLength], IDLength) }},
		{"form of the token", func() { wellFormed(token, TokenLength) }},
		{"clock", func() { at = now() }},
		{"hash", func() { verifier = m.domain.verifierOf(token) }},
		{"store", func() { m.memory.recall(id, &base) }},
		{"frame", func() { _ = base.check() }},
		{"proof and timeouts", func() { m.prove(ctx, &base, &verifier, at) }},
		{"memory of a Session", func() { kept = new(loadedSession) }},
		{"memory of an exchange", func() { kept = new(exchange) }},
		{"Begin", func() { s, _ = m.Begin(ctx, request) }},
		{"Begin without a token", func() { _, _ = m.Begin(ctx, netHeader{}) }},
		{"Get", func() { name.Get(s) }},
		{"Commit, Vary", func() {
			clear(response)
			_ = m.Commit(ctx, s, response)
		}},
		{"Seal", func() { m.Seal(s) }},
	}
	for _, piece := range pieces {
		b.Run(piece.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				piece.do()
			}
		})
	}
	_ = kept
}
