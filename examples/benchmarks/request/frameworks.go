package request

import (
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v2"
	fiber3 "github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
)

// The frameworks, as they are named in results.
const (
	NetHTTP = "net/http"
	Chi     = "chi"
	Gin     = "gin"
	Echo    = "echo"
	Fiber2  = "fiber v2"
	Fiber3  = "fiber v3"
)

const plainText = "text/plain; charset=utf-8"

// middleware is net/http's.
type middleware = func(http.Handler) http.Handler

// onHTTP serves routes with net/http alone; mw is nil for the bare framework.
func onHTTP(mw middleware, routes []route[*http.Request]) httpServer {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc("GET "+r.path, httpHandler(r.step))
	}
	if mw == nil {
		return httpServer{handler: mux}
	}
	return httpServer{handler: mw(mux)}
}

// onChi serves routes with chi; mw is nil for the bare framework.
func onChi(mw middleware, routes []route[*http.Request]) httpServer {
	router := chi.NewRouter()
	if mw != nil {
		router.Use(mw)
	}
	for _, r := range routes {
		router.Get(r.path, httpHandler(r.step))
	}
	return httpServer{handler: router}
}

func httpHandler(step func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := step(r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", plainText)
		_, _ = w.Write(answer)
	}
}

// onGin serves routes with gin; mw is nil for the bare framework.
func onGin(mw gin.HandlerFunc, routes []route[*gin.Context]) httpServer {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	if mw != nil {
		engine.Use(mw)
	}
	for _, r := range routes {
		engine.GET(r.path, func(c *gin.Context) {
			if err := r.step(c); err != nil {
				c.String(http.StatusInternalServerError, err.Error())
				return
			}
			c.Data(http.StatusOK, plainText, answer)
		})
	}
	return httpServer{handler: engine}
}

// onEcho serves routes with echo; mw is nil for the bare framework.
func onEcho(mw echo.MiddlewareFunc, routes []route[echo.Context]) httpServer {
	e := echo.New()
	if mw != nil {
		e.Use(mw)
	}
	for _, r := range routes {
		e.GET(r.path, func(c echo.Context) error {
			if err := r.step(c); err != nil {
				return err // echo answers 500
			}
			return c.Blob(http.StatusOK, plainText, answer)
		})
	}
	return httpServer{handler: e}
}

// onFiber2 serves routes with fiber v2; mw is nil for the bare framework.
func onFiber2(mw fiber.Handler, routes []route[*fiber.Ctx]) fastServer {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	if mw != nil {
		app.Use(mw)
	}
	for _, r := range routes {
		app.Get(r.path, func(c *fiber.Ctx) error {
			if err := r.step(c); err != nil {
				return err // fiber answers 500
			}
			c.Set(fiber.HeaderContentType, plainText)
			return c.Send(answer)
		})
	}
	return fastServer{handler: app.Handler(), serve: app.Listener}
}

// onFiber3 serves routes with fiber v3; mw is nil for the bare framework.
func onFiber3(mw fiber3.Handler, routes []route[fiber3.Ctx]) fastServer {
	app := fiber3.New()
	if mw != nil {
		app.Use(mw)
	}
	for _, r := range routes {
		app.Get(r.path, func(c fiber3.Ctx) error {
			if err := r.step(c); err != nil {
				return err // fiber answers 500
			}
			c.Set(fiber3.HeaderContentType, plainText)
			return c.Send(answer)
		})
	}
	serve := func(l net.Listener) error {
		return app.Listener(l, fiber3.ListenConfig{DisableStartupMessage: true})
	}
	return fastServer{handler: app.Handler(), serve: serve}
}
