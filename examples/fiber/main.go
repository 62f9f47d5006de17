// Command fiber is the example site on fiber, with the session middleware in package fibersession.
package main

import (
	"context"
	"errors"
	"flag"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/filesystem"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/anystore"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/serve"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/site"
	"github.com/sessionserverstore/sessionserverstore/fibersession"
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
	app := routes(ctx.Done(), m)
	return serve.Until(ctx, addr, stdout, app.Listener, app.ShutdownWithContext)
}

// routes makes the site. Streams of events end when stop is closed.
func routes(stop <-chan struct{}, m *core.Manager) *fiber.App {
	devices := devices{m, stop}
	app := fiber.New(fiber.Config{
		Views:                 views{site.Templates("fiber")},
		BodyLimit:             serve.MaxBody,
		ReadTimeout:           5 * time.Second,
		WriteTimeout:          20 * time.Second,
		IdleTimeout:           time.Minute,
		DisableStartupMessage: true,
	})
	app.Use(recover.New(), headers, sameOrigin())

	app.Get("/style.css", asset)
	app.Get("/icon.svg", asset)
	app.Get("/devices.js", asset)

	pages := app.Group("/", fibersession.NewWithConfig(m, fibersession.Config{
		Passive: func(c *fiber.Ctx) bool { return site.Passive(c.Path()) },
	}))
	pages.Get("/", home)
	pages.Get("/account", account)
	pages.Get("/slow", slow)
	pages.Get("/devices", devices.list)
	pages.Post("/devices/sign-out", devices.signOut)
	pages.Post("/devices/sign-out-others", devices.signOutOthers)
	pages.Get("/events", devices.events)
	pages.Get("/expires", expires)
	pages.Post("/sign-in", devices.signIn)
	pages.Post("/sign-out", signOut)
	pages.Post("/cart", addToCart)
	pages.Post("/cart/remove", removeFromCart)
	return app
}

type views struct{ templates *template.Template }

// Load has nothing to do: the templates are part of the program.
func (v views) Load() error { return nil }

// Render is what c.Render calls.
func (v views) Render(w io.Writer, name string, page any, _ ...string) error {
	return v.templates.ExecuteTemplate(w, name, page)
}

func headers(c *fiber.Ctx) error {
	site.SetHeaders(c.Set)
	return c.Next()
}

func asset(c *fiber.Ctx) error {
	return filesystem.SendFile(c, http.FS(site.Assets), c.Path())
}

// sameOrigin looks at a copy of the request in net/http's form. It does not use
// adaptor.HTTPMiddleware, which writes that copy back: of two equal headers, one would be left.
func sameOrigin() fiber.Handler {
	protection := http.NewCrossOriginProtection()
	return func(c *fiber.Ctx) error {
		request, err := adaptor.ConvertRequest(c, false)
		if err != nil {
			return fiber.ErrBadRequest
		}
		if protection.Check(request) != nil {
			return fiber.ErrForbidden
		}
		return c.Next()
	}
}

func home(c *fiber.Ctx) error {
	page := site.NewHome(fibersession.Get(c), c.Context().QueryArgs().Has("bye"))
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Render("home.html", page)
}

func account(c *fiber.Ctx) error {
	page, ok := site.NewAccount(fibersession.Get(c))
	if !ok {
		return c.Redirect("/", fiber.StatusSeeOther)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Render("account.html", page)
}

// devices are the pages of what an owner is signed in with.
type devices struct {
	manager *core.Manager
	stop    <-chan struct{}
}

func (d devices) signIn(c *fiber.Ctx) error {
	var form site.SignInForm
	if err := c.BodyParser(&form); err != nil {
		return fiber.ErrBadRequest
	}
	s, agent := fibersession.Get(c), c.Get(fiber.HeaderUserAgent)
	return redirect(c, "/", site.SignIn(c.UserContext(), d.manager, s, form, agent))
}

// redirect sends the browser to another page, unless something went wrong.
func redirect(c *fiber.Ctx, to string, err error) error {
	if err != nil {
		return fiber.NewError(core.Status(err))
	}
	return c.Redirect(to, fiber.StatusSeeOther)
}

func (d devices) list(c *fiber.Ctx) error {
	page, ok, err := site.NewDevices(c.UserContext(), d.manager, fibersession.Get(c))
	if err != nil || !ok {
		return redirect(c, "/", err)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Render("devices.html", page)
}

func (d devices) signOut(c *fiber.Ctx) error {
	form := site.DeviceForm{ID: c.FormValue("id")}
	err := site.SignOutDevice(c.UserContext(), d.manager, fibersession.Get(c), form)
	return redirect(c, "/devices", err)
}

func (d devices) signOutOthers(c *fiber.Ctx) error {
	err := site.SignOutOthers(c.UserContext(), d.manager, fibersession.Get(c))
	return redirect(c, "/devices", err)
}

func (d devices) events(c *fiber.Ctx) error {
	return fibersession.Events(c, func(events *core.EventStream) error {
		return site.Watch(d.stop, events)
	})
}

func expires(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(site.NewExpiry(fibersession.Get(c)))
}

func signOut(c *fiber.Ctx) error {
	fibersession.Get(c).Destroy()
	return c.Redirect("/?bye", fiber.StatusSeeOther)
}

func addToCart(c *fiber.Ctx) error {
	var form site.CartForm
	if err := c.BodyParser(&form); err != nil {
		return fiber.ErrBadRequest
	}
	site.AddToCart(fibersession.Get(c), form)
	return c.Redirect("/", fiber.StatusSeeOther)
}

func removeFromCart(c *fiber.Ctx) error {
	var form site.CartForm
	if err := c.BodyParser(&form); err != nil {
		return fiber.ErrBadRequest
	}
	site.RemoveFromCart(fibersession.Get(c), form)
	return c.Redirect("/", fiber.StatusSeeOther)
}

// slow ends early when the server stops. That a client has gone, fasthttp does not tell.
func slow(c *fiber.Ctx) error {
	text, err := site.Slow(c.Context(), fibersession.Get(c), c.Query("ms"))
	if err != nil {
		return fiber.ErrServiceUnavailable
	}
	return c.SendString(text)
}
