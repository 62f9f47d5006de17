package report

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed benchmarks.md.tmpl
var page string

// The files that Render makes.
const (
	pageFile     = "benchmarks.md"
	requestsFile = "benchmarks-requests.svg"
	loopbackFile = "benchmarks-loopback.svg"
	storeFile    = "benchmarks-store.svg"
	growthFile   = "benchmarks-growth.svg"
	sharedFile   = "benchmarks-shared.svg"
)

// Render returns what belongs into the directory docs, by file name.
func (r Results) Render() (map[string]string, error) {
	text, err := r.execute("page")
	if err != nil {
		return nil, err
	}
	files := map[string]string{pageFile: text}
	if r.Requests != nil {
		files[requestsFile] = requestFigure(r.Requests.Data).SVG()
	}
	if r.Loopback != nil {
		files[loopbackFile] = loopbackFigure(r.Loopback.Data).SVG()
	}
	if r.Store != nil {
		files[storeFile] = storeFigure(r.Store.Data).SVG()
	}
	if r.Growth != nil {
		files[growthFile] = growthFigure(r.Growth.Data).SVG()
	}
	if r.Shared != nil {
		files[sharedFile] = sharedFigure(r.Shared.Data).SVG()
	}
	return files, nil
}

// Write renders into the directory docs, and into the marked lines of readme if that exists.
func (r Results) Write(docs, readme string) error {
	files, err := r.Render()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(docs, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	old, err := os.ReadFile(readme)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := r.Readme(string(old))
	if err != nil || text == string(old) {
		return err
	}
	return os.WriteFile(readme, []byte(text), 0o644)
}

// What is between these lines of README.md is rendered.
const (
	readmeBegin = "<!-- benchmarks: rendered by examples/benchmarks -->\n"
	readmeEnd   = "<!-- benchmarks: end -->\n"
)

// Readme returns the text of README.md with its marked lines as they should be. A text without
// marks is returned as it is.
func (r Results) Readme(text string) (string, error) {
	before, rest, marked := strings.Cut(text, readmeBegin)
	if !marked {
		return text, nil
	}
	_, after, ended := strings.Cut(rest, readmeEnd)
	if !ended {
		return "", fmt.Errorf("report: the readme lacks the line %s", strings.TrimSpace(readmeEnd))
	}
	block, err := r.execute("readme")
	if err != nil {
		return "", err
	}
	return before + readmeBegin + block + readmeEnd + after, nil
}

func (r Results) execute(name string) (string, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"requestDemands": requestDemands,
		"demandTable":    demandTable,
		"addedTable":     addedTable,
		"allocTable":     allocTable,
		"peerTable":      peerTable,
		"notes":          notes,
		"loopbackDemand": loopbackDemand,
		"loopbackTable":  loopbackTable,
		"storeDemands":   storeDemandTable,
		"storeTable":     storeTable,
		"traitTable":     traitTable,
		"storeNotes":     storeNotes,
		"growthTable":    growthTable,
		"sharedDemands":  sharedDemandTable,
		"sharedTable":    sharedTable,
		"sharedRatios":   sharedRatioTable,
		"sizeTable":      sizeTable,
		"drivers":        drivers,
		"grouped":        grouped,
		"sessionsOf":     sessionsOf,
		"missed":         missed,
		"unmet":          unmet,
		"list":           func(demands ...Demand) []Demand { return demands },
		"span":           span,
	}).Parse(page)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, name, r); err != nil {
		return "", err
	}
	return b.String(), nil
}
