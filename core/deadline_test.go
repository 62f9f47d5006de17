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

func TestADeadlineIsAContextWithATimeout(t *testing.T) {
	tests := map[string]func(t *testing.T, ctx context.Context, d *deadline, stop func()){
		"it ends when its time has come": func(t *testing.T, _ context.Context, d *deadline, _ func()) {
			at, ok := d.Deadline()
			require.True(t, ok)
			assert.Equal(t, time.Minute, time.Until(at))
			begun := time.Now()
			require.NoError(t, d.Err())
			<-d.Done()
			assert.Equal(t, time.Minute, time.Since(begun))
			assert.Equal(t, context.DeadlineExceeded, d.Err())
		},
		"Err knows it although nobody waited": func(t *testing.T, _ context.Context, d *deadline, _ func()) {
			<-time.After(time.Minute - 1)
			require.NoError(t, d.Err())
			<-time.After(1)
			assert.Equal(t, context.DeadlineExceeded, d.Err())
			<-d.Done()
			assert.Equal(t, context.DeadlineExceeded, d.Err())
		},
		"it ends with the one above it": func(t *testing.T, _ context.Context, d *deadline, stop func()) {
			done := d.Done()
			stop()
			<-done
			assert.Equal(t, context.Canceled, d.Err())
		},
		"Err knows that, too, although nobody waited": func(
			t *testing.T, _ context.Context, d *deadline, stop func(),
		) {
			stop()
			assert.Equal(t, context.Canceled, d.Err())
			<-d.Done()
		},
		"an earlier deadline above it counts": func(t *testing.T, ctx context.Context, _ *deadline, _ func()) {
			above, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			d := newDeadline(above, time.Now().Add(time.Minute))
			defer d.stop()
			at, _ := d.Deadline()
			assert.Equal(t, time.Second, time.Until(at))
			<-d.Done()
			assert.Equal(t, context.DeadlineExceeded, d.Err())
		},
		"a later deadline above it does not": func(t *testing.T, ctx context.Context, _ *deadline, _ func()) {
			above, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			d := newDeadline(above, time.Now().Add(time.Minute))
			begun := time.Now()
			<-d.Done()
			assert.Equal(t, time.Minute, time.Since(begun))
			require.NoError(t, above.Err())
		},
		"values of the one above show": func(t *testing.T, ctx context.Context, _ *deadline, _ func()) {
			type key struct{}
			d := newDeadline(context.WithValue(ctx, key{}, "value"), time.Now().Add(time.Minute))
			defer d.stop()
			assert.Equal(t, "value", d.Value(key{}))
			_ = d.Done()
			assert.Equal(t, "value", d.Value(key{}), "also with a timer")
		},
		"contexts below it end with it": func(t *testing.T, _ context.Context, d *deadline, _ func()) {
			below, cancel := context.WithCancel(d)
			defer cancel()
			<-below.Done()
			assert.Equal(t, context.DeadlineExceeded, below.Err())
			assert.Equal(t, context.DeadlineExceeded, context.Cause(below))
		},
		"a cause above it shows below it": func(t *testing.T, ctx context.Context, _ *deadline, _ func()) {
			above, cancel := context.WithCancelCause(ctx)
			d := newDeadline(above, time.Now().Add(time.Minute))
			defer d.stop()
			below, end := context.WithTimeout(d, time.Hour)
			defer end()
			cancel(assert.AnError)
			<-below.Done()
			assert.Equal(t, assert.AnError, context.Cause(below))
		},
		"stopping frees whoever waits": func(t *testing.T, _ context.Context, d *deadline, _ func()) {
			done := d.Done()
			d.stop()
			<-done
			assert.Equal(t, context.Canceled, d.Err())
		},
		"stopping where nobody waited is nothing": func(t *testing.T, _ context.Context, d *deadline, _ func()) {
			d.stop()
			d.stop()
			require.NoError(t, d.Err())
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				d := newDeadline(ctx, time.Now().Add(time.Minute))
				defer d.stop()
				test(t, ctx, d, cancel)
			})
		})
	}
}

// Where nobody waits, a deadline costs its own memory and nothing else.
func TestADeadlineThatNobodyWaitsForCostsNoTimer(t *testing.T) {
	allocations := testing.AllocsPerRun(100, func() {
		d := newDeadline(t.Context(), time.Now().Add(time.Minute))
		_ = d.Err()
		_, _ = d.Deadline()
		d.stop()
	})
	assert.LessOrEqual(t, allocations, 1.0)
}

// No goroutine is started to tell a context below of the end of one of ours above it.
func TestNoGoroutineIsNeededBelowADeadlineOrAGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline(t.Context(), time.Now().Add(time.Minute))
		defer d.stop()
		m, err := New(Config{})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close()) }()
		gate := m.NewGate(t.Context(), &Session{manager: m}, nil, nil)
		for _, ctx := range []context.Context{d, gate.Context()} {
			before := runtime.NumGoroutine()
			below, cancel := context.WithTimeout(ctx, time.Hour)
			deeper, cancelDeeper := context.WithCancel(below)
			assert.Equal(t, before, runtime.NumGoroutine())
			cancel()
			<-deeper.Done()
			cancelDeeper()
		}
	})
}
