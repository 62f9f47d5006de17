package rules

import (
	"maps"
	"slices"
	"strings"
)

// The rooms of the module that are named in a rule.
const (
	module      = "github.com/sessionserverstore/sessionserverstore"
	core        = module + "/core"
	internal    = core + "/internal/"
	sessiontest = core + "/sessiontest"
	examples    = module + "/examples/"
	parity      = module + "/examples/internal/parity"

	testify = "github.com/stretchr/testify"
)

// adapters returns each adapter's import path and the module of its framework.
func adapters() map[string]string {
	return map[string]string{
		module + "/ginsession":   "github.com/gin-gonic/gin",
		module + "/echosession":  "github.com/labstack/echo/v4",
		module + "/fibersession": "github.com/gofiber/fiber/v2",
		module + "/chisession":   "github.com/go-chi/chi/v5",
	}
}

// stores returns each store's import path and the module of its driver.
func stores() map[string]string {
	return map[string]string{
		core + "/redisstore":    "github.com/redis/rueidis",
		core + "/postgresstore": "github.com/jackc/pgx/v5",
		core + "/sqlitestore":   "modernc.org/sqlite",
	}
}

// testRooms are what only tests import, of whoever keeps a store.
func testRooms() []string {
	return []string{
		internal + "faults", internal + "servers", internal + "servers/run", internal + "storesuite",
	}
}

// importRule is a sentence about who imports whom, and what finds its violations.
type importRule struct {
	sentence string
	check    func(graph) []string
}

func importRules() []importRule {
	return []importRule{
		{"every package has a room, and every room is there", roomsAreKnown},
		{"core imports the standard library only", coreImportsStandardOnly},
		{"core/sessiontest imports the standard library and core only", sessiontestImportsCoreOnly},
		{"an adapter imports its framework and core only", adapterImportsItsFramework},
		{"a store imports its driver and core only", storeImportsItsDriver},
		{"core's tests import testify at most", coreTestsImportTestifyAtMost},
		{"a store's tests import no other driver", storeTestsImportItsDriver},
		{"an adapter's tests import no other framework", adapterTestsImportItsFramework},
		{"only tests import core/sessiontest", onlyTestsImportSessiontest},
		{"only tests import the rooms of tests", onlyTestsImportTestRooms},
		{"nobody imports examples/internal/parity", nobodyImportsParity},
	}
}

// roomsAreKnown finds packages that no other rule would look at. Whoever adds a package tells
// here, by adding it, what it may import.
func roomsAreKnown(g graph) []string {
	rooms := append(testRooms(), core, sessiontest, parity)
	rooms = slices.AppendSeq(rooms, maps.Keys(adapters()))
	rooms = slices.AppendSeq(rooms, maps.Keys(stores()))
	slices.Sort(rooms)
	var found []string
	for _, room := range rooms {
		if _, ok := g[room]; !ok {
			found = append(found, short(room)+" is missing")
		}
	}
	for _, path := range g.own() {
		if !slices.Contains(rooms, path) && !inCore(path) && !strings.HasPrefix(path, examples) {
			found = append(found, short(path)+" is no room that the rules know")
		}
	}
	return found
}

func coreImportsStandardOnly(g graph) []string {
	var found []string
	for _, path := range g.own() {
		if inCore(path) {
			found = append(found, g.strangers(path, g[path].Imports, inCore)...)
		}
	}
	return found
}

func sessiontestImportsCoreOnly(g graph) []string {
	return g.strangers(sessiontest, g[sessiontest].Imports, inCore)
}

func adapterImportsItsFramework(g graph) []string { return g.beyond(adapters()) }

func storeImportsItsDriver(g graph) []string { return g.beyond(stores()) }

// beyond returns what rooms import that is neither core nor of the module that each is for.
func (g graph) beyond(rooms map[string]string) []string {
	var found []string
	for room, library := range rooms {
		brought := g.brings(library)
		found = append(found, g.strangers(room, g[room].Imports, func(path string) bool {
			return inCore(path) || brought[path]
		})...)
	}
	slices.Sort(found)
	return found
}

// coreTestsImportTestifyAtMost keeps the go.sum of a module that imports core small: go mod tidy
// follows the tests of imported packages, too.
func coreTestsImportTestifyAtMost(g graph) []string {
	brought := g.brings(testify)
	var found []string
	for _, path := range g.own() {
		if !inCore(path) && !forTests(path) {
			continue
		}
		found = append(found, g.strangers(path, g.withTests(path), func(path string) bool {
			return inCore(path) || forTests(path) || brought[path]
		})...)
	}
	return found
}

// adapterTestsImportItsFramework is stricter than its sentence, for the same reason: nothing but
// the adapter's own framework, testify and core comes in.
func adapterTestsImportItsFramework(g graph) []string { return g.beyondWithTests(adapters()) }

// storeTestsImportItsDriver keeps the go.sum of who uses one store free of the others' drivers.
func storeTestsImportItsDriver(g graph) []string { return g.beyondWithTests(stores()) }

// beyondWithTests is beyond with the rooms' tests, which may import what is for tests besides.
func (g graph) beyondWithTests(rooms map[string]string) []string {
	var found []string
	for room, library := range rooms {
		brought := g.brings(library, testify)
		found = append(found, g.strangers(room, g.withTests(room), func(path string) bool {
			return path == room || forTests(path) || inCore(path) || brought[path]
		})...)
	}
	slices.Sort(found)
	return found
}

func onlyTestsImportSessiontest(g graph) []string {
	var found []string
	for _, path := range g.own() {
		if slices.Contains(g[path].Imports, sessiontest) && !slices.Contains(testRooms(), path) {
			found = append(found, short(path)+" -> "+short(sessiontest))
		}
	}
	return found
}

func onlyTestsImportTestRooms(g graph) []string {
	var found []string
	for _, path := range g.own() {
		for _, room := range testRooms() {
			if slices.Contains(g[path].Imports, room) && !slices.Contains(testRooms(), path) {
				found = append(found, short(path)+" -> "+short(room))
			}
		}
	}
	return found
}

func nobodyImportsParity(g graph) []string {
	var found []string
	for _, path := range g.own() {
		if path != parity && slices.Contains(g.withTests(path), parity) {
			found = append(found, short(path)+" -> "+short(parity))
		}
	}
	return found
}

// inCore reports whether path is core or one of its internal packages that are not for tests.
func inCore(path string) bool {
	return path == core ||
		strings.HasPrefix(path, internal) && !slices.Contains(testRooms(), path)
}

// forTests reports whether path is one of our packages that only tests import.
func forTests(path string) bool {
	return path == sessiontest || slices.Contains(testRooms(), path)
}
