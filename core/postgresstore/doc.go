// Package postgresstore is being built.
package postgresstore

import _ "github.com/jackc/pgx/v5/pgxpool"
