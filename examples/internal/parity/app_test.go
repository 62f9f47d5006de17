package parity

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Ctx is one request as a handler sees it, in words that all frameworks share. Each method does
// what a user of that framework would write.
type Ctx interface {
	// Session is the framework's own getter.
	Session() *core.Session
	// Contexts are all that the framework offers to pass on; the first is the commonest.
	Contexts() []context.Context
	// Path is the request's path, in the memory that the framework gives it.
	Path() string
	// Query is a parameter of the URL, in the memory that the framework gives it.
	Query(name string) string
	// Body reads the request's body; more than limit is status 413.
	Body(limit int64) (string, error)

	// Upload reads a form and keeps its files on disk, where the framework lets one choose.
	Upload() error

	SetHeader(name, value string)
	// SetCookie sets a cookie the framework's way.
	SetCookie(c *http.Cookie)
	Text(status int, text string) error
	JSON(status int, value any) error
	NoContent(status int) error
	Redirect(status int, to string) error
	File(path string) error
	// Stream answers with what f writes. Fiber runs f beside the handler and beyond it.
	Stream(f func(w io.Writer, flush func() error)) error
	// Trailer declares a trailer before the body; the function returned gives its value after it.
	Trailer(name string) func(value string)
	// Hints sends 103 with a Link.
	Hints(link string)

	// Events answers with server-sent events, by the adapter's own helper.
	Events(f func(*core.EventStream) error) error
	// WebSocket upgrades with one of the framework's libraries and runs serve on the connection.
	WebSocket(library string, serve func(s *core.Session, send func(text string) error)) error
	// Echo upgrades and sends back what comes, until the session ends: the pattern of docs/owners.md.
	Echo(library string) error
	// Hijack takes the connection away from the server, without an answer.
	Hijack(serve func(conn net.Conn)) error
	// Redispatch runs the request again, with another path, through all middleware.
	Redispatch(path string) error
}

// A Handler answers a request. Nil without an answer is a silent handler; an error goes the
// framework's own way.
type Handler func(c Ctx) error

// statusError is an error that each framework makes its own error of that status from.
type statusError int

func (e statusError) Error() string { return "status " + strconv.Itoa(int(e)) }

// A layer is a middleware that each framework has, or has here, its own version of.
type layer string

const (
	session  layer = "session"        // the adapter under test
	another  layer = "another"        // the same with a second Manager
	recovers layer = "recovers"       // the framework's recover middleware
	zips     layer = "zips"           // the framework's compression
	shares   layer = "shares"         // CORS for one origin
	tracks   layer = "tracks"         // sets a cookie of its own
	caches   layer = "caches"         // lets anybody cache the answer
	logs     layer = "logs"           // tells the test the status, as the framework's logger sees it
	wraps    layer = "wraps"          // puts a writer of its own in the way, as loggers do
	denies   layer = "denies"         // answers 401 and calls nobody
	origin         = "https://b.test" // what shares allows
)

// allow is all that shares does to a response; preflight says that it answers itself.
func allow(set func(name, value string), method string) (preflight bool) {
	set("Access-Control-Allow-Origin", origin)
	set("Access-Control-Expose-Headers", "X-Total")
	if method != http.MethodOptions {
		return false
	}
	set("Access-Control-Allow-Headers", "Session-Id")
	return true
}

// track is the cookie of the layer tracks.
func track() *http.Cookie { return &http.Cookie{Name: "track", Value: "1", Path: "/"} }

// An ability is what a behaviour needs of a framework.
type ability string

const (
	earlyHints     ability = "an informational answer can come before the final one"
	survivesPanics ability = "a panic ends one request only"
	clientGone     ability = "a handler learns that its client has gone"
	http2          ability = "the server speaks HTTP/2"
	cleansUp       ability = "the files of a form are removed after the request"
	writers        ability = "handlers write through an http.ResponseWriter"
)

// A framework builds and serves the application that a site describes.
type framework interface {
	name() string
	// lacks are the abilities it does not have, each with the reason.
	lacks() map[ability]string
	// serve starts the application on a loopback listener until the test ends.
	serve(t testing.TB, s *site) (addr string)
	// unavailable is what its own error path answers to an outage.
	unavailable() page
	// sockets are the WebSocket libraries that its users take.
	sockets() []string
}

// A page is the part of an answer that a framework's error path chooses.
type page struct{ contentType, body string }

// frameworks are all that the behaviours hold in.
func frameworks() []framework {
	return []framework{
		ginFramework{}, echoFramework{}, fiberFramework{}, chiFramework{}, plainFramework{},
	}
}

// able reports whether a framework has an ability.
func able(f framework, a ability) bool {
	_, lacking := f.lacks()[a]
	return !lacking
}
