package server

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

// ErrMissing means that this machine does not have a server's program.
var ErrMissing = errors.New("server: the program is not on this machine")

// find is the path of a program that is on the PATH or in one of the other places.
func find(name string, others ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, path := range others {
		if path, err := exec.LookPath(path); err == nil {
			return path, nil
		}
	}
	return "", ErrMissing
}

// unpacked is where the tests of the library unpack a Valkey if the machine has none.
func unpacked() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "sessionserverstore", "valkey", "usr", "bin", "valkey-server")
}

// debians are PostgreSQL's server programs as Debian installs them, which is not on the PATH: the
// newest one first.
func debians() []string {
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	slices.Reverse(all)
	return all
}

// version asks a program for it.
func version(program string) (string, error) {
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return "", err
	}
	return string(regexp.MustCompile(`\d+\.\d+(\.\d+)?`).Find(out)), nil
}
