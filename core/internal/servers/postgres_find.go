package servers

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// needPostgres returns the directory of PostgreSQL's programs, and ends the test if there is none.
func needPostgres(t testing.TB) string {
	t.Helper()
	tools, err := postgresTools()
	if err != nil {
		missing(t, "PostgreSQL", err)
	}
	return tools
}

// postgresTools finds and installs once per process.
var postgresTools = sync.OnceValues(func() (string, error) {
	if !supported {
		return "", errors.New("servers in tests need Linux")
	}
	if tools := findPostgres(); tools != "" {
		return tools, nil
	}
	if !mayInstall() {
		return "", errors.New("not found")
	}
	const wanted = "ls /usr/lib/postgresql/*/bin/initdb"
	if err := install(wanted, "postgresql", "postgresql-client"); err != nil {
		return "", err
	}
	if tools := findPostgres(); tools != "" {
		return tools, nil
	}
	return "", errors.New("it is installed and cannot be found")
})

// findPostgres returns the directory of the newest PostgreSQL whose programs are all there. What is
// on PATH may be one of several links into it, without the others.
func findPostgres() string {
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well-formed
	slices.SortFunc(debian, func(a, b string) int {
		return cmp.Compare(versionOf(b), versionOf(a))
	})
	var candidates []string
	if path := onPath("postgres"); path != "" {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			candidates = append(candidates, filepath.Dir(real))
		}
	}
	for _, dir := range append(candidates, debian...) {
		missing := slices.ContainsFunc([]string{"initdb", "postgres", "psql", "pg_basebackup"},
			func(name string) bool { return onPath(filepath.Join(dir, name)) == "" })
		if !missing {
			return dir
		}
	}
	return ""
}

// versionOf reads the version in such a path as postgresql/15/bin, 0 if there is none.
func versionOf(dir string) float64 {
	version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
	if err != nil {
		return 0
	}
	return version
}
