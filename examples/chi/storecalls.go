package main

import (
	"context"
	"errors"
	"expvar"
	"log/slog"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// storeCalls counts what a Manager asks of its store. A program with a port that only its operators
// reach would have package expvar publish both maps there, or keep a histogram of its metrics
// library instead; this one logs them when it ends.
type storeCalls struct {
	count  expvar.Map // by operation and outcome, such as "load ok"
	micros expvar.Map // by operation: the microseconds that all of its calls took together
}

// observe is called after each call to the store, by many goroutines at once, which an expvar.Map
// is made for. It is a part of the request, so it must not wait for anything.
func (c *storeCalls) observe(_ context.Context, call core.StoreCall) {
	c.count.Add(call.Op+" "+outcome(call.Err), 1)
	c.micros.Add(call.Op, call.Duration.Microseconds())
}

// outcome tells a store's answers, which are no trouble, from trouble.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, core.ErrNotFound):
		return "not found"
	case errors.Is(err, core.ErrExists), errors.Is(err, core.ErrConflict):
		return "conflict" // The Manager merges the changes and writes again.
	case errors.Is(err, core.ErrNotDurable):
		return "unconfirmed"
	}
	return "failed"
}

func (c *storeCalls) log(logger *slog.Logger) {
	logger.Info("store", "calls", c.count.String(), "microseconds", c.micros.String())
}
