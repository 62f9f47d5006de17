// Command chi is the example site on chi, with the session middleware in package chisession.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"html/template"
	"io"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/sessionserverstore/sessionserverstore/chisession"
	"github.com/sessionserverstore/sessionserverstore/core"
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
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	var calls storeCalls
	m, err := core.New(core.Config{Store: store, Logger: logger, ObserveStore: calls.observe})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	defer calls.log(logger)
	server := serve.Server(routes(ctx.Done(), m))
	return serve.Until(ctx, addr, stdout, server.Serve, server.Shutdown)
}

// routes makes the site. Streams of events end when stop is closed.
func routes(stop <-chan struct{}, m *core.Manager) http.Handler {
	pages := pages{site.Templates("chi"), m, stop}
	r := chi.NewRouter()
	r.Use(middleware.Recoverer, headers, http.NewCrossOriginProtection().Handler)

	assets := http.FileServerFS(site.Assets)
	r.Method(http.MethodGet, "/style.css", assets)
	r.Method(http.MethodGet, "/icon.svg", assets)
	r.Method(http.MethodGet, "/devices.js", assets)

	r.Group(func(r chi.Router) {
		r.Use(chisession.NewWithConfig(m, chisession.Config{
			Passive: func(r *http.Request) bool { return site.Passive(r.URL.Path) },
		}))
		r.Get("/", pages.home)
		r.Get("/account", pages.account)
		r.Get("/devices", pages.devices)
		r.Post("/devices/sign-out", pages.signOutDevice)
		r.Post("/devices/sign-out-others", pages.signOutOthers)
		r.Get("/events", pages.events)
		r.Get("/expires", expires)
		r.Get("/slow", slow)
		r.Post("/sign-in", pages.signIn)
		r.Post("/sign-out", signOut)
		r.Post("/cart", addToCart)
		r.Post("/cart/remove", removeFromCart)
	})
	return r
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site.SetHeaders(w.Header().Set)
		next.ServeHTTP(w, r)
	})
}

type pages struct {
	templates *template.Template
	manager   *core.Manager
	stop      <-chan struct{}
}

func (p pages) home(w http.ResponseWriter, r *http.Request) {
	p.render(w, "home.html", site.NewHome(chisession.Get(r), r.URL.Query().Has("bye")))
}

func (p pages) account(w http.ResponseWriter, r *http.Request) {
	page, ok := site.NewAccount(chisession.Get(r))
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	p.render(w, "account.html", page)
}

func (p pages) render(w http.ResponseWriter, name string, page any) {
	var body bytes.Buffer
	if err := p.templates.ExecuteTemplate(&body, name, page); err != nil {
		panic(err) // A template that does not fit its page: Recoverer answers 500.
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = body.WriteTo(w) // An error here means that nobody is listening any more.
}

func (p pages) signIn(w http.ResponseWriter, r *http.Request) {
	err := site.SignIn(r.Context(), p.manager, chisession.Get(r), site.SignInForm{
		Name:     r.PostFormValue("name"),
		Password: r.PostFormValue("password"),
		Remember: r.PostFormValue("remember") != "",
	}, r.UserAgent())
	redirect(w, r, "/", err)
}

// redirect sends the browser to another page, unless something went wrong.
func redirect(w http.ResponseWriter, r *http.Request, to string, err error) {
	if err != nil {
		refuse(w, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func refuse(w http.ResponseWriter, err error) {
	status := core.Status(err)
	http.Error(w, http.StatusText(status), status)
}

func (p pages) devices(w http.ResponseWriter, r *http.Request) {
	page, ok, err := site.NewDevices(r.Context(), p.manager, chisession.Get(r))
	switch {
	case err != nil:
		refuse(w, err)
	case !ok:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	default:
		p.render(w, "devices.html", page)
	}
}

func (p pages) signOutDevice(w http.ResponseWriter, r *http.Request) {
	form := site.DeviceForm{ID: r.PostFormValue("id")}
	err := site.SignOutDevice(r.Context(), p.manager, chisession.Get(r), form)
	redirect(w, r, "/devices", err)
}

func (p pages) signOutOthers(w http.ResponseWriter, r *http.Request) {
	redirect(w, r, "/devices", site.SignOutOthers(r.Context(), p.manager, chisession.Get(r)))
}

func (p pages) events(w http.ResponseWriter, r *http.Request) {
	_ = chisession.Events(w, r, func(events *core.EventStream) error { // Watch never fails
		return site.Watch(p.stop, events)
	})
}

func expires(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(site.NewExpiry(chisession.Get(r))) // as in render
}

func signOut(w http.ResponseWriter, r *http.Request) {
	chisession.Get(r).Destroy()
	http.Redirect(w, r, "/?bye", http.StatusSeeOther)
}

func addToCart(w http.ResponseWriter, r *http.Request) {
	site.AddToCart(chisession.Get(r), site.CartForm{Item: r.PostFormValue("item")})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func removeFromCart(w http.ResponseWriter, r *http.Request) {
	site.RemoveFromCart(chisession.Get(r), site.CartForm{Item: r.PostFormValue("item")})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func slow(w http.ResponseWriter, r *http.Request) {
	text, err := site.Slow(r.Context(), chisession.Get(r), r.URL.Query().Get("ms"))
	if err != nil {
		http.Error(w, "interrupted", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text)
}
