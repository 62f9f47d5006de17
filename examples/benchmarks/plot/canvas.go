package plot

import (
	"html"
	"strconv"
	"strings"
)

// A canvas collects shapes. Coordinates are pixels from the top left corner.
type canvas struct{ strings.Builder }

// number writes a coordinate with at most one digit behind the point.
func number(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

func escape(text string) string { return html.EscapeString(text) }

func (c *canvas) text(x, y float64, anchor, class, text string) {
	c.WriteString(`<text x="` + number(x) + `" y="` + number(y) + `" text-anchor="` + anchor + `"`)
	if class != "" {
		c.WriteString(` class="` + class + `"`)
	}
	c.WriteString(">" + escape(text) + "</text>\n")
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	c.WriteString(`<line x1="` + number(x1) + `" y1="` + number(y1) + `" x2="` + number(x2) +
		`" y2="` + number(y2) + `" class="` + class + "\"/>\n")
}

func (c *canvas) rect(x, y, width, height float64, class string) {
	c.WriteString(`<rect x="` + number(x) + `" y="` + number(y) + `" width="` + number(width) +
		`" height="` + number(height) + `" class="` + class + "\"/>\n")
}

func (c *canvas) circle(x, y, radius float64, class string) {
	c.WriteString(`<circle cx="` + number(x) + `" cy="` + number(y) + `" r="` + number(radius) +
		`" class="` + class + "\"/>\n")
}

// path joins points by straight lines.
func (c *canvas) path(points [][2]float64, class string) {
	c.WriteString(`<path d="`)
	for i, p := range points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		c.WriteString(command + number(p[0]) + " " + number(p[1]))
	}
	c.WriteString(`" class="` + class + "\"/>\n")
}
