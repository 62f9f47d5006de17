package parity

import (
	"flag"
	"io"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A behaviour is a promise that holds in every framework, and what checks it in one.
type behaviour struct {
	row     string // its place in the table: a number, and a letter where one has several parts
	name    string
	promise string
	needs   ability // "" if it takes nothing that a framework could lack
	check   func(t *testing.T, f framework)
}

// behaviours is the whole table.
func behaviours() []behaviour {
	return slices.Concat(
		replyBehaviours(),
		streamingBehaviours(),
		upgradeBehaviours(),
		panicBehaviours(),
		clientBehaviours(),
		routingBehaviours(),
		contextBehaviours(),
		tokenBehaviours(),
		requestBehaviours(),
		carrierBehaviours(),
		failureBehaviours(),
		layerBehaviours(),
		concurrencyBehaviours(),
		memoryBehaviours(),
		http2Behaviours(),
		eventBehaviours(),
		liveSocketBehaviours(),
	)
}

// skips are the behaviours that a framework cannot have, by its name. A check that comes to be
// skipped, or needs to be skipped no more, has to be noted here.
func skips() map[string][]string {
	return map[string][]string{
		"chi": {"67b"},
		"fiber": {
			"20", "26", "27", "28", "29", "29b", "29c", "30", "61b", "66", "66b",
			"76", "76b", "76c", "76d", "78b", "78d",
		},
	}
}

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	gin.DefaultErrorWriter = io.Discard
	os.Exit(m.Run())
}

// A tally counts the checks that ran and names those that were skipped.
type tally struct {
	ran     int
	skipped map[string][]string
}

// TestParity checks every behaviour in every framework.
func TestParity(t *testing.T) {
	count := tally{skipped: map[string][]string{}}
	for _, f := range frameworks() {
		t.Run(f.name(), func(t *testing.T) {
			for _, b := range behaviours() {
				t.Run(b.row+"-"+b.name, func(t *testing.T) { count.run(t, b, f) })
			}
		})
	}
	all := len(frameworks()) * len(behaviours())
	t.Logf("%d behaviours in %d frameworks: %d checks ran, %d were skipped with a reason",
		len(behaviours()), len(frameworks()), count.ran, all-count.ran)
	if asked("test.run") || asked("test.skip") {
		return // not all was to run
	}
	for name, rows := range skips() {
		assert.ElementsMatch(t, rows, count.skipped[name], "what %s skips", name)
		all -= len(rows)
	}
	assert.Len(t, count.skipped, len(skips()), "frameworks that skip anything")
	assert.Equal(t, all, count.ran, "how many checks ran")
}

func (c *tally) run(t *testing.T, b behaviour, f framework) {
	if reason, lacking := f.lacks()[b.needs]; lacking {
		c.skipped[f.name()] = append(c.skipped[f.name()], b.row)
		t.Skipf("it needs that %s; %s", b.needs, reason)
	}
	c.ran++
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the promise: %s", b.promise)
		}
	})
	b.check(t, f)
}

// asked reports whether a flag of the test binary was set.
func asked(name string) bool { return flag.Lookup(name).Value.String() != "" }

// TestTableIsWhole holds the table together: nothing is left out, nothing is there twice.
func TestTableIsWhole(t *testing.T) {
	rows, names := map[string]bool{}, map[string]bool{}
	for _, b := range behaviours() {
		require.NotEmpty(t, b.promise, b.row)
		require.False(t, rows[b.row], "row %s is there twice", b.row)
		require.False(t, names[b.name], "%s is there twice", b.name)
		rows[b.row], names[b.name] = true, true
	}
	for n := range lastRow {
		require.True(t, rows[strconv.Itoa(n+1)], "row %d is missing", n+1)
	}
}

// lastRow is the greatest number in the table.
const lastRow = 87
