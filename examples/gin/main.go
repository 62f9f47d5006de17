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
	server := serve.Server(routes(m))
	return serve.Until(ctx, addr, stdout, server.Serve, server.Shutdown)
}

func routes(m *core.Manager) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.SetHTMLTemplate(site.Templates("gin"))
	r.Use(gin.Recovery(), headers, sameOrigin())

	assets := http.FS(site.Assets)
	r.StaticFileFS("/style.css", "style.css", assets)
	r.StaticFileFS("/icon.svg", "icon.svg", assets)

	pages := r.Group("/", ginsession.New(m))
	pages.GET("/", home)
	pages.GET("/account", account)
	pages.GET("/slow", slow)
	pages.POST("/sign-in", signIn)
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

func signIn(c *gin.Context) {
	var form site.SignInForm
	// FormPost and not Form, which also reads the query: a password has no business in a URL.
	if err := c.MustBindWith(&form, binding.FormPost); err != nil {
		return
	}
	site.SignIn(ginsession.Get(c), form)
	c.Redirect(http.StatusSeeOther, "/")
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
