package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/child"
)

// ChildArg is the first argument of a process that must call Child.
const ChildArg = "store-child"

// Config says how large the measurement is. The zero Config is the one to publish.
type Config struct {
	// Sessions is how many sessions each store holds; 0: 1,000,000. Half of them end under the
	// reader's eyes.
	Sessions int `json:"sessions"`
	// Life is the age at which sessions end in a store that has one for all; 0: 22 s. It must leave
	// room to put all sessions in and to measure the full store.
	Life time.Duration `json:"life_ns"`
	// Gap is the pause between the two halves in such a store, so that they end apart; 0: 7 s.
	Gap time.Duration `json:"gap_ns"`
	// Window is for how long a reader reads at a time, the same for all stores; 0: 3 s. A sweep
	// begins when a third of it is over.
	Window time.Duration `json:"window_ns"`
	// Rounds is how often half of the sessions end under the reader's eyes, where the store allows
	// it; 0: 3.
	Rounds int `json:"rounds"`
	// Settle is what a store may need to end a session, and to remove it, beyond the pause of its
	// own timer: some know only whole seconds, by a late clock; 0: 2.5 s.
	Settle time.Duration `json:"settle_ns"`
	// Stores are the contestants' names; nil: all.
	Stores []string `json:"stores,omitempty"`
}

func (cfg Config) withDefaults() Config {
	if cfg.Sessions == 0 {
		cfg.Sessions = 1_000_000
	}
	if cfg.Life == 0 {
		cfg.Life = 22 * time.Second
	}
	if cfg.Gap == 0 {
		cfg.Gap = 7 * time.Second
	}
	if cfg.Window == 0 {
		cfg.Window = 3 * time.Second
	}
	if cfg.Rounds == 0 {
		cfg.Rounds = 3
	}
	if cfg.Settle == 0 {
		cfg.Settle = 2500 * time.Millisecond
	}
	if cfg.Stores == nil {
		for _, m := range Makers() {
			cfg.Stores = append(cfg.Stores, m.Name)
		}
	}
	return cfg
}

// A request asks a child to measure one contestant.
type request struct {
	Store  string `json:"store"`
	Config Config `json:"config"`
}

// Measure measures the contestants, one after the other, each in a process of its own, which takes
// 20 to 60 s for each at a million sessions, six minutes in all, and one more for quasoft. It tells
// progress, which may be nil, what it does. The error joins what went wrong; the results of the
// others are valid.
func Measure(ctx context.Context, cfg Config, progress func(string)) ([]Result, error) {
	cfg = cfg.withDefaults()
	var results []Result
	var faults []error
	for _, name := range cfg.Stores {
		if progress != nil {
			progress(fmt.Sprintf("store %s: %d sessions", name, cfg.Sessions))
		}
		result, err := measureOne(ctx, request{Store: name, Config: cfg})
		if err != nil {
			faults = append(faults, fmt.Errorf("measure the store %s: %w", name, err))
			continue
		}
		results = append(results, result)
	}
	return results, errors.Join(faults...)
}

func measureOne(ctx context.Context, r request) (result Result, err error) {
	p, err := child.Start(ctx, ChildArg)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	err = p.Call(r, &result)
	return result, err
}

// Child measures one contestant for a parent at the other end of in and out. It proves first that
// the contestant does its work.
func Child(in io.Reader, out io.Writer) error {
	return child.Serve(in, out, func(r request) (Result, error) {
		m, err := Find(r.Store)
		if err != nil {
			return Result{}, err
		}
		if err := Prove(m); err != nil {
			return Result{}, err
		}
		result, err := try(context.Background(), m, r.Config)
		result.Module = withVersion(result.Module)
		return result, err
	})
}

// withVersion adds the version of a module that this program was built with.
func withVersion(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok || module == "" {
		return module
	}
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return module + "@" + dependency.Version
		}
	}
	return module
}
