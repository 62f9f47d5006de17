package echosession_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/echosession"
)

func ExampleNew() {
	manager, err := core.New(core.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	e := echo.New()
	e.Use(echosession.New(manager))
	e.POST("/sign-in", func(c echo.Context) error {
		echosession.Get(c).SetOwner("user:42")
		return c.Redirect(http.StatusSeeOther, "/")
	})

	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/sign-in", nil))
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
	e := echo.New()
	e.Use(echosession.NewWithConfig(manager, echosession.Config{
		Passive: func(c echo.Context) bool { return c.Path() == "/events" },
	}))
	e.GET("/events", func(c echo.Context) error {
		return echosession.Events(c, func(events *core.EventStream) error {
			return events.Send(core.StreamEvent{Name: "news", Data: "hello"})
		})
	})
	e.POST("/sign-in", func(c echo.Context) error {
		echosession.Get(c).SetOwner("user:42")
		return c.NoContent(http.StatusNoContent)
	})

	in, stream := httptest.NewRecorder(), httptest.NewRecorder()
	e.ServeHTTP(in, httptest.NewRequest(http.MethodPost, "/sign-in", nil))
	request := httptest.NewRequest(http.MethodGet, "/events", nil)
	request.AddCookie(in.Result().Cookies()[0])
	e.ServeHTTP(stream, request)
	fmt.Println(stream.Body)
	// Output:
	// :
	//
	// event: news
	// data: hello
}
