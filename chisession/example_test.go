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
