package rules

import (
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
		{"core's tests import testify at most", coreTestsImportTestifyAtMost},
		{"an adapter's tests import no other framework", adapterTestsImportItsFramework},
		{"only tests import core/sessiontest", onlyTestsImportSessiontest},
		{"nobody imports examples/internal/parity", nobodyImportsParity},
	}
}

// roomsAreKnown finds packages that no other rule would look at. Whoever adds a package tells
// here, by adding it, what it may import.
func roomsAreKnown(g graph) []string {
	rooms := []string{core, sessiontest, parity}
	for adapter := range adapters() {
		rooms = append(rooms, adapter)
	}
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

func adapterImportsItsFramework(g graph) []string {
	var found []string
	for adapter, framework := range adapters() {
		brought := g.brings(framework)
		found = append(found, g.strangers(adapter, g[adapter].Imports, func(path string) bool {
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
		if !inCore(path) && path != sessiontest {
			continue
		}
		found = append(found, g.strangers(path, g.withTests(path), func(path string) bool {
			return inCore(path) || path == sessiontest || brought[path]
		})...)
	}
	return found
}

// adapterTestsImportItsFramework is stricter than its sentence, for the same reason: nothing but
// the adapter's own framework, testify and core comes in.
func adapterTestsImportItsFramework(g graph) []string {
	var found []string
	for adapter, framework := range adapters() {
		brought := g.brings(framework, testify)
		found = append(found, g.strangers(adapter, g.withTests(adapter), func(path string) bool {
			return path == adapter || path == sessiontest || inCore(path) || brought[path]
		})...)
	}
	slices.Sort(found)
	return found
}

func onlyTestsImportSessiontest(g graph) []string {
	var found []string
	for _, path := range g.own() {
		if slices.Contains(g[path].Imports, sessiontest) {
			found = append(found, short(path)+" -> "+short(sessiontest))
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

// inCore reports whether path is core or one of its internal packages.
func inCore(path string) bool { return path == core || strings.HasPrefix(path, internal) }
