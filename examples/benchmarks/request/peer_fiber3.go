package request

import (
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/extractors"
	"github.com/gofiber/fiber/v3/middleware/session"
)

// fiber3Session is fiber v3's session middleware in what its documentation calls the recommended
// pattern and the production configuration, with its memory storage. It saves by itself.
func fiber3Session(want *Expected) (Server, error) {
	mw, store := session.NewWithStore(session.Config{
		CookieSecure:    true,
		CookieHTTPOnly:  true,
		CookieSameSite:  "Lax",
		IdleTimeout:     30 * time.Minute,
		AbsoluteTimeout: 24 * time.Hour,
		Extractor:       extractors.FromCookie("__Host-session_id"),
	})
	return closing(onFiber3(mw, fiber3Verbs().routes(want)), store.Storage.Close), nil
}

func fiber3Verbs() verbs[fiber.Ctx] {
	keys := fieldKeys()
	return verbs[fiber.Ctx]{
		read: func(c fiber.Ctx) (string, int, error) {
			s := session.FromContext(c)
			name, _ := s.Get(nameKey).(string)
			visits, _ := s.Get(visitsKey).(int)
			return name, visits, nil
		},
		change: func(c fiber.Ctx) error {
			s := session.FromContext(c)
			visits, _ := s.Get(visitsKey).(int)
			s.Set(visitsKey, visits+1)
			return nil
		},
		create: func(c fiber.Ctx, name string, visits int) error {
			s := session.FromContext(c)
			s.Set(nameKey, name)
			s.Set(visitsKey, visits)
			return nil
		},
		fill: func(c fiber.Ctx, name string, visits int, fields []string) error {
			s := session.FromContext(c)
			s.Set(nameKey, name)
			s.Set(visitsKey, visits)
			for i, key := range keys {
				s.Set(key, fields[i])
			}
			return nil
		},
		fields: func(c fiber.Ctx) ([]string, error) {
			s := session.FromContext(c)
			var fields []string
			for _, key := range keys {
				field, _ := s.Get(key).(string)
				fields = append(fields, field)
			}
			return fields, nil
		},
	}
}
