package request

import (
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request/floor"
)

// guardedVerbs uses a session of the guarded floor, which get finds in a framework's context.
func guardedVerbs[C any](get func(C) *floor.Visit) verbs[C] {
	return verbs[C]{
		read: func(c C) (string, int, error) {
			v := get(c)
			return v.Name(), v.Visits(), nil
		},
		change: func(c C) error {
			get(c).CountVisit()
			return nil
		},
		create: func(c C, name string, visits int) error {
			return get(c).Begin(floor.Values{Name: name, Visits: visits})
		},
		fill: func(c C, name string, visits int, fields []string) error {
			return get(c).Begin(floor.Values{Name: name, Visits: visits, Fields: fields})
		},
		fields: func(c C) ([]string, error) { return get(c).Fields(), nil },
	}
}

func guardedOf(r *http.Request) *floor.Visit { return floor.From(r.Context()) }

func guardedNetHTTP(want *Expected) (Server, error) {
	return endless(onHTTP(floor.NewGuarded().HTTP, guardedVerbs(guardedOf).routes(want))), nil
}

func guardedChi(want *Expected) (Server, error) {
	return endless(onChi(floor.NewGuarded().HTTP, guardedVerbs(guardedOf).routes(want))), nil
}

func guardedGin(want *Expected) (Server, error) {
	return endless(onGin(floor.NewGuarded().Gin, guardedVerbs(floor.OfGin).routes(want))), nil
}

func guardedEcho(want *Expected) (Server, error) {
	return endless(onEcho(floor.NewGuarded().Echo, guardedVerbs(floor.OfEcho).routes(want))), nil
}

func guardedFiber2(want *Expected) (Server, error) {
	return endless(onFiber2(floor.NewGuarded().Fiber, guardedVerbs(floor.OfFiber).routes(want))), nil
}
