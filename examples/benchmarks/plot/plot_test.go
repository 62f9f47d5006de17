package plot_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/plot"
)

func figures() map[string]plot.Figure {
	group := plot.Group{Label: "<group>", Bars: []plot.Bar{
		{Label: "a & b", Value: 1, Low: 0.5, High: 2},
		{Label: "ours", Kind: plot.Ours, Value: 3},
		{Label: "floor", Kind: plot.Floor, Value: -1, Low: -2, High: 0},
	}}
	bars := plot.Bars{Title: "bars", Unit: "µs", Groups: []plot.Group{group}}
	lines := plot.Lines{Title: "lines", X: "sessions", Y: "ns", Series: []plot.Series{
		{Label: "one", Points: []plot.Point{
			{X: 1, Y: 5, Low: 4, High: 7}, {X: 1000, Y: 50, Low: 50, High: 50},
		}},
		{Label: "two", Points: []plot.Point{{X: 1, Y: 9, Low: 9, High: 9}}},
	}}
	return map[string]plot.Figure{
		"bars":  {Title: "bars", Panels: []plot.Panel{bars}},
		"lines": {Title: "lines", Panels: []plot.Panel{lines}},
		"both": {
			Title: "both", Caption: "caption", Columns: 2, Panels: []plot.Panel{bars, lines, bars},
		},
		"no bars":  {Title: "no bars", Panels: []plot.Panel{plot.Bars{Title: "none"}}},
		"no lines": {Title: "no lines", Panels: []plot.Panel{plot.Lines{Title: "none"}}},
	}
}

func TestAFigureIsXMLWithoutScripts(t *testing.T) {
	for name, f := range figures() {
		t.Run(name, func(t *testing.T) {
			decoder := xml.NewDecoder(strings.NewReader(f.SVG()))
			for {
				token, err := decoder.Token()
				if err == io.EOF {
					break
				}
				require.NoError(t, err)
				if start, ok := token.(xml.StartElement); ok {
					assert.NotEqual(t, "script", start.Name.Local)
				}
			}
			assert.NotContains(t, f.SVG(), "NaN")
			assert.NotContains(t, f.SVG(), "Inf")
			assert.Equal(t, f.SVG(), figures()[name].SVG(), "the same figure, the same bytes")
		})
	}
}

func TestALongerBarIsALargerValue(t *testing.T) {
	group := plot.Group{Bars: []plot.Bar{
		{Label: "x", Value: 0.5}, {Label: "y", Value: 1, Kind: plot.Ours}, {Label: "z", Value: 10},
	}}
	svg := plot.Figure{Panels: []plot.Panel{plot.Bars{Groups: []plot.Group{group}}}}.SVG()
	half, whole := widthOf(t, svg, "peer"), widthOf(t, svg, "ours")
	assert.InDelta(t, 2, whole/half, 0.02)
}

// widthOf is the width of the bar of a class.
func widthOf(t *testing.T, svg, class string) float64 {
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		require.NoError(t, err, "no bar of class %s", class)
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "rect" {
			continue
		}
		var bar struct {
			Class string  `xml:"class,attr"`
			Width float64 `xml:"width,attr"`
		}
		require.NoError(t, decoder.DecodeElement(&bar, &start))
		if bar.Class == class {
			return bar.Width
		}
	}
}

func TestOnALogarithmicAxisFloorsAreReadableBesidePeers(t *testing.T) {
	group := plot.Group{Bars: []plot.Bar{
		{Label: "x", Value: -1, Low: -2}, {Label: "y", Value: 1, Kind: plot.Ours},
		{Label: "z", Value: 100, High: 200},
	}}
	svg := plot.Figure{Panels: []plot.Panel{
		plot.Bars{Log: true, Groups: []plot.Group{group}},
	}}.SVG()
	assert.Greater(t, widthOf(t, svg, "ours"), 100.0)
	assert.Equal(t, 1.0, widthOf(t, svg, "peer"), "what is not above 0 has no length")
	assert.NotContains(t, svg, "NaN")
	assert.NotContains(t, svg, "Inf")
}
