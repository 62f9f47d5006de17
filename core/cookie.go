package core

import (
	"cmp"
	"net/http"
	"strings"
	"time"
)

const (
	prefixHost   = "__Host-"
	prefixSecure = "__Secure-"

	// maxCookies is how many cookies net/http reads of a request; above it, it reads none.
	maxCookies = 3000
	// maxCookieAge is what browsers clamp Max-Age to (RFC 6265bis, 5.5): 400 days.
	maxCookieAge = 400 * 24 * time.Hour
)

// A Cookie carries the token in a cookie. The zero Cookie is the strictest there is:
//
//	__Host-sid=…; Path=/; HttpOnly; Secure; SameSite=Lax
//
// It ends with the browser, as NIST SP 800-63B and OWASP advise. A cookie is only sent when the
// token changes; the idle timeout is the server's to judge. HttpOnly is always set.
type Cookie struct {
	// Name of the cookie, matched exactly. "" means sid, with the strongest prefix that the other
	// fields allow: __Host-sid, __Secure-sid or sid.
	Name string
	// Domain shares the cookie with all subdomains. "" means with none, which is safer.
	Domain string
	// Path that the cookie is sent to; "" means "/". A narrower one is no protection.
	Path string
	// SameSite is Lax if zero. None lets other sites' requests carry the cookie.
	SameSite http.SameSite
	// Persist keeps the cookie when the browser ends, for what is left of Lifetime (400 days where
	// that is Never). Session.Persist overrules it.
	Persist bool
	// Partitioned gives each top-level site that embeds this one its own cookie (CHIPS). Turning it
	// on or off should come with another Name.
	Partitioned bool
	// Insecure lets the cookie travel over plain HTTP, where anybody on the way can read and set
	// it. Browsers accept Secure cookies from localhost, so development seldom needs it.
	Insecure bool
}

// withDefaults puts in what zero means.
func (c Cookie) withDefaults() Cookie {
	if c.Path == "" {
		c.Path = "/"
	}
	if c.SameSite == 0 {
		c.SameSite = http.SameSiteLaxMode
	}
	if c.Name == "" {
		switch {
		case c.Insecure:
			c.Name = "sid"
		case c.Domain == "" && c.Path == "/":
			c.Name = prefixHost + "sid"
		default:
			c.Name = prefixSecure + "sid"
		}
	}
	return c
}

func (c Cookie) check(f *faults) {
	c = c.withDefaults()
	// The prefixes are the browser's promise that nobody else set the cookie; it folds case, and
	// refuses a cookie that does not keep the conditions (RFC 6265bis, 4.1.3).
	lower := strings.ToLower(c.Name)
	host := strings.HasPrefix(lower, "__host-")
	secure := host || strings.HasPrefix(lower, "__secure-") || strings.HasPrefix(lower, "__http-")
	f.add(host && c.Domain != "", "Carrier.Domain", "is set, which the prefix __Host- forbids")
	f.add(host && c.Path != "/", "Carrier.Path", "is not /, which the prefix __Host- demands")
	f.add(secure && c.Insecure, "Carrier.Insecure", "is set, which the prefix of Name forbids")
	f.add(host && !strings.HasPrefix(c.Name, prefixHost) ||
		strings.HasPrefix(lower, "__secure-") && !strings.HasPrefix(c.Name, prefixSecure),
		"Carrier.Name", "has a prefix in other letters than __Host- or __Secure-")
	f.add(c.Partitioned && c.Insecure, "Carrier.Partitioned", "is set together with Insecure")
	f.add(c.SameSite == http.SameSiteNoneMode && c.Insecure,
		"Carrier.SameSite", "is None together with Insecure")
	f.add(c.SameSite < http.SameSiteLaxMode || c.SameSite > http.SameSiteNoneMode,
		"Carrier.SameSite", "is none of Lax, Strict and None")
	f.add(c.Path[0] != '/', "Carrier.Path", "does not begin with /")
	// Browsers drop a cookie of more than 4096 bytes, and ignore an attribute of more than 1024.
	f.add(len(c.Name)+TokenLength > 4096, "Carrier.Name", "is too long for a cookie")
	f.add(len(c.Path) > 1024, "Carrier.Path", "is longer than 1024 bytes")
	f.add(len(c.Domain) > 253, "Carrier.Domain", "is longer than a host name can be")
	c.checkSyntax(f)
}

