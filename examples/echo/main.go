// Command echo is the example site on echo, with the session middleware in package echosession.
package main

import (
	"context"
	"errors"
	"flag"
	"html/template"
	"io"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/echosession"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/anystore"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/serve"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/site"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "listen on this `address`")
	store := flag.String("store", anystore.Memory, anystore.Usage)
	flag.Parse()
	serve.Main(func(ctx context.Context, stdout, stderr io.Writer) error {
		return run(ctx, *addr, *store, stdout, stderr)
	})
}

// run serves the site on addr until ctx is done. Its sessions are in the store of that name.
func run(ctx context.Context, addr, name string, stdout, stderr io.Writer) (err error) {
	store, closeStore, err := anystore.Open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	m, err := core.New(core.Config{
		Store:  store,
		Logger: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	e := routes(m)
	e.Logger.SetOutput(stderr)
	server := serve.Server(e)
	return serve.Until(ctx, addr, stdout, server.Serve, server.Shutdown)
}

func routes(m *core.Manager) *echo.Echo {
	e := echo.New()
	e.Renderer = renderer{site.Templates("echo")}
	e.Use(middleware.Recover(), headers, sameOrigin())

	e.FileFS("/style.css", "style.css", site.Assets)
	e.FileFS("/icon.svg", "icon.svg", site.Assets)

	pages := e.Group("", echosession.New(m))
	pages.GET("/", home)
	pages.GET("/account", account)
	pages.GET("/slow", slow)
	pages.POST("/sign-in", signIn)
	pages.POST("/sign-out", signOut)
	pages.POST("/cart", addToCart)
	pages.POST("/cart/remove", removeFromCart)
	return e
}

type renderer struct{ templates *template.Template }

// Render is what c.Render calls.
func (r renderer) Render(w io.Writer, name string, page any, c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return r.templates.ExecuteTemplate(w, name, page)
}

func headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		site.SetHeaders(c.Response().Header().Set)
		return next(c)
	}
}

func sameOrigin() echo.MiddlewareFunc {
	protection := http.NewCrossOriginProtection()
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return echo.NewHTTPError(http.StatusForbidden).SetInternal(err)
			}
			return next(c)
		}
	}
}

func home(c echo.Context) error {
	page := site.NewHome(echosession.Get(c), c.QueryParams().Has("bye"))
	return c.Render(http.StatusOK, "home.html", page)
}

func account(c echo.Context) error {
	page, ok := site.NewAccount(echosession.Get(c))
	if !ok {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	return c.Render(http.StatusOK, "account.html", page)
}

func signIn(c echo.Context) error {
	var form site.SignInForm
	if err := c.Bind(&form); err != nil {
		return err
	}
	site.SignIn(echosession.Get(c), form)
	return c.Redirect(http.StatusSeeOther, "/")
}

func signOut(c echo.Context) error {
	echosession.Get(c).Destroy()
	return c.Redirect(http.StatusSeeOther, "/?bye")
}

func addToCart(c echo.Context) error {
	var form site.CartForm
	if err := c.Bind(&form); err != nil {
		return err
	}
	site.AddToCart(echosession.Get(c), form)
	return c.Redirect(http.StatusSeeOther, "/")
}

func removeFromCart(c echo.Context) error {
	var form site.CartForm
	if err := c.Bind(&form); err != nil {
		return err
	}
	site.RemoveFromCart(echosession.Get(c), form)
	return c.Redirect(http.StatusSeeOther, "/")
}

func slow(c echo.Context) error {
	text, err := site.Slow(c.Request().Context(), echosession.Get(c), c.QueryParam("ms"))
	if err != nil {
		return echo.NewHTTPError(http.StatusServiceUnavailable).SetInternal(err)
	}
	return c.String(http.StatusOK, text)
}
