// Package shared measures the stores that several nodes share, or that a restart survives: Redis,
// Valkey, PostgreSQL and SQLite, each beside the plainest statements that would do, through the
// same client on the same server, and beside another library's store.
//
// The servers are started on this machine for it, and what of them is not there is left out. Every
// contestant must first pass Prove, so that nobody is fast by not doing the work, and what it reads
// is checked while it is measured.
package shared
