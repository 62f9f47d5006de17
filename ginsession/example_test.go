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
