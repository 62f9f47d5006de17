package plot

import "strconv"

// Lines is a panel of lines over a logarithmic plane.
type Lines struct {
	Title  string
	X, Y   string // what the axes are
	Series []Series
}

// A Series is one line. The first of a panel has the colour of Ours; more than six share colours.
type Series struct {
	Label  string
	Points []Point // by rising X
}

// A Point is a value with its spread. Low and High are the quartiles; equal to Y, no spread is
// drawn. All are greater than 0.
type Point struct{ X, Y, Low, High float64 }

const (
	plane       = 240.0 // the height of it
	yLabelWidth = 46.0
	legendPitch = 17.0
	palette     = 6
)

func (l Lines) height() float64 {
	return titleHeight + legendPitch*float64(l.legendRows()) + 18 + plane + axisHeight
}

// legendRows is how many rows the labels take, two in each.
func (l Lines) legendRows() int { return (len(l.Series) + 1) / 2 }

// bounds are the least and the greatest of both coordinates.
func (l Lines) bounds() (low, high Point) {
	first := true
	for _, s := range l.Series {
		for _, p := range s.Points {
			if first {
				low, high, first = Point{X: p.X, Y: p.Low}, Point{X: p.X, Y: p.High}, false
			}
			low.X, high.X = min(low.X, p.X), max(high.X, p.X)
			low.Y, high.Y = min(low.Y, p.Low, p.Y), max(high.Y, p.High, p.Y)
		}
	}
	return low, high
}

func (l Lines) draw(c *canvas, left, top, width float64) {
	c.text(left, top+14, "start", "title", l.Title)
	top += titleHeight
	for i, s := range l.Series {
		x, y := left+float64(i%2)*width/2, top+legendPitch*float64(i/2)+6
		c.line(x, y, x+18, y, "line "+shade(i))
		c.text(x+24, y+4, "start", "", s.Label)
	}
	top += legendPitch*float64(l.legendRows()) + 4
	c.text(left, top+8, "start", "quiet", l.Y)
	top += 14
	low, high := l.bounds()
	if low.X == 0 {
		return // nothing was measured
	}
	x := scale{low: low.X, high: high.X, from: left + yLabelWidth, to: left + width - 8, log: true}
	y := scale{from: top + plane, to: top, log: true}
	var rows []float64
	y.low, y.high, rows = decades(low.Y, high.Y)
	for _, v := range rows {
		c.line(x.from, y.at(v), x.to, y.at(v), "grid")
		c.text(x.from-6, y.at(v)+4, "end", "quiet", tick(v))
	}
	for _, v := range l.columns() {
		c.line(x.at(v), y.from, x.at(v), y.from+4, "axis")
		c.text(x.at(v), y.from+16, "middle", "quiet", tick(v))
	}
	c.line(x.from, y.from, x.to, y.from, "axis")
	c.text((x.from+x.to)/2, y.from+32, "middle", "quiet", l.X)
	for i := len(l.Series) - 1; i >= 0; i-- { // the first on top
		l.Series[i].draw(c, x, y, shade(i))
	}
}

// columns are the values of X that were measured.
func (l Lines) columns() []float64 {
	var all []float64
	for _, s := range l.Series {
		if len(s.Points) <= len(all) {
			continue
		}
		all = all[:0]
		for _, p := range s.Points {
			all = append(all, p.X)
		}
	}
	return all
}

func (s Series) draw(c *canvas, x, y scale, class string) {
	var points [][2]float64
	for _, p := range s.Points {
		points = append(points, [2]float64{x.at(p.X), y.at(p.Y)})
	}
	c.path(points, "line "+class)
	for i, p := range s.Points {
		if p.Low != p.High {
			c.line(points[i][0], y.at(p.Low), points[i][0], y.at(p.High), class)
		}
		c.circle(points[i][0], points[i][1], 3, class)
	}
}

func shade(i int) string { return "s" + strconv.Itoa(i%palette) }
