package request

import (
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
)

// scsChi is scs as its README uses it, with a secure cookie. Its store does not sweep: it would
// once a minute, which no slice lasts, in a goroutine that cannot be ended without a data race.
func scsChi(want *Expected) (Server, error) {
	sessions := scs.New()
	sessions.Store = memstore.NewWithCleanupInterval(0)
	sessions.Lifetime = 24 * time.Hour
	sessions.Cookie.Secure = true
	return endless(onChi(sessions.LoadAndSave, scsVerbs(sessions).routes(want))), nil
}

func scsVerbs(sessions *scs.SessionManager) verbs[*http.Request] {
	keys := fieldKeys()
	create := func(r *http.Request, name string, visits int) error {
		sessions.Put(r.Context(), nameKey, name)
		sessions.Put(r.Context(), visitsKey, visits)
		return nil
	}
	return verbs[*http.Request]{
		read: func(r *http.Request) (string, int, error) {
			ctx := r.Context()
			return sessions.GetString(ctx, nameKey), sessions.GetInt(ctx, visitsKey), nil
		},
		change: func(r *http.Request) error {
			ctx := r.Context()
			sessions.Put(ctx, visitsKey, sessions.GetInt(ctx, visitsKey)+1)
			return nil
		},
		create: create,
		fill: func(r *http.Request, name string, visits int, fields []string) error {
			for i, key := range keys {
				sessions.Put(r.Context(), key, fields[i])
			}
			return create(r, name, visits)
		},
		fields: func(r *http.Request) ([]string, error) {
			var fields []string
			for _, key := range keys {
				fields = append(fields, sessions.GetString(r.Context(), key))
			}
			return fields, nil
		},
	}
}
