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
