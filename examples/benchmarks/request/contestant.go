package request

// The contestants that there are in several frameworks, as they are named in results.
const (
	Bare    = "bare"
	Floor   = "floor"
	Guarded = "guarded floor"
	Ours    = "ours"
)

// The peers.
const (
	SCS          = "scs"
	GinContrib   = "gin-contrib/sessions"
	EchoContrib  = "echo-contrib/session"
	FiberSession = "fiber's session"
)

// A Contestant is a framework with one way to keep sessions.
type Contestant struct {
	Framework string
	Name      string // Bare, Floor, Guarded, Ours, or the peer's
	Note      string // what it does otherwise than the others, for a footnote; mostly ""
	eager     bool   // it begins a session for every client, also if nothing is put into it
	// build returns a new server without sessions. Its handlers store what is expected, and compare
	// with it what they read.
	build func(*Expected) (Server, error)
}

// String is how the contestant is called on the command line and in errors.
func (c Contestant) String() string { return c.Framework + ", " + c.Name }

// Contestants returns all of them, those of one framework together, the bare one first.
func Contestants() []Contestant {
	return []Contestant{
		{Framework: NetHTTP, Name: Bare, build: bareNetHTTP},
		{Framework: NetHTTP, Name: Floor, build: plainNetHTTP},
		{Framework: NetHTTP, Name: Guarded, build: guardedNetHTTP},
		{Framework: NetHTTP, Name: Ours, build: ourNetHTTP},

		{Framework: Chi, Name: Bare, build: bareChi},
		{Framework: Chi, Name: Floor, build: plainChi},
		{Framework: Chi, Name: Guarded, build: guardedChi},
		{Framework: Chi, Name: Ours, build: ourChi},
		{Framework: Chi, Name: SCS, build: scsChi,
			Note: "without an idle timeout, as is its default (with one it would store the session " +
				"at every read), and with its sweep off"},

		{Framework: Gin, Name: Bare, build: bareGin},
		{Framework: Gin, Name: Floor, build: plainGin},
		{Framework: Gin, Name: Guarded, build: guardedGin},
		{Framework: Gin, Name: Ours, build: ourGin},
		{Framework: Gin, Name: GinContrib, build: ginContrib,
			Note: gorillaNote("its README begins with a store in the cookie")},

		{Framework: Echo, Name: Bare, build: bareEcho},
		{Framework: Echo, Name: Floor, build: plainEcho},
		{Framework: Echo, Name: Guarded, build: guardedEcho},
		{Framework: Echo, Name: Ours, build: ourEcho},
		{Framework: Echo, Name: EchoContrib, build: echoContrib,
			Note: gorillaNote("it comes without a store, and its documentation shows one in the " +
				"cookie")},

		{Framework: Fiber2, Name: Bare, build: bareFiber2},
		{Framework: Fiber2, Name: Floor, build: plainFiber2},
		{Framework: Fiber2, Name: Guarded, build: guardedFiber2},
		{Framework: Fiber2, Name: Ours, build: ourFiber2},
		{Framework: Fiber2, Name: FiberSession, build: fiber2Session,
			Note: "with one timeout, as it has no second; it reuses the memory of a session only " +
				"if that is saved, which a read does not do: it would cost more and send the " +
				"cookie again; " + lazy},

		{Framework: Fiber3, Name: Bare, build: bareFiber3},
		{Framework: Fiber3, Name: FiberSession, build: fiber3Session, eager: true,
			Note: "begins a session, and sends its cookie, for every client, also if the handler " +
				"does not look at it"},
	}
}

// lazy is in the favour of those that it is said of.
const lazy = "it does next to nothing in a request whose handler does not ask for the session"

// gorillaNote is for those that are measured with quasoft/memstore.
func gorillaNote(usual string) string {
	return "with quasoft/memstore, which says of itself that it is not for production; " + usual +
		". That store ends no session on the server, and copies it by gob at each load and each " +
		"save, which is most of the figure; " + lazy
}
