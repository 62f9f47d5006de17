package plot

import "strings"

// A Kind is what a bar or a line stands for. It chooses the colour.
type Kind int

// The kinds. The zero Kind is a peer's.
const (
	Peer  Kind = iota
	Ours       // stands out
	Floor      // what is measured against
)

func (k Kind) class() string {
	switch k {
	case Ours:
		return "ours"
	case Floor:
		return "floor"
	default:
		return "peer"
	}
}

// A Figure is a drawing of panels.
type Figure struct {
	Title   string // for readers who cannot see it
	Caption string // one line below the panels; "": none
	Columns int    // panels side by side; 0: 1
	Panels  []Panel
}

// A Panel is one chart of a figure: Bars or Lines.
type Panel interface {
	height() float64
	draw(c *canvas, left, top, width float64)
}

const (
	figureWidth = 880.0
	margin      = 12.0
	gutter      = 28.0 // between panels
	captionSize = 26.0
)

// SVG draws the figure.
func (f Figure) SVG() string {
	columns := max(1, f.Columns)
	width := (figureWidth - 2*margin - gutter*float64(columns-1)) / float64(columns)
	var c canvas
	top := margin
	for first := 0; first < len(f.Panels); first += columns {
		row := f.Panels[first:min(first+columns, len(f.Panels))]
		tallest := 0.0
		for i, p := range row {
			p.draw(&c, margin+float64(i)*(width+gutter), top, width)
			tallest = max(tallest, p.height())
		}
		top += tallest + gutter
	}
	if f.Caption == "" {
		top -= gutter - margin
	} else {
		c.text(margin, top-gutter/2+captionSize/2, "start", "quiet", f.Caption)
		top += captionSize - gutter + margin
	}
	return c.document(figureWidth, top, f.Title)
}

// style holds the colours of both schemes; they keep their contrast on GitHub's backgrounds.
const style = `
text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-size:14px;font-weight:600}
.quiet{fill:#59636e;font-size:11px}
.axis{stroke:#59636e;stroke-width:1}
.grid{stroke:#d1d9e0;stroke-width:1}
.spread{stroke:#1f2328;stroke-width:1.2;fill:none}
.ours{fill:#0969da}.peer{fill:#c4602d}.floor{fill:#8c959f}
.line{fill:none;stroke-width:2}
.s0{stroke:#0969da;fill:#0969da}.s1{stroke:#8c959f;fill:#8c959f}.s2{stroke:#c4602d;fill:#c4602d}
.s3{stroke:#1a7f64;fill:#1a7f64}.s4{stroke:#8250df;fill:#8250df}.s5{stroke:#9a6700;fill:#9a6700}
path.line{fill:none}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}.quiet{fill:#9198a1}.axis{stroke:#9198a1}.grid{stroke:#3d444d}
.spread{stroke:#f0f6fc}
.ours{fill:#4493f8}.peer{fill:#e0823d}.floor{fill:#7d8590}
.s0{stroke:#4493f8;fill:#4493f8}.s1{stroke:#9198a1;fill:#9198a1}.s2{stroke:#e0823d;fill:#e0823d}
.s3{stroke:#3fb68b;fill:#3fb68b}.s4{stroke:#ab7df8;fill:#ab7df8}.s5{stroke:#d29922;fill:#d29922}
}
`

// document puts the drawing into its frame.
func (c *canvas) document(width, height float64, title string) string {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 `)
	b.WriteString(number(width) + " " + number(height))
	b.WriteString(`" width="` + number(width) + `" height="` + number(height))
	b.WriteString(`" role="img"><title>` + escape(title) + "</title>\n<style>")
	b.WriteString(style)
	b.WriteString("</style>\n")
	b.WriteString(c.String())
	b.WriteString("</svg>\n")
	return b.String()
}
