package rules

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestImportRulesCatch breaks each import rule in a small module that is otherwise in order.
func TestImportRulesCatch(t *testing.T) {
	const (
		gin  = module + "/ginsession"
		chi  = module + "/chisession"
		deep = internal + "clock"

		redis  = core + "/redisstore"
		sqlite = core + "/sqlitestore"
	)
	for _, c := range []struct {
		name string
		do   func(graph)
		rule string
		want string
	}{
		{"a room is missing", func(g graph) { delete(g, gin) },
			"every package has a room, and every room is there",
			"ginsession is missing"},
		{"a package without rules", func(g graph) { g[core+"/diskstore"] = pkg{} },
			"every package has a room, and every room is there",
			"core/diskstore is no room that the rules know"},
		{"core imports a library", imports(core, "example.com/uuid"),
			"core imports the standard library only",
			"core -> example.com/uuid"},
		{"core imports an adapter", imports(core, gin),
			"core imports the standard library only",
			"core -> ginsession"},
		{"core imports a library behind an internal package", func(g graph) {
			imports(core, deep)(g)
			g[deep] = pkg{Imports: []string{"time", "example.com/uuid"}}
		}, "core imports the standard library only",
			"core -> core/internal/clock -> example.com/uuid; core/internal/clock -> example.com/uuid"},
		{"cgo", imports(core, "C"),
			"core imports the standard library only",
			"core -> C"},
		{"sessiontest imports testify", imports(sessiontest, testify+"/require"),
			"core/sessiontest imports the standard library and core only",
			"core/sessiontest -> github.com/stretchr/testify/require"},
		{"an adapter imports another framework", imports(chi, "github.com/gin-gonic/gin"),
			"an adapter imports its framework and core only",
			"chisession -> github.com/gin-gonic/gin"},
		{"an adapter imports another adapter", imports(chi, gin),
			"an adapter imports its framework and core only",
			"chisession -> ginsession"},
		{"an adapter imports a library of its own", imports(gin, "example.com/uuid"),
			"an adapter imports its framework and core only",
			"ginsession -> example.com/uuid"},
		{"a store imports another store's driver", imports(sqlite, stores()[redis]),
			"a store imports its driver and core only",
			"core/sqlitestore -> github.com/redis/rueidis"},
		{"a store imports another store", imports(sqlite, redis),
			"a store imports its driver and core only",
			"core/sqlitestore -> core/redisstore"},
		{"core imports a store", imports(core, redis),
			"core imports the standard library only",
			"core -> core/redisstore"},
		{"core imports a room of tests", imports(core, internal+"servers"),
			"core imports the standard library only",
			"core -> core/internal/servers"},
		{"a store imports a room of tests", imports(redis, internal+"servers"),
			"only tests import the rooms of tests",
			"core/redisstore -> core/internal/servers"},
		{"a store's test imports another store's driver", testImports(sqlite, stores()[redis]),
			"a store's tests import no other driver",
			"core/sqlitestore -> github.com/redis/rueidis"},
		{"a store's external test imports another store", externalTestImports(sqlite, redis),
			"a store's tests import no other driver",
			"core/sqlitestore -> core/redisstore"},
		{"a room of tests imports a driver", imports(internal+"servers", stores()[redis]),
			"core's tests import testify at most",
			"core -> core/internal/storesuite -> core/internal/servers -> " +
				"github.com/redis/rueidis; core/internal/servers -> github.com/redis/rueidis; " +
				"core/internal/servers/run -> core/internal/servers -> " +
				"github.com/redis/rueidis; core/internal/storesuite -> core/internal/servers -> github.com/redis/rueidis"},
		{"core's test imports a framework", testImports(core, "github.com/gin-gonic/gin"),
			"core's tests import testify at most",
			"core -> github.com/gin-gonic/gin"},
		{"core's external test imports an adapter", externalTestImports(core, chi),
			"core's tests import testify at most",
			"core -> chisession"},
		{"sessiontest's test imports a framework",
			externalTestImports(sessiontest, "github.com/go-chi/chi/v5"),
			"core's tests import testify at most",
			"core/sessiontest -> github.com/go-chi/chi/v5"},
		{"an adapter's test imports another framework",
			testImports(chi, "github.com/gin-gonic/gin"),
			"an adapter's tests import no other framework",
			"chisession -> github.com/gin-gonic/gin"},
		{"an adapter's external test imports parity, and with it everything",
			externalTestImports(gin, parity),
			"an adapter's tests import no other framework",
			"ginsession -> examples/internal/parity"},
		{"an example imports sessiontest", imports(module+"/examples/shop", sessiontest),
			"only tests import core/sessiontest",
			"examples/shop -> core/sessiontest"},
		{"an example imports parity", imports(module+"/examples/shop", parity),
			"nobody imports examples/internal/parity",
			"examples/shop -> examples/internal/parity"},
		{"an example's test imports parity", testImports(module+"/examples/shop", parity),
			"nobody imports examples/internal/parity",
			"examples/shop -> examples/internal/parity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := soundModule()
			c.do(g)
			require.Equal(t, c.want, strings.Join(ruleNamed(t, c.rule).check(g), "; "))
		})
	}
}

