package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/growth"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/loopback"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

// Results are all that was measured last, by parts. A part that was not measured is nil.
type Results struct {
	Requests *Section[request.Result]  `json:"requests,omitempty"`
	Loopback *Section[loopback.Result] `json:"loopback,omitempty"`
	Store    *Section[[]store.Result]  `json:"store,omitempty"`
	Growth   *Section[growth.Result]   `json:"growth,omitempty"`
	Shared   *Section[shared.Result]   `json:"shared,omitempty"`
}

// A Section is one part, and where it comes from: parts may be measured on different days.
type Section[T any] struct {
	Run  Run `json:"run"`
	Data T   `json:"data"`
}

// Load reads Results from a file; if there is none, nothing was measured yet.
func Load(file string) (Results, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Results{}, nil
	}
	if err != nil {
		return Results{}, err
	}
	var r Results
	if err := json.Unmarshal(raw, &r); err != nil {
		return Results{}, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// Save writes Results to a file.
func (r Results) Save(file string) error {
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}
