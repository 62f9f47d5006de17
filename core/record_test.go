package core

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAMomentIsATimeInMilliseconds(t *testing.T) {
	at := time.Date(2024, 2, 29, 23, 59, 59, 123_456_789, time.FixedZone("east", 3600))
	m := momentOf(at)
	assert.Equal(t, moment(1709247599123), m)
	assert.Equal(t, time.Date(2024, 2, 29, 22, 59, 59, 123_000_000, time.UTC), m.time())
	assert.Equal(t, noMoment, momentOf(time.Time{}), "the zero time is none")
	assert.Equal(t, time.Time{}, noMoment.time(), "none is the zero time")
	assert.Equal(t, moment(-1), momentOf(moment(-1).time()), "before the epoch")
}

func TestAMomentPlusADuration(t *testing.T) {
	tests := map[string]struct {
		at   moment
		d    time.Duration
		want moment
	}{
		"an hour later":                     {5, time.Hour, 3_600_005},
		"less than a millisecond is none":   {5, 999 * time.Microsecond, 5},
		"Never has no end":                  {5, Never, noMoment},
		"nearly Never overflows nothing":    {5, Never - 1, 5 + moment(Never.Milliseconds())},
		"beyond all time has no end":        {math.MaxInt64 - 5, time.Second, noMoment},
		"the last moment of all still ends": {math.MaxInt64 - 1000, time.Second, math.MaxInt64},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, test.at.add(test.d))
		})
	}
}

func TestTheEarlierOfTwoEnds(t *testing.T) {
	assert.Equal(t, moment(3), earliest(3, 7))
	assert.Equal(t, moment(3), earliest(7, 3))
	assert.Equal(t, moment(3), earliest(3, noMoment), "none is later than any")
	assert.Equal(t, moment(3), earliest(noMoment, 3), "none is later than any")
	assert.Equal(t, noMoment, earliest(noMoment, noMoment))
}

func TestARevisionIsWrittenInDecimal(t *testing.T) {
	assert.Equal(t, "0", Revision(0).String())
	assert.Equal(t, "18446744073709551615", Revision(math.MaxUint64).String())
}

func TestRevisionsUseAll64Bits(t *testing.T) {
	var ones, zeros Revision
	seen := map[Revision]bool{}
	for range 500 {
		r := newRevision()
		ones, zeros = ones|r, zeros|^r
		seen[r] = true
	}
	assert.Len(t, seen, 500)
	assert.Equal(t, Revision(math.MaxUint64), ones, "bits that were ever set")
	assert.Equal(t, Revision(math.MaxUint64), zeros, "bits that were ever clear")
}
