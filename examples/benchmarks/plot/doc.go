// Package plot draws charts as SVG: bars and lines with the spread of what was measured, in panels
// that make up a figure. The figures have no scripts and load nothing, use the system's font, and
// follow the reader's choice of light or dark colours.
//
// The same figure always gives the same bytes, so that a drawing can be compared with what it
// should be.
package plot
