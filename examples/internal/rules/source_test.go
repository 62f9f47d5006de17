package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sourceRule is a sentence about what library code never does, and what finds it in one file.
type sourceRule struct {
	sentence string
	check    func(file *ast.File) []finding
}

// finding is a violation and where it stands.
type finding struct {
	pos  token.Pos
	text string
}

func sourceRules() []sourceRule {
	return []sourceRule{
		{"library code imports no log, no experiment, and testing in sessiontest only", badImports},
		{"library code reads no environment variable", environmentReads},
		{"library code prints nothing", prints},
		{"library code has no func init", initFunctions},
		{"library code has no package variables but errors", packageVariables},
	}
}

// checkSource parses one file and returns what rule says about it, as "file:line: text".
func checkSource(rule sourceRule, name, text string) ([]string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, f := range rule.check(file) {
		if strings.HasPrefix(name, "core/sessiontest/") && f.text == "imports testing" {
			continue
		}
		found = append(found, fmt.Sprintf("%s:%d: %s", name, fset.Position(f.pos).Line, f.text))
	}
	return found, nil
}

// isLibrary reports whether a file, named from the module's root, is compiled into programs that
// use this module.
func isLibrary(name string) bool {
	room, _, nested := strings.Cut(name, "/")
	_, isAdapter := adapters()[module+"/"+room]
	return nested && (room == "core" || isAdapter) &&
		!slices.Contains(testRooms(), module+"/"+path.Dir(name)) &&
		strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") &&
		!strings.Contains(name, "/testdata/")
}

func badImports(file *ast.File) []finding {
	var found []finding
	for _, spec := range file.Imports {
		switch name := importPath(spec); name {
		case "log", "encoding/json/v2", "encoding/json/jsontext", "testing":
			found = append(found, finding{spec.Pos(), "imports " + name})
		}
	}
	return found
}

func environmentReads(file *ast.File) []finding {
	return append(
		uses(file, "os", "Getenv", "LookupEnv", "Environ", "ExpandEnv"),
		uses(file, "syscall", "Getenv", "Environ")...)
}

func prints(file *ast.File) []finding {
	found := uses(file, "fmt", "Print", "Printf", "Println")
	found = append(found, uses(file, "os", "Stdout", "Stderr")...)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.Ident); ok && (f.Name == "print" || f.Name == "println") {
			found = append(found, finding{call.Pos(), "uses " + f.Name})
		}
		return true
	})
	return found
}

func initFunctions(file *ast.File) []finding {
	var found []finding
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			found = append(found, finding{f.Pos(), "has a func init"})
		}
	}
	return found
}

func packageVariables(file *ast.File) []finding {
	var found []finding
	for _, decl := range file.Decls {
		vars, ok := decl.(*ast.GenDecl)
		if !ok || vars.Tok != token.VAR {
			continue
		}
		for _, spec := range vars.Specs {
			spec := spec.(*ast.ValueSpec)
			for i, name := range spec.Names {
				if !mayBeVariable(file, spec, i) {
					found = append(found, finding{name.Pos(), "has the package variable " + name.Name})
				}
			}
		}
	}
	return found
}

// mayBeVariable reports whether the i-th name of spec is an error, or `var _ I = T{}`, which
// proves to the compiler that T implements I.
func mayBeVariable(file *ast.File, spec *ast.ValueSpec, i int) bool {
	if spec.Names[i].Name == "_" {
		return spec.Type != nil
	}
	if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "error" {
		return true
	}
	if regexp.MustCompile(`^(Err|err)[A-Z]`).MatchString(spec.Names[i].Name) {
		return true
	}
	if i >= len(spec.Values) {
		return false
	}
	call, ok := spec.Values[i].(*ast.CallExpr)
	if !ok {
		return false
	}
	pos := func(f finding) bool { return f.pos == call.Fun.Pos() }
	return slices.ContainsFunc(uses(file, "errors", "New", "Join"), pos) ||
		slices.ContainsFunc(uses(file, "fmt", "Errorf"), pos)
}

// uses finds where file names one of the given things of the package pkg, under whatever name it
// imports that. An import with a dot hides all names, so it counts as a use itself.
func uses(file *ast.File, pkg string, names ...string) []finding {
	var found []finding
	local := map[string]bool{}
	for _, spec := range file.Imports {
		switch {
		case importPath(spec) != pkg:
		case spec.Name == nil:
			local[path.Base(pkg)] = true
		case spec.Name.Name == ".":
			found = append(found, finding{spec.Pos(), "imports " + pkg + " with a dot"})
		default:
			local[spec.Name.Name] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(names, sel.Sel.Name) {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && local[x.Name] {
			found = append(found, finding{sel.Pos(), "uses " + pkg + "." + sel.Sel.Name})
		}
		return true
	})
	return found
}

// importPath returns the path that spec imports.
func importPath(spec *ast.ImportSpec) string {
	name, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value // the parser has accepted it: this is never reached
	}
	return name
}
