package core_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An adapter is what a framework on net/http needs, where Manager.Handler does not fit. It keeps of
// a request what it needs and, as fields, so that all is one piece of memory, the Gate and the
// request that the handler gets.
type adapter struct {
	gate  core.Gate
	w     http.ResponseWriter
	r     *http.Request
	inner http.Request
}

// Fail answers for a session that cannot be committed, in the framework's own way. The answer is
// complete, and sent, when it returns: the handler may go on.
func (a *adapter) Fail(err error) {
	a.w.Header().Set("Content-Length", "0")
	a.w.WriteHeader(core.Status(err))
	_ = http.NewResponseController(a.w).Flush()
}

func serve(m *core.Manager, w http.ResponseWriter, r *http.Request, next http.Handler) {
	if _, inside := m.FromContext(r.Context()); inside {
		next.ServeHTTP(w, r) // installed twice: the outer one commits
		return
	}
	a := &adapter{w: w, r: r}
	if err := m.BeginGate(r.Context(), &a.gate, r.Header, w.Header(), a); err != nil {
		a.Fail(err) // no handler may run
		return
	}
	a.inner = *r.WithContext(a.gate.Context())
	returned := false
	defer func() {
		if r.MultipartForm == nil { // net/http removes its own request's uploads only
			r.MultipartForm = a.inner.MultipartForm
		}
		if !returned {
			a.gate.Rollback() // a panic, which goes on
		}
	}()
	next.ServeHTTP(a.gate.Wrap(w), &a.inner)
	returned = true
	if err := a.gate.Finish(); err != nil {
		log.Print(err) // what changed after the first byte is not stored
	}
}

func ExampleGate() {
	manager, err := core.New(core.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = manager.Close() }()
	visits := core.NewValue[int]("visits")
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		visits.Update(s, func(n int) int { return n + 1 })
		n, _ := visits.Get(s)
		fmt.Fprintf(w, "visit %d", n)
	})

	w := httptest.NewRecorder()
	serve(manager, w, httptest.NewRequest(http.MethodGet, "/", nil), handler)
	cookie := w.Result().Cookies()[0]
	fmt.Println(cookie.Name, w.Body)

	again := httptest.NewRequest(http.MethodGet, "/", nil)
	again.AddCookie(cookie)
	w = httptest.NewRecorder()
	serve(manager, w, again, handler)
	fmt.Println(w.Body)
	// Output:
	// __Host-sid visit 1
	// visit 2
}
