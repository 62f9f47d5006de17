package request

import (
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/chisession"
	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/echosession"
	"github.com/sessionserverstore/sessionserverstore/fibersession"
	"github.com/sessionserverstore/sessionserverstore/ginsession"
)

// ourVerbs uses a session of this library, which get finds in a framework's context.
func ourVerbs[C any](get func(C) *core.Session) verbs[C] {
	name := core.NewValue[string](nameKey)
	visits := core.NewValue[int](visitsKey)
	var fields []core.Value[string]
	for _, key := range fieldKeys() {
		fields = append(fields, core.NewValue[string](key))
	}
	return verbs[C]{
		read: func(c C) (string, int, error) {
			s := get(c)
			who, _ := name.Get(s)
			n, _ := visits.Get(s)
			return who, n, nil
		},
		change: func(c C) error {
			visits.Update(get(c), func(n int) int { return n + 1 })
			return nil
		},
		create: func(c C, who string, n int) error {
			s := get(c)
			name.Set(s, who)
			visits.Set(s, n)
			return nil
		},
		fill: func(c C, who string, n int, texts []string) error {
			s := get(c)
			name.Set(s, who)
			visits.Set(s, n)
			for i, field := range fields {
				field.Set(s, texts[i])
			}
			return nil
		},
		fields: func(c C) ([]string, error) {
			var texts []string
			for _, field := range fields {
				text, _ := field.Get(get(c))
				texts = append(texts, text)
			}
			return texts, nil
		},
	}
}

// withManager builds a server of this library and lets it end its Manager.
func withManager(build func(*core.Manager) server) (Server, error) {
	manager, err := core.New(core.Config{})
	if err != nil {
		return nil, err
	}
	return closing(build(manager), manager.Close), nil
}

func ourNetHTTP(want *Expected) (Server, error) {
	get := func(r *http.Request) *core.Session {
		s, _ := core.FromContext(r.Context())
		return s
	}
	return withManager(func(m *core.Manager) server {
		return onHTTP(m.Handler, ourVerbs(get).routes(want))
	})
}

func ourChi(want *Expected) (Server, error) {
	return withManager(func(m *core.Manager) server {
		return onChi(chisession.New(m), ourVerbs(chisession.Get).routes(want))
	})
}

func ourGin(want *Expected) (Server, error) {
	return withManager(func(m *core.Manager) server {
		return onGin(ginsession.New(m), ourVerbs(ginsession.Get).routes(want))
	})
}

func ourEcho(want *Expected) (Server, error) {
	return withManager(func(m *core.Manager) server {
		return onEcho(echosession.New(m), ourVerbs(echosession.Get).routes(want))
	})
}

func ourFiber2(want *Expected) (Server, error) {
	return withManager(func(m *core.Manager) server {
		return onFiber2(fibersession.New(m), ourVerbs(fibersession.Get).routes(want))
	})
}
