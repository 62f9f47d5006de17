// Package browser holds what only a real browser can tell of the example programs: which cookies it
// takes, keeps and sends, what its back button shows, what becomes of a session when tabs, page
// scripts, other ports and other sites meddle with it, and whether two nodes of different
// frameworks, behind one cookie, are one site. Nothing imports it.
//
// Its tests build the programs, start them as a user would, and visit them with Chromium. Where
// there is none they are skipped, as are those that need Redis or PostgreSQL where that is missing;
// with SESSIONSERVERSTORE_INSTALL=1 they install Debian's, which takes root, and nothing is
// skipped. All share one browser process, each with profiles of its own.
package browser
