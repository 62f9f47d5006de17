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
	e := routes(ctx.Done(), m)
	e.Logger.SetOutput(stderr)
	server := serve.Server(e)
	return serve.Until(ctx, addr, stdout, server.Serve, server.Shutdown)
}

// routes makes the site. Streams of events end when stop is closed.
func routes(stop <-chan struct{}, m *core.Manager) *echo.Echo {
	devices := devices{m, stop}
	e := echo.New()
	e.Renderer = renderer{site.Templates("echo")}
	e.Use(middleware.Recover(), headers, sameOrigin())

	e.FileFS("/style.css", "style.css", site.Assets)
	e.FileFS("/icon.svg", "icon.svg", site.Assets)
	e.FileFS("/devices.js", "devices.js", site.Assets)

	pages := e.Group("", echosession.NewWithConfig(m, echosession.Config{
		Passive: func(c echo.Context) bool { return site.Passive(c.Path()) },
	}))
	pages.GET("/", home)
	pages.GET("/account", account)
	pages.GET("/slow", slow)
	pages.GET("/devices", devices.list)
	pages.POST("/devices/sign-out", devices.signOut)
	pages.POST("/devices/sign-out-others", devices.signOutOthers)
	pages.GET("/events", devices.events)
	pages.GET("/expires", expires)
	pages.POST("/sign-in", devices.signIn)
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

// devices are the pages of what an owner is signed in with.
type devices struct {
	manager *core.Manager
	stop    <-chan struct{}
}

func (d devices) signIn(c echo.Context) error {
	var form site.SignInForm
	if err := c.Bind(&form); err != nil {
		return err
	}
	ctx, agent := c.Request().Context(), c.Request().UserAgent()
	return redirect(c, "/", site.SignIn(ctx, d.manager, echosession.Get(c), form, agent))
}

// redirect sends the browser to another page, unless something went wrong.
func redirect(c echo.Context, to string, err error) error {
	if err != nil {
		return echo.NewHTTPError(core.Status(err)).SetInternal(err)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

func (d devices) list(c echo.Context) error {
	page, ok, err := site.NewDevices(c.Request().Context(), d.manager, echosession.Get(c))
	if err != nil || !ok {
		return redirect(c, "/", err)
	}
	return c.Render(http.StatusOK, "devices.html", page)
}

func (d devices) signOut(c echo.Context) error {
	ctx, form := c.Request().Context(), site.DeviceForm{ID: c.FormValue("id")}
	return redirect(c, "/devices",
		site.SignOutDevice(ctx, d.manager, echosession.Get(c), form))
}

func (d devices) signOutOthers(c echo.Context) error {
	ctx := c.Request().Context()
	return redirect(c, "/devices", site.SignOutOthers(ctx, d.manager, echosession.Get(c)))
}

func (d devices) events(c echo.Context) error {
	return echosession.Events(c, func(events *core.EventStream) error {
		return site.Watch(d.stop, events)
	})
}

func expires(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.JSON(http.StatusOK, site.NewExpiry(echosession.Get(c)))
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
