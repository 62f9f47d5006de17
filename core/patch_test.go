package core

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// joined are values made of a list.
func joined(list []entry) values {
	p := make(patch, len(list))
	for i, e := range list {
		p[i].entry = e
	}
	return patched(noValues, p)
}

func patched(v values, p patch) values {
	var b strings.Builder
	count, _ := v.locate(p)
	v.patchTo(&b, count, p)
	return values(b.String())
}

func TestAPatchReplacesInItsPlaceAndLeavesTheOthersTheirs(t *testing.T) {
	v := joined([]entry{{"a", "1"}, {"b", "2"}, {"c", "3"}})
	p := patch{
		{entry: entry{"b", "4"}}, {entry: entry{"d", "5"}},
		{entry: entry{name: "a"}, deleted: true}, {entry: entry{name: "x"}, deleted: true},
	}
	v = patched(v, p)
	assert.Equal(t, []entry{{"b", "4"}, {"c", "3"}, {"d", "5"}}, v.entries())
	_, ok := v.get("a")
	assert.False(t, ok)
	assert.Equal(t, noValues, joined(nil))
	assert.Equal(t, v, patched(v, nil))
}

// A list that is patched the plain way must come to the same, whatever the lengths.
func TestRandomPatchesDoWhatAListWould(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	text := func() string {
		return strings.Repeat("x", []int{0, 1, 126, 127, 128, 129, 300, 16400}[r.IntN(8)])
	}
	for range 300 {
		var list []entry
		for i := range r.IntN(140) {
			list = append(list, entry{strconv.Itoa(i), text()})
		}
		v := joined(list)
		var p patch
		for i := range r.IntN(20) {
			name := strconv.Itoa(i * 10)
			e := patchEntry{entry: entry{name, text()}, deleted: r.IntN(3) == 0}
			p = append(p, e)
			at := slices.IndexFunc(list, func(o entry) bool { return o.name == name })
			switch {
			case at >= 0 && e.deleted:
				list = slices.Delete(list, at, at+1)
			case at >= 0:
				list[at] = e.entry
			case !e.deleted:
				list = append(list, e.entry)
			}
		}
		h := head{extension: extension("").with(9, text())}
		data, at := h.join(v, p)
		next := values(data[at:])
		require.Equal(t, joined(list), next)
		_, size := v.locate(p)
		require.Equal(t, next.size(), size)
		got, again, err := parseFrame(data)
		require.NoError(t, err)
		require.Equal(t, h, got)
		require.Equal(t, next, again)
	}
}
