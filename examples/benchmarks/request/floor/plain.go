package floor

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"
)

// Values are what the benchmark keeps in a session.
type Values struct {
	Name   string
	Visits int
	Fields []string
}

// Plain keeps sessions in a map. It is for one goroutine.
type Plain struct {
	sessions map[string]*plainSession
}

type plainSession struct {
	verifier verifier
	values   Values
}

// NewPlain returns a Plain without sessions.
func NewPlain() *Plain {
	return &Plain{sessions: make(map[string]*plainSession)}
}

// A PlainVisit is one request's way to its session. Where a request's context hands it over it is
// that context's node itself; gin and fiber hand it over by name, and it has no context there.
type PlainVisit struct {
	context.Context
	table   *Plain
	session *plainSession
	header  adder
}

// An adder is a response's header, in net/http as in fasthttp.
type adder interface{ Add(name, value string) }

// Values are the session's, to be read and changed in place; nil if there is no session.
func (v *PlainVisit) Values() *Values {
	if v.session == nil {
		return nil
	}
	return &v.session.values
}

// Begin makes a session and sends its cookie.
func (v *PlainVisit) Begin(values Values) {
	token := newToken()
	id, secret, _ := split(token)
	v.session = &plainSession{verifier: verify(secret), values: values}
	v.table.sessions[strings.Clone(id)] = v.session
	v.header.Add("Set-Cookie", setCookie(token))
}

type plainKey struct{}

// Value implements context.Context.
func (v *PlainVisit) Value(key any) any {
	if key == (plainKey{}) {
		return v
	}
	return v.Context.Value(key)
}

// visit finds the session of a token. The visit has no context yet.
func (p *Plain) visit(token string, header adder) *PlainVisit {
	v := &PlainVisit{table: p, header: header}
	id, secret, ok := split(token)
	if !ok {
		return v
	}
	if s := p.sessions[id]; s != nil && s.verifier == verify(secret) {
		v.session = s
	}
	return v
}

const plainName = "floor" // in the frameworks that keep values by name

// HTTP is the middleware for net/http and chi.
func (p *Plain) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(tokenOf(r.Header["Cookie"]), w.Header())
		v.Context = r.Context()
		next.ServeHTTP(w, r.WithContext(v))
	})
}

// PlainOf is the visit of a request below HTTP.
func PlainOf(r *http.Request) *PlainVisit {
	return r.Context().Value(plainKey{}).(*PlainVisit)
}

// Gin is the middleware for gin.
func (p *Plain) Gin(c *gin.Context) {
	c.Set(plainName, p.visit(tokenOf(c.Request.Header["Cookie"]), c.Writer.Header()))
	c.Next()
}

// PlainOfGin is the visit of a request below Gin.
func PlainOfGin(c *gin.Context) *PlainVisit {
	return c.MustGet(plainName).(*PlainVisit)
}

// Echo is the middleware for echo.
func (p *Plain) Echo(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		v := p.visit(tokenOf(r.Header["Cookie"]), c.Response().Header())
		v.Context = r.Context()
		c.SetRequest(r.WithContext(v))
		return next(c)
	}
}

// PlainOfEcho is the visit of a request below Echo.
func PlainOfEcho(c echo.Context) *PlainVisit {
	return PlainOf(c.Request())
}

// Fiber is the middleware for fiber v2.
func (p *Plain) Fiber(c *fiber.Ctx) error {
	token := tokenIn(c.Get(fiber.HeaderCookie))
	c.Locals(plainName, p.visit(token, &c.Response().Header))
	return c.Next()
}

// PlainOfFiber is the visit of a request below Fiber.
func PlainOfFiber(c *fiber.Ctx) *PlainVisit {
	return c.Locals(plainName).(*PlainVisit)
}
