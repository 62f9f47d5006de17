package chisession_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/go-chi/chi/v5"

	"github.com/sessionserverstore/sessionserverstore/chisession"
	"github.com/sessionserverstore/sessionserverstore/core"
)

func ExampleNew() {
	manager, err := core.New(core.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := chi.NewRouter()
	r.Use(chisession.New(manager))
	r.Post("/sign-in", func(w http.ResponseWriter, r *http.Request) {
		chisession.Get(r).SetOwner("user:42")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})

	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/sign-in", nil))
	fmt.Println(w.Code, w.Result().Cookies()[0].Name)
	// Output: 303 __Host-sid
}

// A page's EventSource gets what is sent here, and is told when the session ends.
func ExampleEvents() {
	manager, err := core.New(core.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := chi.NewRouter()
	r.Use(chisession.NewWithConfig(manager, chisession.Config{
		Passive: func(r *http.Request) bool { return r.URL.Path == "/events" },
	}))
	r.Get("/events", func(w http.ResponseWriter, r *http.Request) {
		_ = chisession.Events(w, r, func(events *core.EventStream) error {
			return events.Send(core.StreamEvent{Name: "news", Data: "hello"})
		})
	})
	r.Post("/sign-in", func(_ http.ResponseWriter, r *http.Request) {
		chisession.Get(r).SetOwner("user:42")
	})

	in, stream := httptest.NewRecorder(), httptest.NewRecorder()
	r.ServeHTTP(in, httptest.NewRequest(http.MethodPost, "/sign-in", nil))
	request := httptest.NewRequest(http.MethodGet, "/events", nil)
	request.AddCookie(in.Result().Cookies()[0])
	r.ServeHTTP(stream, request)
	fmt.Println(stream.Body)
	// Output:
	// :
	//
	// event: news
	// data: hello
}
