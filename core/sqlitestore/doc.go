// Package sqlitestore is being built.
package sqlitestore

import _ "modernc.org/sqlite"
