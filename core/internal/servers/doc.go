// Package servers finds, installs, starts and harms real servers for tests: Redis, Valkey and
// PostgreSQL, alone and in company. Only tests import it.
//
// Each server has a free port of 127.0.0.1 and a directory of its own. It ends with its test, or
// with the test's process however that ends, a kill -9 included.
//
// A server that is not installed skips the test, loudly and with a count. With the environment
// variable SESSIONSERVERSTORE_INSTALL=1 it is installed (Debian's packages, by apt-get as root; no
// service is started), and what is missing even then fails the test.
//
// Functions that take a testing.TB end the test when they fail, so they belong into the test's own
// goroutine. Methods of servers that take none may be called from any goroutine, and mark the test
// as failed where they return no error.
package servers
