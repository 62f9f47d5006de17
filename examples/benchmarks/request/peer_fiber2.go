package request

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/session"
)

// fiber2Session is fiber v2's session middleware as its documentation uses it: handlers ask the
// store. The cookie is a secure one.
func fiber2Session(want *Expected) (Server, error) {
	store := session.New(session.Config{
		Expiration: 24 * time.Hour, CookieSecure: true, CookieHTTPOnly: true, CookieSameSite: "Lax",
	})
	return closing(onFiber2(nil, fiber2Verbs(store).routes(want)), store.Storage.Close), nil
}

func fiber2Verbs(store *session.Store) verbs[*fiber.Ctx] {
	keys := fieldKeys()
	return verbs[*fiber.Ctx]{
		read: func(c *fiber.Ctx) (string, int, error) {
			s, err := store.Get(c)
			if err != nil {
				return "", 0, err
			}
			name, _ := s.Get(nameKey).(string)
			visits, _ := s.Get(visitsKey).(int)
			return name, visits, nil
		},
		change: func(c *fiber.Ctx) error {
			s, err := store.Get(c)
			if err != nil {
				return err
			}
			visits, _ := s.Get(visitsKey).(int)
			s.Set(visitsKey, visits+1)
			return s.Save()
		},
		create: func(c *fiber.Ctx, name string, visits int) error {
			s, err := store.Get(c)
			if err != nil {
				return err
			}
			s.Set(nameKey, name)
			s.Set(visitsKey, visits)
			return s.Save()
		},
		fill: func(c *fiber.Ctx, name string, visits int, fields []string) error {
			s, err := store.Get(c)
			if err != nil {
				return err
			}
			s.Set(nameKey, name)
			s.Set(visitsKey, visits)
			for i, key := range keys {
				s.Set(key, fields[i])
			}
			return s.Save()
		},
		fields: func(c *fiber.Ctx) ([]string, error) {
			s, err := store.Get(c)
			if err != nil {
				return nil, err
			}
			var fields []string
			for _, key := range keys {
				field, _ := s.Get(key).(string)
				fields = append(fields, field)
			}
			return fields, nil
		},
	}
}
