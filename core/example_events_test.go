package core_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A page listens to what happens, until it is signed out somewhere else.
func ExampleServeEvents() {
	phone := signedIn(newClient().manager, "user:42", "phone")
	h := phone.manager.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = core.ServeEvents(w, r, func(events *core.EventStream) error {
			if err := events.Send(core.StreamEvent{Name: "news", Data: "hello"}); err != nil {
				return err
			}
			_, _ = phone.manager.RevokeOwner(context.Background(), "user:42") // from elsewhere
			<-events.Context().Done()
			return nil
		})
	}))
	r := httptest.NewRequest(http.MethodGet, "/events", nil)
	r.Header.Set("Cookie", phone.cookie)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Body)
	// Output:
	// :
	//
	// event: news
	// data: hello
	//
	// event: session_expired
	// data: ended
}
