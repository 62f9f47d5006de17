package main

import (
	"encoding/json"
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/core"
)

var counter = core.NewValue[int]("counter")

// answer is what the API sends.
type answer struct {
	Count   int     `json:"count"`
	Session core.ID `json:"session"` // "" if there is none; the ID is public, unlike the token
}

// apiHandler returns the API for the page on the given origin. CORS stands outside the session: a
// preflight touches none, and the answer to a failed commit, too, is one that the page may read.
func apiHandler(m *core.Manager, page string) http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET /api/counter", read)
	api.HandleFunc("POST /api/counter", increment)
	api.HandleFunc("POST /api/sign-out", signOut)
	return cors(page, m.Handler(api))
}

func read(w http.ResponseWriter, r *http.Request) {
	writeAnswer(w, session(r))
}

func increment(w http.ResponseWriter, r *http.Request) {
	s := session(r)
	// Update and not Get and Set: clicks in two tabs at once, or on two nodes, are both counted.
	counter.Update(s, func(n int) int { return n + 1 })
	writeAnswer(w, s)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	session(r).Destroy()
	w.WriteHeader(http.StatusNoContent)
}

// session returns the request's session, which m.Handler has put into its context.
func session(r *http.Request) *core.Session {
	s, ok := core.FromContext(r.Context())
	if !ok {
		panic("api: a handler runs without the session middleware")
	}
	return s
}

func writeAnswer(w http.ResponseWriter, s *core.Session) {
	count, _ := counter.Get(s)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// An error here means that nobody is listening any more.
	_ = json.NewEncoder(w).Encode(answer{Count: count, Session: s.ID()})
}

// cors lets scripts of one origin call next, and read the answers. It names that origin and never
// "*": a wildcard would let every page on the web begin sessions from its visitors' browsers. Which
// header of an answer may be read, the token's, core says itself.
func cors(page string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Add("Vary", "Origin") // also where there is none: a cache must keep these apart
		from := r.Header.Get("Origin")
		if from != "" && from != page {
			http.Error(w, "another origin", http.StatusForbidden)
			return
		}
		if from == page {
			header.Set("Access-Control-Allow-Origin", page)
		}
		if r.Method == http.MethodOptions {
			header.Set("Access-Control-Allow-Methods", "GET, POST")
			header.Set("Access-Control-Allow-Headers", "Session-Id, Content-Type")
			header.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
