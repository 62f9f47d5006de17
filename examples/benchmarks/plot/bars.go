package plot

// Bars is a panel of horizontal bars.
type Bars struct {
	Title  string
	Unit   string  // of the axis, in words
	Most   float64 // the axis' end; 0: what the bars need
	Log    bool    // the axis is logarithmic, from the decade of the least bar; else it is from 0
	Groups []Group
}

// A Group is bars that belong together.
type Group struct {
	Label string // "": none
	Bars  []Bar
}

// A Bar is one value with its spread. Low and High are the quartiles; equal to Value, no spread is
// drawn.
type Bar struct {
	Label            string
	Kind             Kind
	Value, Low, High float64
	Text             string // instead of the value; "": the value
}

const (
	titleHeight = 26.0
	barHeight   = 13.0
	barPitch    = 18.0
	groupLabel  = 19.0
	groupGap    = 5.0
	axisHeight  = 36.0
	valueWidth  = 52.0
	charWidth   = 6.3 // of the labels' font, more or less
)

func (b Bars) height() float64 {
	h := titleHeight + axisHeight
	for _, g := range b.Groups {
		h += groupGap + barPitch*float64(len(g.Bars))
		if g.Label != "" {
			h += groupLabel
		}
	}
	return h
}

// most is the end of the axis.
func (b Bars) most() float64 {
	if b.Most != 0 {
		return b.Most
	}
	most := 0.0
	for _, g := range b.Groups {
		for _, bar := range g.Bars {
			most = max(most, bar.Value, bar.High)
		}
	}
	if most == 0 {
		return 1
	}
	return most
}

// least is the least bar that a logarithmic axis can show; the axis' end if there is none.
func (b Bars) least() float64 {
	least := b.most()
	for _, g := range b.Groups {
		for _, bar := range g.Bars {
			if bar.Value > 0 {
				least = min(least, bar.Value)
			}
		}
	}
	return least
}

// axis is the scale without its pixels, and where it has ticks.
func (b Bars) axis() (scale, []float64) {
	if !b.Log {
		return scale{high: b.most()}, ticks(b.most(), 5)
	}
	low, high, at := decades(b.least()/2, b.most()) // so that the least has some length
	return scale{low: low, high: high, log: true}, at
}

func (b Bars) labelWidth() float64 {
	longest := 0
	for _, g := range b.Groups {
		for _, bar := range g.Bars {
			longest = max(longest, len([]rune(bar.Label)))
		}
	}
	return float64(longest)*charWidth + 10
}

func (b Bars) draw(c *canvas, left, top, width float64) {
	c.text(left, top+14, "start", "title", b.Title)
	x, at := b.axis()
	x.from, x.to = left+b.labelWidth(), left+width-valueWidth
	bottom := top + b.height() - axisHeight
	for _, v := range at {
		c.line(x.at(v), top+titleHeight, x.at(v), bottom, "grid")
		c.text(x.at(v), bottom+15, "middle", "quiet", tick(v))
	}
	c.text((x.from+x.to)/2, bottom+31, "middle", "quiet", b.Unit)
	y := top + titleHeight
	for _, g := range b.Groups {
		y += groupGap
		if g.Label != "" {
			c.text(left, y+13, "start", "quiet", g.Label)
			y += groupLabel
		}
		for _, bar := range g.Bars {
			bar.draw(c, x, y)
			y += barPitch
		}
	}
	c.line(x.from, top+titleHeight, x.from, bottom, "axis")
}

func (b Bar) draw(c *canvas, x scale, y float64) {
	middle := y + barPitch/2
	c.text(x.from-6, middle+4, "end", "", b.Label)
	end := x.at(max(0, min(b.Value, x.high)))
	c.rect(x.from, middle-barHeight/2, max(1, end-x.from), barHeight, b.Kind.class())
	if b.Low != b.High {
		low, high := x.at(max(0, b.Low)), x.at(min(b.High, x.high))
		c.line(low, middle, high, middle, "spread")
		c.line(low, middle-3, low, middle+3, "spread")
		c.line(high, middle-3, high, middle+3, "spread")
		end = max(end, high)
	}
	text := b.Text
	if text == "" {
		text = short(b.Value)
	}
	c.text(end+5, middle+4, "start", "", text)
}
