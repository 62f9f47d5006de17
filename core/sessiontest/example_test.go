package sessiontest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// exampleT stands for the *testing.T that a test has.
type exampleT struct{ testing.TB }

func (exampleT) Helper() {}

func (exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// A handler is tested behind the real middleware, with a session that the test furnishes.
func ExampleRequest() {
	visits := core.NewValue[int]("visits")
	manager, err := core.New(core.Config{})
	if err != nil {
		panic(err)
	}
	defer manager.Close()
	home := manager.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		visits.Update(s, func(n int) int { return n + 1 })
		n, _ := visits.Get(s)
		fmt.Fprintf(w, "%s is here for the %d. time", s.Owner(), n)
	}))

	t := exampleT{} // in a test, its *testing.T
	r := httptest.NewRequest("GET", "/", nil)
	r = sessiontest.Request(t, manager, r, func(s *core.Session) {
		s.SetOwner("user:42")
		visits.Set(s, 6)
	})
	w := httptest.NewRecorder()
	home.ServeHTTP(w, r)
	fmt.Println(w.Body)
	// Output: user:42 is here for the 7. time
}

// The checks of TestStore can be run in any other way, too: here against a store whose Update is an
// upsert.
func ExampleStoreChecks() {
	for _, check := range sessiontest.StoreChecks() {
		if check.Name != "update-absent" {
			continue
		}
		store := upserting{core.NewMemoryStore(core.MemoryOptions{})}
		if err := check.Run(context.Background(), store); err != nil {
			fmt.Println("does not hold:", check.Sentence)
			fmt.Println(err)
		}
	}
	// Output:
	// does not hold: Update never creates, and answers ErrNotFound if there is no record.
	// Update of what is not there answers "no error", not "session not found"
}

// upserting is a store with the commonest mistake.
type upserting struct{ core.Store }

func (s upserting) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	if _, err := s.Load(ctx, rec.ID); err != nil {
		return s.Create(ctx, rec)
	}
	return s.Store.Update(ctx, rec, was)
}

// An adapter for a framework that is built on net/http needs nothing but the server; for other
// frameworks one writes an Exchange.
func ExampleTestAdapter() {
	mount := func(t testing.TB, h sessiontest.Handler, managers ...*core.Manager) string {
		handler := sessiontest.HTTPHandler(h, func(r *http.Request) *core.Session {
			s, _ := core.FromContext(r.Context())
			return s
		})
		for i := range managers {
			m := managers[len(managers)-1-i] // the last one is the innermost
			handler = m.Handler(handler)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	test := func(t *testing.T) { // in a file of tests: func TestAdapter(t *testing.T)
		sum := sessiontest.TestAdapter(t, mount)
		if len(sum.Lacking) != 0 {
			t.Error("this framework can do everything")
		}
	}
	_ = test
}
