// Package redisstore is being built.
package redisstore

import _ "github.com/redis/rueidis"
