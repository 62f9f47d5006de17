package request

import (
	"net/http"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo-contrib/session"
	"github.com/labstack/echo/v4"
	"github.com/quasoft/memstore"
)

// echoContrib is echo-contrib/session as echo's documentation uses it, with gorilla's memory store
// in place of its cookie store, and a secure cookie.
func echoContrib(want *Expected) (Server, error) {
	store := memstore.NewMemStore(authenticationKey())
	store.MaxAge(peerMaxAge)
	store.Options = &sessions.Options{
		Path: "/", MaxAge: peerMaxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	return endless(onEcho(session.Middleware(store), echoContribVerbs().routes(want))), nil
}

func echoContribVerbs() verbs[echo.Context] {
	keys := fieldKeys()
	return verbs[echo.Context]{
		read: func(c echo.Context) (string, int, error) {
			s, err := session.Get(peerCookie, c)
			if err != nil {
				return "", 0, err
			}
			name, _ := s.Values[nameKey].(string)
			visits, _ := s.Values[visitsKey].(int)
			return name, visits, nil
		},
		change: func(c echo.Context) error {
			s, err := session.Get(peerCookie, c)
			if err != nil {
				return err
			}
			visits, _ := s.Values[visitsKey].(int)
			s.Values[visitsKey] = visits + 1
			return s.Save(c.Request(), c.Response())
		},
		create: func(c echo.Context, name string, visits int) error {
			s, err := session.Get(peerCookie, c)
			if err != nil {
				return err
			}
			s.Values[nameKey] = name
			s.Values[visitsKey] = visits
			return s.Save(c.Request(), c.Response())
		},
		fill: func(c echo.Context, name string, visits int, fields []string) error {
			s, err := session.Get(peerCookie, c)
			if err != nil {
				return err
			}
			s.Values[nameKey] = name
			s.Values[visitsKey] = visits
			for i, key := range keys {
				s.Values[key] = fields[i]
			}
			return s.Save(c.Request(), c.Response())
		},
		fields: func(c echo.Context) ([]string, error) {
			s, err := session.Get(peerCookie, c)
			if err != nil {
				return nil, err
			}
			var fields []string
			for _, key := range keys {
				field, _ := s.Values[key].(string)
				fields = append(fields, field)
			}
			return fields, nil
		},
	}
}
