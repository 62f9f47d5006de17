package servers

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Engine is a kind of server that speaks Redis' protocol, in one version.
type Engine struct {
	// Name tells the kind and the version, such as "redis-7.0" or "valkey-8.0"; only the kind if
	// the engine is not installed.
	Name string

	binary string
	err    error // why there is no binary
}

// Engines returns Redis, Valkey, and whatever other versions are found on PATH under names such as
// redis-server-7.4. It does not end the test where one is missing: the tests that start that one
// are skipped, or fail if the setting asks for it to be installed.
func Engines(testing.TB) []Engine { return slices.Clone(engines()) }

// engines finds and installs once per process.
var engines = sync.OnceValue(func() []Engine {
	found := []Engine{findRedis(), findValkey()}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		for _, pattern := range []string{"redis-server-*", "valkey-server-*"} {
			more, _ := filepath.Glob(filepath.Join(dir, pattern)) // the pattern is well-formed
			for _, binary := range more {
				found = append(found, Engine{Name: version(binary), binary: binary})
			}
		}
	}
	var engines []Engine
	for _, engine := range found {
		known := slices.ContainsFunc(engines, func(e Engine) bool { return e.Name == engine.Name })
		if engine.Name != "" && !known {
			engines = append(engines, engine)
		}
	}
	return engines
})

func findRedis() Engine {
	engine := Engine{Name: "redis", binary: onPath("redis-server")}
	if engine.binary == "" && mayInstall() {
		engine.err = install("command -v redis-server", "redis-server")
		engine.binary = onPath("redis-server", "/usr/bin/redis-server")
	}
	return engine.checked()
}

func findValkey() Engine {
	engine := Engine{Name: "valkey", binary: onPath("valkey-server")}
	if engine.binary == "" {
		engine.binary = unpackedValkey()
	}
	if engine.binary == "" && mayInstall() {
		engine.err = unpackValkey()
		engine.binary = unpackedValkey()
	}
	return engine.checked()
}

// checked completes the name and the error. What calls itself redis-server may be Valkey.
func (e Engine) checked() Engine {
	if !supported {
		return Engine{Name: e.Name, err: errors.New("servers in tests need Linux")}
	}
	if e.binary == "" {
		return Engine{Name: e.Name, err: e.err}
	}
	name := version(e.binary)
	kind, number, _ := strings.Cut(name, "-")
	if kind != e.Name {
		return Engine{Name: e.Name, err: fmt.Errorf("%s is not it, but %q", e.binary, name)}
	}
	if major, _, _ := strings.Cut(number, "."); len(major) == 1 && major < "7" {
		return Engine{Name: e.Name, err: fmt.Errorf("%s is too old: %s", e.binary, name)}
	}
	return Engine{Name: name, binary: e.binary}
}

// need ends the test if the engine is not there.
func (e Engine) need(t testing.TB) {
	t.Helper()
	if e.binary == "" {
		missing(t, e.Name+"-server", cmp.Or(e.err, errors.New("not found")))
	}
}

// onPath returns the first of the named programs that is on PATH, "" if none is.
func onPath(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// version asks a server what it is. Its name need not say that: Valkey's packages may bring a
// redis-server.
func version(binary string) string {
	text, err := exec.Command(binary, "--version").Output()
	if err != nil {
		return ""
	}
	found := regexp.MustCompile(`^(Redis|Valkey) server v=(\d+\.\d+)`).FindStringSubmatch(string(text))
	switch {
	case found == nil:
		return ""
	case found[1] == "Redis":
		return "redis-" + found[2]
	default:
		return "valkey-" + found[2]
	}
}
