package parity

import (
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A golden says which lines a carrier sends, in the order of their names.
type golden struct {
	name     string
	carrier  core.Carrier
	persists bool // what Persist is called with the contrary of
	bearer   bool // the token is shown in Authorization
	issue    []string
	other    []string // once Persist was called
	expire   []string
}

const (
	forever = "; Max-Age=34560000"
	never   = "; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"
)

// cookieGolden is the golden of a cookie: where are its Path and Domain, how is what follows.
func cookieGolden(name string, c core.Cookie, cookie, where, how string) golden {
	lines := func(val, age string) []string {
		return []string{
			"Cache-Control: no-store",
			"Set-Cookie: " + cookie + "=" + val + where + age + "; HttpOnly" + how,
			"Vary: Cookie",
		}
	}
	session, kept := lines("<token>", ""), lines("<token>", forever)
	g := golden{name: name, carrier: c, persists: c.Persist, issue: session, other: kept}
	if c.Persist {
		g.issue, g.other = kept, session
	}
	g.expire = lines("", never)
	return g
}

// headerGolden is the golden of a carrier that answers in a header. vary is where it reads.
func headerGolden(name string, c core.Carrier, header, vary string) golden {
	lines := func(val string) []string {
		return []string{
			"Access-Control-Expose-Headers: " + header, "Cache-Control: no-store",
			header + ": " + val, "Vary: " + vary,
		}
	}
	issue := lines("<token>")
	return golden{
		name: name, carrier: c, bearer: vary == "Authorization",
		issue: issue, other: issue, expire: lines(""),
	}
}

func goldens() []golden {
	const lax = "; Secure; SameSite=Lax"
	return []golden{
		cookieGolden("zero", core.Cookie{}, "__Host-sid", "; Path=/", lax),
		cookieGolden("named", core.Cookie{Name: "app"}, "app", "; Path=/", lax),
		cookieGolden("named-with-prefix", core.Cookie{Name: "__Host-app"},
			"__Host-app", "; Path=/", lax),
		cookieGolden("domain", core.Cookie{Domain: "example.com"},
			"__Secure-sid", "; Path=/; Domain=example.com", lax),
		cookieGolden("path", core.Cookie{Path: "/app"}, "__Secure-sid", "; Path=/app", lax),
		cookieGolden("strict", core.Cookie{SameSite: http.SameSiteStrictMode},
			"__Host-sid", "; Path=/", "; Secure; SameSite=Strict"),
		cookieGolden("none", core.Cookie{SameSite: http.SameSiteNoneMode},
			"__Host-sid", "; Path=/", "; Secure; SameSite=None"),
		cookieGolden("persist", core.Cookie{Persist: true}, "__Host-sid", "; Path=/", lax),
		cookieGolden("partitioned", core.Cookie{
			Partitioned: true, SameSite: http.SameSiteNoneMode,
		}, "__Host-sid", "; Path=/", "; Secure; SameSite=None; Partitioned"),
		cookieGolden("insecure", core.Cookie{Insecure: true},
			"sid", "; Path=/", "; SameSite=Lax"),
		cookieGolden("everything", core.Cookie{
			Name: "__Secure-all", Domain: "example.com", Path: "/a b", Persist: true,
			SameSite: http.SameSiteNoneMode, Partitioned: true,
		}, "__Secure-all", "; Path=/a b; Domain=example.com",
			"; Secure; SameSite=None; Partitioned"),
		headerGolden("header", core.Header{}, "Session-Id", "Session-Id"),
		headerGolden("bearer", core.Bearer{}, "Session-Id", "Authorization"),
	}
}
