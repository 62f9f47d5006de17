package nodes

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sessionserverstore/sessionserverstore/examples/internal/program"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/site/sitetest"
)

// frameworks are the programs that are one site.
func frameworks() []string { return []string{"gin", "echo", "fiber", "chi"} }

func TestPrograms(t *testing.T) {
	dir := program.Build(t,
		"examples/gin", "examples/echo", "examples/fiber", "examples/chi", program.Servers)
	for _, kind := range []string{"sqlite", "postgres", "redis", "valkey"} {
		t.Run("nodes of all frameworks on "+kind+" are one site", func(t *testing.T) {
			store := program.StartStore(t, dir, kind)
			// All begin at once, as after a deployment: each finds an empty database.
			var nodes []*program.Program
			for _, name := range frameworks() {
				nodes = append(nodes, program.Begin(t, filepath.Join(dir, name),
					"-addr", "127.0.0.1:0", "-store", store))
			}
			var homes []string
			for _, node := range nodes {
				homes = append(homes, node.Read(1)[0])
			}
			sitetest.TestNodes(t, homes...)
		})
	}
	for _, name := range frameworks() {
		path := filepath.Join(dir, name)
		t.Run(name+" says what is wrong with its flag", func(t *testing.T) { mistyped(t, path) })
		t.Run(name+" says which server is not there", func(t *testing.T) { absent(t, path) })
	}
}

func mistyped(t *testing.T, path string) {
	status, log := program.Fail(t, path, "-store", "mysql://ada:hunter2@127.0.0.1/shop")
	assert.Equal(t, 2, status, "as for any other flag that is wrong")
	assert.Contains(t, log, "-store: there is no such store\nThe stores are:\n  memory ")
	assert.Contains(t, log, "redis://HOST:PORT")
	assert.NotContains(t, log, "hunter2")
}

func absent(t *testing.T, path string) {
	// Port 1 is nobody's: only root could listen there.
	status, log := program.Fail(t, path, "-store", "redis://ada:hunter2@127.0.0.1:1")
	assert.Equal(t, 1, status)
	assert.Equal(t, 1, strings.Count(log, "\n"), "one line: %s", log)
	assert.Contains(t, log, "the store at redis://127.0.0.1:1 cannot be used")
	assert.NotContains(t, log, "hunter2")
}
