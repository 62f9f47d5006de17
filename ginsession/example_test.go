package ginsession_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/ginsession"
)

func ExampleNew() {
	gin.SetMode(gin.ReleaseMode)
	manager, err := core.New(core.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := gin.New()
	r.Use(gin.Recovery(), ginsession.New(manager))
	r.POST("/sign-in", func(c *gin.Context) {
		ginsession.Get(c).SetOwner("user:42")
		c.Redirect(http.StatusSeeOther, "/")
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
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(ginsession.NewWithConfig(manager, ginsession.Config{
		Passive: func(c *gin.Context) bool { return c.FullPath() == "/events" },
	}))
	r.GET("/events", func(c *gin.Context) {
		ginsession.Events(c, func(events *core.EventStream) error {
			return events.Send(core.StreamEvent{Name: "news", Data: "hello"})
		})
	})
	r.POST("/sign-in", func(c *gin.Context) { ginsession.Get(c).SetOwner("user:42") })

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
