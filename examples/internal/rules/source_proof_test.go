package rules

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSourceRulesCatch gives each source rule a file of library code that breaks it, or that
// comes close and does not.
func TestSourceRulesCatch(t *testing.T) {
	rules := sourceRules()
	imports, environment, printing, inits, variables :=
		rules[0], rules[1], rules[2], rules[3], rules[4]
	for _, c := range []struct {
		name   string
		rule   sourceRule
		source string
		want   string
	}{
		{"log", imports, `import ("log/slog"; "log")`, "core/a.go:2: imports log"},
		{"log under another name", imports, `import l "log"`, "core/a.go:2: imports log"},
		{"slog is not log", imports, `import "log/slog"`, ""},
		{"the JSON experiment", imports, `import "encoding/json/v2"`,
			"core/a.go:2: imports encoding/json/v2"},
		{"testing in a library", imports, `import "testing"`, "core/a.go:2: imports testing"},

		{"Getenv", environment, "import \"os\"\nfunc f() { os.Getenv(\"A\") }",
			"core/a.go:3: uses os.Getenv"},
		{"Getenv under another name, as a value", environment,
			"import sys \"os\"\nfunc f() any { return sys.LookupEnv }",
			"core/a.go:3: uses os.LookupEnv"},
		{"os with a dot", environment, `import . "os"`, "core/a.go:2: imports os with a dot"},
		{"somebody else's Getenv", environment,
			"import \"os\"\nvar _ = os.Exit\nfunc f(o env) { o.Getenv(\"A\") }", ""},

		{"Println", printing, "import \"fmt\"\nfunc f() { fmt.Println() }",
			"core/a.go:3: uses fmt.Println"},
		{"the builtin", printing, "func f() { println(1) }", "core/a.go:2: uses println"},
		{"standard error", printing, "import (\"fmt\"; \"os\")\nfunc f() { fmt.Fprint(os.Stderr) }",
			"core/a.go:3: uses os.Stderr"},
		{"Sprint prints nothing", printing, "import \"fmt\"\nvar s = fmt.Sprint(1)", ""},

		{"init", inits, "func init() {}", "core/a.go:2: has a func init"},
		{"a method may be called init", inits, "func (t) init() {}", ""},

		{"a variable", variables, "var n int", "core/a.go:2: has the package variable n"},
		{"each of several variables", variables, "var (\n a = 1\n errB, c = errors.New(``), 2\n)",
			"core/a.go:3: has the package variable a; core/a.go:4: has the package variable c"},
		{"a call that only looks like an error's", variables, "var a = errors.New(``)",
			"core/a.go:2: has the package variable a"},
		{"work done at start", variables, "var _ = register()",
			"core/a.go:2: has the package variable _"},
		{"errors", variables, "import (\"errors\"; \"fmt\")\n" +
			"var ErrA = sentinel{}\nvar errB, c = errors.New(``), fmt.Errorf(``)\nvar d error", ""},
		{"a proof for the compiler", variables, "var _ I = T{}", ""},
		{"constants and local variables", variables, "const a = 1\nfunc f() { var b int; _ = b }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := checkSource(c.rule, "core/a.go", "package core\n"+c.source)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(found, "; "))
		})
	}
}

func TestOnlySessiontestMayImportTesting(t *testing.T) {
	const source = "package p\nimport (\"testing\"; \"log\")"
	found, err := checkSource(sourceRules()[0], "core/sessiontest/store.go", source)
	require.NoError(t, err)
	require.Equal(t, []string{"core/sessiontest/store.go:2: imports log"}, found)
}

func TestSourceThatDoesNotParseIsNotPassed(t *testing.T) {
	_, err := checkSource(sourceRules()[0], "core/a.go", "package")
	require.Error(t, err)
}

func TestIsLibrary(t *testing.T) {
	for name, want := range map[string]bool{
		"core/token.go":                true,
		"core/sessiontest/store.go":    true,
		"core/internal/bits/bits.go":   true,
		"chisession/session.go":        true,
		"core/token_test.go":           false,
		"core/testdata/broken.go":      false,
		"examples/shop/main.go":        false,
		"examples/internal/rules/a.go": false,
		"core/testdata/fuzz/FuzzA/1":   false,
		"core/redisstore/store.go":     true,
		"core/internal/servers/x.go":   false,
		"core":                         false,
	} {
		require.Equal(t, want, isLibrary(name), name)
	}
}