// checkSyntax asks net/http, one field at a time, so that each fault is named.
func (c Cookie) checkSyntax(f *faults) {
	name := http.Cookie{Name: c.Name}
	path := http.Cookie{Name: "x", Path: c.Path}
	host := http.Cookie{Name: "x", Domain: c.Domain}
	f.add(name.Valid() != nil, "Carrier.Name", "is not a cookie's name")
	f.add(path.Valid() != nil, "Carrier.Path", "is not a path")
	f.add(host.Valid() != nil, "Carrier.Domain", "is not a domain")
}

func (c Cookie) flatten(list []carrier) []carrier {
	ready := &cookieCarrier{Cookie: c.withDefaults()}
	_, ready.attributes, _ = strings.Cut(ready.cookie("").String(), "=")
	return append(list, ready)
}

// A cookieCarrier is a Cookie made ready.
type cookieCarrier struct {
	Cookie
	attributes string // of a cookie that does not persist, as they follow its value
}

func (*cookieCarrier) vary() string  { return "Cookie" }
func (c *cookieCarrier) key() string { return "the cookie " + c.Name }

// collect scans the Cookie lines itself, so that all frameworks agree on what is in them.
func (c *cookieCarrier) collect(request RequestHeader, f found) found {
	lines := request.Values("Cookie")
	if tooMany(lines) {
		return f
	}
	first, differ := "", false
	for _, line := range lines {
		for rest, more := line, true; more; {
			var pair string
			pair, rest, more = strings.Cut(rest, ";")
			name, value, _ := strings.Cut(pair, "=")
			if trimBlanks(name) != c.Name {
				continue
			}
			value = unquote(trimBlanks(value))
			f.see(value)
			differ = differ || first != "" && value != "" && value != first
			first = cmp.Or(first, value)
		}
	}
	if differ && strings.HasPrefix(c.Name, prefixHost) {
		f.heal.put(f.carrier)
	}
	return f
}

// tooMany reports whether there are more cookies than net/http reads.
func tooMany(lines []string) bool {
	most := len(lines) // and one more for each semicolon
	for _, line := range lines {
		most += len(line)
	}
	if most <= maxCookies {
		return false
	}
	count := len(lines)
	for _, line := range lines {
		count += strings.Count(line, ";")
	}
	return count > maxCookies
}

// unquote strips one pair of quotes, as net/http does.
func unquote(s string) string {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

func (c *cookieCarrier) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: c.Name, Value: value, Path: c.Path, Domain: c.Domain, SameSite: c.SameSite,
		Secure: !c.Insecure, HttpOnly: true, Partitioned: c.Partitioned,
	}
}

func (c *cookieCarrier) issue(
	response ResponseHeader, token string, persist *bool, maxAge moment,
) {
	if persist == nil && !c.Persist || persist != nil && !*persist {
		response.Add("Set-Cookie", c.Name+"="+token+c.attributes)
		return
	}
	limit := moment(maxCookieAge.Milliseconds())
	if maxAge == noMoment || maxAge > limit {
		maxAge = limit
	}
	cookie := c.cookie(token)
	cookie.MaxAge = int((maxAge + 999) / 1000) // a second too long does no harm, the server judges
	response.Add("Set-Cookie", cookie.String())
}

// expire repeats all that makes a cookie the same one to a browser.
func (c *cookieCarrier) expire(response ResponseHeader) {
	cookie := c.cookie("")
	cookie.MaxAge = -1
	cookie.Expires = time.Unix(1, 0)
	response.Add("Set-Cookie", cookie.String())
}

// heal expires our own cookie and its partitioned twin, which are the only two that can bear a name
// with the prefix __Host-. A new cookie in the same response replaces the one of its own kind.
func (c *cookieCarrier) heal(response ResponseHeader, reissued bool) {
	if !reissued {
		c.expire(response)
	}
	twin := *c
	twin.Partitioned = !c.Partitioned
	twin.expire(response)
}