func TestImportRulesPassASoundModule(t *testing.T) {
	for _, rule := range importRules() {
		t.Run(rule.sentence, func(t *testing.T) {
			require.Empty(t, rule.check(soundModule()))
		})
	}
}

func TestGraphLeavesOutTestVariants(t *testing.T) {
	g, err := decodeGraph(strings.NewReader(`
		{"ImportPath": "errors", "Standard": true}
		{"ImportPath": "example.com/a", "Imports": ["errors"], "XTestImports": ["testing"]}
		{"ImportPath": "example.com/a.test", "Imports": ["example.com/a"]}
		{"ImportPath": "example.com/a [example.com/a.test]", "ForTest": "example.com/a"}`))
	require.NoError(t, err)
	require.Equal(t, graph{
		"errors": {ImportPath: "errors", Standard: true},
		"example.com/a": {ImportPath: "example.com/a", Imports: []string{"errors"},
			XTestImports: []string{"testing"}},
	}, g)

	_, err = decodeGraph(strings.NewReader(`{"ImportPath": "a"} {`))
	require.Error(t, err, "half an answer is no answer")
}

// soundModule is a module that keeps every rule and uses every liberty that the rules leave.
func soundModule() graph {
	g := graph{
		"time":    {Standard: true},
		"testing": {Standard: true},

		core: {Imports: []string{"time", internal + "bits"},
			XTestImports: []string{"testing", core, sessiontest, internal + "storesuite",
				testify + "/require"}},
		internal + "faults":      {Imports: []string{"time", core, sessiontest}},
		internal + "servers":     {Imports: []string{"testing"}},
		internal + "servers/run": {Imports: []string{internal + "servers"}},
		internal + "storesuite": {Imports: []string{"testing", core, sessiontest,
			internal + "servers", testify + "/require"}},
		internal + "bits": {Imports: []string{"time"}},
		sessiontest:       {Imports: []string{"testing", core}},

		module + "/examples/shop": {Imports: []string{core, module + "/ginsession"},
			TestImports: []string{sessiontest}},
		parity: {TestImports: []string{"testing", module + "/ginsession", module + "/chisession"},
			XTestImports: []string{parity}},

		testify + "/require":              {Imports: []string{"example.com/diff"}},
		"example.com/diff":                {},
		"example.com/uuid":                {},
		"github.com/gin-gonic/gin":        {Imports: []string{"example.com/validator"}},
		"example.com/validator":           {},
		"github.com/labstack/echo/v4":     {},
		"github.com/gofiber/fiber/v2":     {Imports: []string{"github.com/valyala/fasthttp"}},
		"github.com/valyala/fasthttp":     {},
		"github.com/go-chi/chi/v5":        {},
		"github.com/go-chi/chi/v5/inside": {},
	}
	for adapter, framework := range adapters() {
		g[adapter] = pkg{Imports: []string{"time", core, framework},
			XTestImports: []string{"testing", adapter, sessiontest, testify + "/require"}}
		inModule(g, framework, framework)
	}
	for store, driver := range stores() {
		g[driver] = pkg{}
		g[store] = pkg{Imports: []string{"time", core, driver},
			XTestImports: []string{"testing", store, sessiontest, internal + "faults",
				internal + "servers", internal + "storesuite", testify + "/require"}}
		inModule(g, driver, driver)
	}
	inModule(g, "github.com/go-chi/chi/v5/inside", "github.com/go-chi/chi/v5")
	inModule(g, testify+"/require", testify)
	imports(module+"/fibersession", "github.com/valyala/fasthttp")(g)
	imports(module+"/chisession", "github.com/go-chi/chi/v5/inside")(g)
	return g
}

// inModule says to which module the package path belongs.
func inModule(g graph, path, of string) {
	p := g[path]
	p.Module = &struct{ Path string }{of}
	g[path] = p
}

// imports makes from import to, outside of its tests.
func imports(from, to string) func(graph) {
	return func(g graph) {
		p := g[from]
		p.Imports = append(p.Imports, to)
		g[from] = p
	}
}

// testImports makes a test inside of the package from import to.
func testImports(from, to string) func(graph) {
	return func(g graph) {
		p := g[from]
		p.TestImports = append(p.TestImports, to)
		g[from] = p
	}
}

// externalTestImports makes a test of the package from_test import to.
func externalTestImports(from, to string) func(graph) {
	return func(g graph) {
		p := g[from]
		p.XTestImports = append(p.XTestImports, to)
		g[from] = p
	}
}

// ruleNamed returns the import rule of that sentence.
func ruleNamed(t *testing.T, sentence string) importRule {
	t.Helper()
	for _, rule := range importRules() {
		if rule.sentence == sentence {
			return rule
		}
	}
	require.FailNow(t, "no such rule", sentence)
	return importRule{}
}
