package request

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request/floor"
)

// tiring builds a floor that stops to do its work after so many requests.
func tiring(requests int, tire func(v *verbs[*http.Request])) Contestant {
	build := func(want *Expected) (Server, error) {
		fresh := plainVerbs(floor.PlainOf)
		tired := fresh
		tire(&tired)
		now := func() verbs[*http.Request] {
			if requests--; requests < 0 {
				return tired
			}
			return fresh
		}
		v := fresh
		v.change = func(r *http.Request) error { return now().change(r) }
		v.create = func(r *http.Request, name string, visits int) error {
			return now().create(r, name, visits)
		}
		v.read = func(r *http.Request) (string, int, error) { return now().read(r) }
		return endless(onHTTP(floor.NewPlain().HTTP, v.routes(want))), nil
	}
	return Contestant{Framework: NetHTTP, Name: "tiring", build: build}
}

func scenario(t *testing.T, name string) Scenario {
	for _, s := range Scenarios() {
		if s.Name == name {
			return s
		}
	}
	require.Fail(t, "no such scenario", name)
	return Scenario{}
}

// Proofs come before the measurement; this is for who passes them and saves itself work later.
func TestWhoTiresDuringTheMeasurementIsFoundOut(t *testing.T) {
	for name, tire := range map[string]func(*verbs[*http.Request]){
		"read":   func(v *verbs[*http.Request]) { v.read = readNothing },
		"change": func(v *verbs[*http.Request]) { v.change = func(*http.Request) error { return nil } },
		"create": func(v *verbs[*http.Request]) {
			v.create = func(*http.Request, string, int) error { return nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Rounds: 3, Slice: time.Millisecond}
			contestants := []Contestant{tiring(50, tire)}
			_, err := play(t.Context(), cfg, scenario(t, name), contestants)
			require.ErrorContains(t, err, "tiring")
		})
	}
}

func readNothing(*http.Request) (string, int, error) { return "", 0, nil }
