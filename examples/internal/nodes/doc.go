// Package nodes holds the test of the example programs as nodes of one site: programs of all four
// frameworks, each a process of its own, share one store and with it each visitor's session.
// Nothing imports it.
//
// Redis, Valkey and PostgreSQL are real servers. Those that are not installed are skipped; with
// SESSIONSERVERSTORE_INSTALL=1 they are installed, and nothing is skipped.
package nodes
