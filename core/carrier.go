package core

import (
	"slices"
	"strings"
)

// A RequestHeader is what core reads of a request. http.Header is one.
type RequestHeader interface {
	// Values returns the values of all header lines of that name, one element a line. The name is
	// in canonical form. Slice and strings must be valid until the next call, and until Begin
	// returns.
	Values(name string) []string
}

// A ResponseHeader is what core writes of a response. http.Header is one. Core adds lines to
// Set-Cookie and never reads or removes any.
type ResponseHeader interface {
	// Values returns the values of all header lines of that name so far.
	Values(name string) []string
	// Add adds a line.
	Add(name, value string)
	// Set replaces all lines of that name by one.
	Set(name, value string)
}

// A Carrier takes tokens between client and server in HTTP headers: Cookie, Header, Bearer, or
// several in Carriers. There are no others.
type Carrier interface {
	// check adds what is wrong with the carrier's settings.
	check(f *faults)
	// flatten appends the carriers, ready to use.
	flatten(list []carrier) []carrier
}

// A carrier is one Carrier made ready.
type carrier interface {
	// collect adds to found what the request holds. It is given a copy, and returns one, so that
	// nothing has to be kept on the heap.
	collect(request RequestHeader, found found) found
	// vary is the request header that it reads.
	vary() string
	// issue hands out a token. persist is what Session.Persist was called with, if it was; maxAge
	// is what is left of the lifetime, for persistent cookies.
	issue(response ResponseHeader, token string, persist *bool, maxAge moment)
	// expire tells the client to forget its token.
	expire(response ResponseHeader)
	// heal removes the carrier's own cookie and its twin, where that is safe; reissued says that
	// this response carries a new token.
	heal(response ResponseHeader, reissued bool)
	// key is the same for two carriers that would read the same token twice.
	key() string
}

// A carrierSet marks carriers by their position.
type carrierSet uint16

const maxCarriers = 16

func (s carrierSet) has(i int) bool { return s&(1<<i) != 0 }
func (s *carrierSet) put(i uint8)   { *s |= 1 << i }

// sent tells which carriers of a request held what.
type sent struct {
	present   carrierSet // those whose own name is there, even with nothing in it
	presented carrierSet // those that hold something
	heal      carrierSet // cookies that hold different values though nobody else can set them
}

// found is what a request holds, over all carriers. The token is the request's own string, and a
// secret.
type found struct {
	sent
	carrier  uint8  // the one that is looking
	distinct uint8  // different values, whether tokens or not; of more than two, two
	token    string // the first of them
}

// see notes one value; an empty one only shows that the name is there.
func (f *found) see(value string) {
	f.present.put(f.carrier)
	if value == "" {
		return
	}
	f.presented.put(f.carrier)
	if f.distinct == 0 || f.distinct == 1 && value != f.token {
		f.distinct++
	}
	if f.distinct == 1 {
		f.token = value
	}
}

// Carriers makes one carrier of several. A token is taken from whichever holds one; if they
// disagree, the request has no session. A new token goes out through every carrier that held one,
// else through the first whose name is in the request, else through the first.
func Carriers(c ...Carrier) Carrier { return carriers(slices.Clone(c)) }

type carriers []Carrier

func (c carriers) check(f *faults) {
	f.add(len(c) == 0, "Carrier", "has no carriers")
	seen := map[string]bool{}
	for _, one := range c {
		if one == nil {
			f.add(true, "Carrier", "has a nil carrier")
			continue
		}
		one.check(f)
	}
	list := c.flatten(nil)
	f.add(len(list) > maxCarriers, "Carrier", "has more than 16 carriers")
	for _, one := range list {
		f.add(seen[one.key()], "Carrier", "has two that read "+one.key())
		seen[one.key()] = true
	}
}

func (c carriers) flatten(list []carrier) []carrier {
	for _, one := range c {
		if one != nil {
			list = one.flatten(list)
		}
	}
	return list
}

// varyOf lists the request headers that the carriers read, each once.
func varyOf(list []carrier) []string {
	var names []string
	for _, c := range list {
		if !slices.Contains(names, c.vary()) {
			names = append(names, c.vary())
		}
	}
	return names
}

// addToList adds an element to a header whose value is a comma-separated list, unless it is there.
func addToList(response ResponseHeader, name, element string) {
	lines := response.Values(name)
	if len(lines) == 0 {
		response.Set(name, element)
		return
	}
	for _, line := range lines {
		for rest, more := line, true; more; {
			var one string
			one, rest, more = strings.Cut(rest, ",")
			one = trimBlanks(one)
			if one == "*" && name == "Vary" || strings.EqualFold(one, element) {
				return
			}
		}
	}
	response.Add(name, element)
}

// trimBlanks removes spaces and tabs at both ends and nothing else: a Unicode space before a
// cookie's name would else let a sibling domain toss a cookie past its __Host- prefix.
func trimBlanks(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
