// Command gin is the example site on gin, with the session middleware in package ginsession.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/anystore"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/serve"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/site"
	"github.com/sessionserverstore/sessionserverstore/ginsession"
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
	server := serve.Server(routes(ctx.Done(), m))
	return serve.Until(ctx, addr, stdout, server.Serve, server.Shutdown)
}

// routes makes the site. Streams of events end when stop is closed.
func routes(stop <-chan struct{}, m *core.Manager) http.Handler {
	devices := devices{m, stop}
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.SetHTMLTemplate(site.Templates("gin"))
	r.Use(gin.Recovery(), headers, sameOrigin())

	assets := http.FS(site.Assets)
	r.StaticFileFS("/style.css", "style.css", assets)
	r.StaticFileFS("/icon.svg", "icon.svg", assets)
	r.StaticFileFS("/devices.js", "devices.js", assets)

	pages := r.Group("/", ginsession.NewWithConfig(m, ginsession.Config{
		Passive: func(c *gin.Context) bool { return site.Passive(c.FullPath()) },
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
	return r
}

func headers(c *gin.Context) {
	site.SetHeaders(c.Header)
}

func sameOrigin() gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		if err := protection.Check(c.Request); err != nil {
			_ = c.AbortWithError(http.StatusForbidden, err) // It returns what it was given.
		}
	}
}

func home(c *gin.Context) {
	_, bye := c.GetQuery("bye")
	render(c, "home.html", site.NewHome(ginsession.Get(c), bye))
}

func account(c *gin.Context) {
	page, ok := site.NewAccount(ginsession.Get(c))
	if !ok {
		c.Redirect(http.StatusSeeOther, "/")
		return
	}
	render(c, "account.html", page)
}

func render(c *gin.Context, name string, page any) {
	c.Header("Cache-Control", "no-store")
	c.HTML(http.StatusOK, name, page)
}

// devices are the pages of what an owner is signed in with.
type devices struct {
	manager *core.Manager
	stop    <-chan struct{}
}

func (d devices) signIn(c *gin.Context) {
	var form site.SignInForm
	// FormPost and not Form, which also reads the query: a password has no business in a URL.
	if err := c.MustBindWith(&form, binding.FormPost); err != nil {
		return
	}
	ctx, agent := c.Request.Context(), c.Request.UserAgent()
	redirect(c, "/", site.SignIn(ctx, d.manager, ginsession.Get(c), form, agent))
}

// redirect sends the browser to another page, unless something went wrong.
func redirect(c *gin.Context, to string, err error) {
	if err != nil {
		_ = c.AbortWithError(core.Status(err), err) // It returns what it was given.
		return
	}
	c.Redirect(http.StatusSeeOther, to)
}

func (d devices) list(c *gin.Context) {
	page, ok, err := site.NewDevices(c.Request.Context(), d.manager, ginsession.Get(c))
	if err != nil || !ok {
		redirect(c, "/", err)
		return
	}
	render(c, "devices.html", page)
}

func (d devices) signOut(c *gin.Context) {
	ctx, form := c.Request.Context(), site.DeviceForm{ID: c.PostForm("id")}
	redirect(c, "/devices", site.SignOutDevice(ctx, d.manager, ginsession.Get(c), form))
}

func (d devices) signOutOthers(c *gin.Context) {
	ctx := c.Request.Context()
	redirect(c, "/devices", site.SignOutOthers(ctx, d.manager, ginsession.Get(c)))
}

func (d devices) events(c *gin.Context) {
	ginsession.Events(c, func(events *core.EventStream) error {
		return site.Watch(d.stop, events)
	})
}

func expires(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, site.NewExpiry(ginsession.Get(c)))
}

func signOut(c *gin.Context) {
	ginsession.Get(c).Destroy()
	c.Redirect(http.StatusSeeOther, "/?bye")
}

func addToCart(c *gin.Context) {
	site.AddToCart(ginsession.Get(c), site.CartForm{Item: c.PostForm("item")})
	c.Redirect(http.StatusSeeOther, "/")
}

func removeFromCart(c *gin.Context) {
	site.RemoveFromCart(ginsession.Get(c), site.CartForm{Item: c.PostForm("item")})
	c.Redirect(http.StatusSeeOther, "/")
}

func slow(c *gin.Context) {
	text, err := site.Slow(c.Request.Context(), ginsession.Get(c), c.Query("ms"))
	if err != nil {
		_ = c.AbortWithError(http.StatusServiceUnavailable, err) // It returns what it was given.
		return
	}
	c.String(http.StatusOK, "%s", text)
}
