package rules

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// topLevel returns what may lie at the module's root.
func topLevel() []string {
	return []string{
		"LICENSE", "README.md", "go.mod", "go.sum",
		"core", "ginsession", "echosession", "fibersession", "chisession", "examples", "docs",
		".ci", ".github", ".gitignore", ".golangci.yml",
	}
}

// strangeNames returns the names that do not belong at the module's root. Other names with a dot
// are a developer's own (his editor's, git's) and pass.
func strangeNames(names []string) []string {
	var found []string
	for _, name := range names {
		if !slices.Contains(topLevel(), name) && !strings.HasPrefix(name, ".") {
			found = append(found, name+" has no place at the top level")
		}
	}
	return found
}

// machinePaths finds absolute paths that exist on one machine only, as "file:line: path". Nothing
// is found in binary files.
func machinePaths(name string, text []byte) []string {
	if bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	path := regexp.MustCompile(`(?:^|[^\w.$}~-])(/(?:root|work|(?:home|Users)/\w+)/)`)
	var found []string
	line := 0
	for content := range bytes.Lines(text) {
		line++
		for _, match := range path.FindAllSubmatch(content, -1) {
			found = append(found, fmt.Sprintf("%s:%d: %s", name, line, match[1]))
		}
	}
	return found
}

// readTree returns the files below dir by their names from there, with slashes. At the top it
// goes only where a file of ours may lie, so that neither git's files nor an editor's come in.
func readTree(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		name = filepath.ToSlash(name)
		if strings.HasPrefix(name, ".") && !slices.Contains(topLevel(), firstElement(name)) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	return files, err
}

// firstElement returns the part of name before the first slash.
func firstElement(name string) string {
	first, _, _ := strings.Cut(name, "/")
	return first
}
