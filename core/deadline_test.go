package core

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A deadlineCase is a deadline in a minute, below a context that stop ends.
type deadlineCase struct {
	ctx  context.Context
	d    *deadline
	stop func()
}

func TestADeadlineIsAContextWithATimeout(t *testing.T) {
	tests := map[string]func(t *testing.T, c deadlineCase){
		"it ends when its time has come": func(t *testing.T, c deadlineCase) {
			at, ok := c.d.Deadline()
			require.True(t, ok)
			assert.Equal(t, time.Minute, time.Until(at))
			begun := time.Now()
			require.NoError(t, c.d.Err())
			<-c.d.Done()
			assert.Equal(t, time.Minute, time.Since(begun))
			assert.Equal(t, context.DeadlineExceeded, c.d.Err())
		},
		"Err knows it although nobody waited": func(t *testing.T, c deadlineCase) {
			<-time.After(time.Minute - 1)
			require.NoError(t, c.d.Err())
			<-time.After(1)
			assert.Equal(t, context.DeadlineExceeded, c.d.Err())
			<-c.d.Done()
			assert.Equal(t, context.DeadlineExceeded, c.d.Err())
		},
		"it ends with the one above it": func(t *testing.T, c deadlineCase) {
			done := c.d.Done()
			c.stop()
			<-done
			assert.Equal(t, context.Canceled, c.d.Err())
		},
		"Err knows that, too, although nobody waited": func(t *testing.T, c deadlineCase) {
			c.stop()
			assert.Equal(t, context.Canceled, c.d.Err())
			<-c.d.Done()
		},
		"an earlier deadline above it counts": func(t *testing.T, c deadlineCase) {
			above, cancel := context.WithTimeout(c.ctx, time.Second)
			defer cancel()
			d := newDeadline(above, time.Now().Add(time.Minute))
			defer d.stop()
			at, _ := d.Deadline()
			assert.Equal(t, time.Second, time.Until(at))
			<-d.Done()
			assert.Equal(t, context.DeadlineExceeded, d.Err())
		},
		"a later deadline above it does not": func(t *testing.T, c deadlineCase) {
			above, cancel := context.WithTimeout(c.ctx, time.Hour)
			defer cancel()
			d := newDeadline(above, time.Now().Add(time.Minute))
			begun := time.Now()
			<-d.Done()
			assert.Equal(t, time.Minute, time.Since(begun))
			require.NoError(t, above.Err())
		},
		"values of the one above show": func(t *testing.T, c deadlineCase) {
			type key struct{}
			d := newDeadline(context.WithValue(c.ctx, key{}, "value"), time.Now().Add(time.Minute))
			defer d.stop()
			assert.Equal(t, "value", d.Value(key{}))
			_ = d.Done()
			assert.Equal(t, "value", d.Value(key{}), "also with a timer")
		},
		"contexts below it end with it": func(t *testing.T, c deadlineCase) {
			below, cancel := context.WithCancel(c.d)
			defer cancel()
			<-below.Done()
			assert.Equal(t, context.DeadlineExceeded, below.Err())
			assert.Equal(t, context.DeadlineExceeded, context.Cause(below))
		},
		"a cause above it shows below it": func(t *testing.T, c deadlineCase) {
			above, cancel := context.WithCancelCause(c.ctx)
			d := newDeadline(above, time.Now().Add(time.Minute))
			defer d.stop()
			below, end := context.WithTimeout(d, time.Hour)
			defer end()
			cancel(assert.AnError)
			<-below.Done()
			assert.Equal(t, assert.AnError, context.Cause(below))
		},
		"a detached one does not end with the one above it": func(t *testing.T, c deadlineCase) {
			type key struct{}
			above, cancel := context.WithCancelCause(context.WithValue(c.ctx, key{}, "value"))
			sooner, end := context.WithTimeout(above, time.Second)
			defer end()
			begun := time.Now()
			d := newDetachedDeadline(sooner, begun.Add(time.Minute))
			defer d.stop()
			cancel(assert.AnError)
			at, _ := d.Deadline()
			assert.Equal(t, time.Minute, at.Sub(begun))
			require.NoError(t, d.Err())
			require.NoError(t, context.Cause(d))
			assert.Equal(t, "value", d.Value(key{}))
			below, end := context.WithTimeout(d, time.Hour)
			defer end()
			<-below.Done()
			assert.Equal(t, time.Minute, time.Since(begun))
			assert.Equal(t, context.DeadlineExceeded, d.Err())
			assert.Equal(t, context.DeadlineExceeded, context.Cause(below))
			assert.Equal(t, "value", d.Value(key{}))
		},
		"stopping frees whoever waits": func(t *testing.T, c deadlineCase) {
			done := c.d.Done()
			c.d.stop()
			<-done
			assert.Equal(t, context.Canceled, c.d.Err())
		},
		"stopping where nobody waited is nothing": func(t *testing.T, c deadlineCase) {
			c.d.stop()
			c.d.stop()
			require.NoError(t, c.d.Err())
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				d := newDeadline(ctx, time.Now().Add(time.Minute))
				defer d.stop()
				test(t, deadlineCase{ctx, d, cancel})
			})
		})
	}
}

// Where nobody waits, a deadline costs its own memory and nothing else.
func TestADeadlineThatNobodyWaitsForCostsNoTimer(t *testing.T) {
	allocations := FewestAllocations(func() {
		d := newDeadline(t.Context(), time.Now().Add(time.Minute))
		_ = d.Err()
		_, _ = d.Deadline()
		d.stop()
	})
	assert.LessOrEqual(t, allocations, 1.0)
}

// FewestAllocations returns how many allocations f takes. Whatever else the process does just then
// is counted, too, so it is measured some times.
func FewestAllocations(f func()) float64 {
	fewest := testing.AllocsPerRun(100, f)
	for range 4 {
		fewest = min(fewest, testing.AllocsPerRun(100, f))
	}
	return fewest
}

// No goroutine is started to tell a context below of the end of one of ours above it: not for
// one of many, while the goroutines of other tests may come to their end.
func TestNoGoroutineIsNeededBelowADeadlineOrAGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline(t.Context(), time.Now().Add(time.Minute))
		defer d.stop()
		m, err := New(Config{})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close()) }()
		var gate Gate
		require.NoError(t, m.BeginGate(t.Context(), &gate, nil, nil, nil))
		for _, ctx := range []context.Context{d, gate.Context()} {
			const many = 1000
			before := runtime.NumGoroutine()
			for range many {
				below, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				deeper, cancelDeeper := context.WithCancel(below)
				defer cancelDeeper()
				assert.NoError(t, deeper.Err())
			}
			assert.Less(t, runtime.NumGoroutine(), before+many/2)
			below, cancel := context.WithTimeout(ctx, time.Hour)
			deeper, cancelDeeper := context.WithCancel(below)
			cancel()
			<-deeper.Done()
			cancelDeeper()
		}
	})
}
