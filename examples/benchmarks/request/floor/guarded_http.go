package floor

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
)

// A writer notes the first byte. It and its visit are one allocation.
type writer struct {
	http.ResponseWriter
	visit Visit
}

// WriteHeader implements http.ResponseWriter. An informational response is not the first byte.
func (w *writer) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.visit.started = true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	w.visit.started = true
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (w *writer) Flush() {
	w.visit.started = true
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// wrap begins the visit of a request of net/http.
func (g *Guarded) wrap(w http.ResponseWriter, r *http.Request) *writer {
	inner := &writer{ResponseWriter: w}
	g.open(&inner.visit, r.Context(), tokenOf(r.Header["Cookie"]), httpHeader(w.Header()))
	return inner
}

// HTTP is the middleware for net/http and chi. Handlers below find the visit with From.
func (g *Guarded) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := g.wrap(w, r)
		next.ServeHTTP(inner, r.WithContext(&inner.visit))
	})
}

// guardedName is the visit's in the frameworks that keep values by name.
const guardedName = "guarded floor"

// Echo is the middleware for echo. Handlers find the visit with OfEcho, what is below with From.
func (g *Guarded) Echo(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		inner := g.wrap(c.Response().Writer, c.Request())
		c.Response().Writer = inner
		c.SetRequest(c.Request().WithContext(&inner.visit))
		return next(c)
	}
}

// OfEcho is the visit of a request below Echo.
func OfEcho(c echo.Context) *Visit {
	return From(c.Request().Context())
}

// A ginWriter notes the first byte that leaves gin.
type ginWriter struct {
	gin.ResponseWriter
	visit Visit
}

// Write implements http.ResponseWriter.
func (w *ginWriter) Write(b []byte) (int, error) {
	w.visit.started = true
	return w.ResponseWriter.Write(b)
}

// WriteString implements gin.ResponseWriter.
func (w *ginWriter) WriteString(s string) (int, error) {
	w.visit.started = true
	return w.ResponseWriter.WriteString(s)
}

// WriteHeaderNow implements gin.ResponseWriter.
func (w *ginWriter) WriteHeaderNow() {
	w.visit.started = true
	w.ResponseWriter.WriteHeaderNow()
}

// Flush implements http.Flusher.
func (w *ginWriter) Flush() {
	w.visit.started = true
	w.ResponseWriter.Flush()
}

// Unwrap is for http.ResponseController.
func (w *ginWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Gin is the middleware for gin. Handlers find the visit with OfGin, what is below with From.
func (g *Guarded) Gin(c *gin.Context) {
	outer := c.Writer
	inner := &ginWriter{ResponseWriter: outer}
	lines := c.Request.Header["Cookie"]
	g.open(&inner.visit, c.Request.Context(), tokenOf(lines), httpHeader(outer.Header()))
	c.Request = c.Request.WithContext(&inner.visit)
	c.Writer = inner
	c.Set(guardedName, &inner.visit)
	c.Next()
	c.Writer = outer
}

// OfGin is the visit of a request below Gin.
func OfGin(c *gin.Context) *Visit {
	return looked(c.MustGet(guardedName).(*Visit))
}
