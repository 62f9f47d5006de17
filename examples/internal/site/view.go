package site

import (
	"embed"
	"fmt"
	"html/template"
	"time"
)

// Assets holds the files that every visitor may have, and caches may keep: style.css, icon.svg and
// devices.js.
//
//go:embed style.css icon.svg devices.js
var Assets embed.FS

//go:embed templates
var templates embed.FS

// Templates returns the pages "home.html", which shows a Home, "account.html", which shows an
// Account, and "devices.html", which shows Devices. Everything that a visitor typed is escaped by
// html/template.
func Templates(framework string) *template.Template {
	functions := template.FuncMap{
		"framework": func() string { return framework },
		"left":      left,
		"ago":       func(t time.Time) string { return ago(time.Since(t)) },
		"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"utc":       func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") },
	}
	pages := template.New("").Funcs(functions)
	return template.Must(pages.ParseFS(templates, "templates/*.html"))
}

// SetHeaders sets, with a framework's own function, the headers that every answer of the site has.
// Nothing may run, be loaded or be sent anywhere but what the site itself serves. No page needs a
// script: that of the devices only tells sooner what the next click would.
func SetHeaders(set func(name, value string)) {
	set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "+
		"script-src 'self'; connect-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	set("X-Content-Type-Options", "nosniff")
	set("Referrer-Policy", "same-origin")
}

// ago says how long ago something was.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h ago", int(d.Hours()))
}

func left(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
}
