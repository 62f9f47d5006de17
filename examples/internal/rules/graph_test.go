package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// pkg is one package as `go list -json` describes it.
type pkg struct {
	ImportPath   string
	ForTest      string
	Standard     bool
	Module       *struct{ Path string }
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// graph holds packages by import path, without the variants that are compiled for a test: a
// package's own test imports are in TestImports and XTestImports already.
type graph map[string]pkg

// readGraph asks the go command for the packages of the module at dir and for everything that
// they and their tests import.
func readGraph(dir string) (graph, error) {
	cmd := exec.Command("go", "list", "-deps", "-test",
		"-json=ImportPath,ForTest,Standard,Module,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, err, &stderr)
	}
	return decodeGraph(bytes.NewReader(out))
}

// decodeGraph reads the stream of JSON objects that `go list -json` writes.
func decodeGraph(r io.Reader) (graph, error) {
	g := graph{}
	for dec := json.NewDecoder(r); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, err
		}
		if p.ForTest == "" && !strings.HasSuffix(p.ImportPath, ".test") {
			g[p.ImportPath] = p
		}
	}
}

// own returns the import paths of this module's packages, sorted.
func (g graph) own() []string {
	var paths []string
	for path := range g {
		if isOwn(path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// withTests returns everything that path imports, its tests included.
func (g graph) withTests(path string) []string {
	p := g[path]
	return slices.Concat(p.Imports, p.TestImports, p.XTestImports)
}

// brings returns the packages of the named modules and everything that those import.
func (g graph) brings(modules ...string) map[string]bool {
	all := map[string]bool{}
	var add func(path string)
	add = func(path string) {
		if all[path] || g[path].Standard {
			return
		}
		all[path] = true
		for _, next := range g[path].Imports {
			add(next)
		}
	}
	for path, p := range g {
		if p.Module != nil && slices.Contains(modules, p.Module.Path) {
			add(path)
		}
	}
	return all
}

// strangers follows the imports of from, beginning with first, and returns the shortest chain to
// each package that is neither of the standard library nor allowed. It does not look behind a
// stranger: what that imports is a consequence, not a fault of its own.
func (g graph) strangers(from string, first []string, allowed func(string) bool) []string {
	var found []string
	chains := map[string]string{from: short(from)}
	queue := []string{from}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		next := g[path].Imports
		if path == from {
			next = first
		}
		for _, to := range next {
			if _, seen := chains[to]; seen || g[to].Standard {
				continue
			}
			chains[to] = chains[path] + " -> " + short(to)
			if allowed(to) {
				queue = append(queue, to)
			} else {
				found = append(found, chains[to])
			}
		}
	}
	return found
}

// isOwn reports whether path is a package of this module.
func isOwn(path string) bool { return strings.HasPrefix(path, module+"/") }

// short returns path as people name it: without the module's path if it is one of ours.
func short(path string) string { return strings.TrimPrefix(path, module+"/") }
