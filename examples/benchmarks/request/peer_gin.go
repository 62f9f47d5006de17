package request

import (
	"crypto/rand"
	"net/http"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/memstore"
	"github.com/gin-gonic/gin"
)

// A peer's cookie, where it wants to be named, and its age in seconds.
const (
	peerCookie = "session"
	peerMaxAge = 24 * 60 * 60
)

// authenticationKey is what gorilla's stores sign cookies with, of the length that they recommend.
func authenticationKey() []byte {
	key := make([]byte, 64)
	_, _ = rand.Read(key) // never fails, as its documentation says
	return key
}

// ginContrib is gin-contrib/sessions as its README uses it, with a secure cookie.
func ginContrib(want *Expected) (Server, error) {
	store := memstore.NewStore(authenticationKey())
	store.Options(sessions.Options{
		Path: "/", MaxAge: peerMaxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return endless(onGin(sessions.Sessions(peerCookie, store), ginContribVerbs().routes(want))), nil
}

func ginContribVerbs() verbs[*gin.Context] {
	keys := fieldKeys()
	return verbs[*gin.Context]{
		read: func(c *gin.Context) (string, int, error) {
			s := sessions.Default(c)
			name, _ := s.Get(nameKey).(string)
			visits, _ := s.Get(visitsKey).(int)
			return name, visits, nil
		},
		change: func(c *gin.Context) error {
			s := sessions.Default(c)
			visits, _ := s.Get(visitsKey).(int)
			s.Set(visitsKey, visits+1)
			return s.Save()
		},
		create: func(c *gin.Context, name string, visits int) error {
			s := sessions.Default(c)
			s.Set(nameKey, name)
			s.Set(visitsKey, visits)
			return s.Save()
		},
		fill: func(c *gin.Context, name string, visits int, fields []string) error {
			s := sessions.Default(c)
			s.Set(nameKey, name)
			s.Set(visitsKey, visits)
			for i, key := range keys {
				s.Set(key, fields[i])
			}
			return s.Save()
		},
		fields: func(c *gin.Context) ([]string, error) {
			s := sessions.Default(c)
			var fields []string
			for _, key := range keys {
				field, _ := s.Get(key).(string)
				fields = append(fields, field)
			}
			return fields, nil
		},
	}
}
