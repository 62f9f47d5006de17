package main

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	"github.com/sessionserverstore/sessionserverstore/examples/internal/site"
)

//go:embed page
var files embed.FS

// pageHandler returns the page, which calls the API on the given origin.
func pageHandler(api string) http.Handler {
	var index bytes.Buffer
	page := template.Must(template.ParseFS(files, "page/index.html"))
	if err := page.Execute(&index, api); err != nil {
		panic(err) // The template and its one argument are part of the program.
	}
	script, err := fs.Sub(files, "page")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(index.Bytes()) // An error here means that nobody is listening any more.
	})
	mux.Handle("GET /app.js", http.FileServerFS(script))
	mux.Handle("GET /style.css", http.FileServerFS(site.Assets))
	mux.Handle("GET /icon.svg", http.FileServerFS(site.Assets))
	return headers(api, mux)
}

// headers allows the page's own script and calls to the API, and nothing else. That matters more
// here than with a cookie: a foreign script that ran on this page could read the token.
func headers(api string, next http.Handler) http.Handler {
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src " + api + "; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// origin returns the origin of a URL that has no path, as browsers write it.
func origin(url string) string {
	return strings.TrimSuffix(url, "/")
}
