package request

import (
	"slices"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request/floor"
)

// plainVerbs uses a session of the floor, which get finds in a framework's context.
func plainVerbs[C any](get func(C) *floor.PlainVisit) verbs[C] {
	return verbs[C]{
		read: func(c C) (string, int, error) {
			values := get(c).Values()
			if values == nil {
				return "", 0, nil
			}
			return values.Name, values.Visits, nil
		},
		change: func(c C) error {
			if values := get(c).Values(); values != nil {
				values.Visits++
			}
			return nil
		},
		create: func(c C, name string, visits int) error {
			get(c).Begin(floor.Values{Name: name, Visits: visits})
			return nil
		},
		fill: func(c C, name string, visits int, fields []string) error {
			get(c).Begin(floor.Values{Name: name, Visits: visits, Fields: fields})
			return nil
		},
		fields: func(c C) ([]string, error) {
			values := get(c).Values()
			if values == nil {
				return nil, nil
			}
			return slices.Clone(values.Fields), nil
		},
	}
}

func plainNetHTTP(want *Expected) (Server, error) {
	return endless(onHTTP(floor.NewPlain().HTTP, plainVerbs(floor.PlainOf).routes(want))), nil
}

func plainChi(want *Expected) (Server, error) {
	return endless(onChi(floor.NewPlain().HTTP, plainVerbs(floor.PlainOf).routes(want))), nil
}

func plainGin(want *Expected) (Server, error) {
	return endless(onGin(floor.NewPlain().Gin, plainVerbs(floor.PlainOfGin).routes(want))), nil
}

func plainEcho(want *Expected) (Server, error) {
	return endless(onEcho(floor.NewPlain().Echo, plainVerbs(floor.PlainOfEcho).routes(want))), nil
}

func plainFiber2(want *Expected) (Server, error) {
	return endless(onFiber2(floor.NewPlain().Fiber, plainVerbs(floor.PlainOfFiber).routes(want))), nil
}
