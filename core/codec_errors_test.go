package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatJSONCannotSayCannotBeEncoded(t *testing.T) {
	type loop struct{ Self *loop }
	around := &loop{}
	around.Self = around
	for name, val := range map[string]any{
		"NaN":                 math.NaN(),
		"infinity":            math.Inf(1),
		"minus infinity":      math.Inf(-1),
		"a named NaN":         aFloat64(math.NaN()),
		"NaN of 32 bits":      float32(math.NaN()),
		"NaN in a list":       []float64{1, math.NaN()},
		"a channel":           make(chan int),
		"a function":          func() {},
		"a complex number":    1i,
		"the year 10000":      time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"a number that isn't": json.Number("1x"),
		"raw JSON that isn't": json.RawMessage("{"),
		"something circular":  around,
		"a failing marshaler": failing{},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := encode(val)
			assert.Error(t, err)
		})
	}
	_, err := encode(math.NaN())
	assert.Error(t, err, "also where the type is known")
	_, err = encode(time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC))
	assert.Error(t, err)
}

type failing struct{}

var errMarshal = errors.New("no")

func (failing) MarshalJSON() ([]byte, error) { return nil, errMarshal }

// Sessions hold secrets, and errors end in logs.
func TestNoErrorOfTheCodecHoldsTheValue(t *testing.T) {
	const secret = "hunter2"
	stored := []string{
		`"` + secret + `"`, `"` + secret, `{"` + secret + `":"` + secret + `"}`,
		`["` + secret + `"]`, `{"name":["` + secret + `"]}`, secret, "4815162342", "-4815162342.5",
		`{"name":4815162342}`, `{"age":"` + secret + `"}`, `{"Score":"` + secret + `"}`,
	}
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, text := range stored {
		_, err := decode[int8](text)
		note(err)
		_, err = decode[aStruct](text)
		note(err)
		_, err = decode[time.Time](text)
		note(err)
		_, err = decode[[]byte](text)
		note(err)
		_, err = decode[json.Number](text)
		note(err)
		_, err = decode[loud](text)
		note(err)
	}
	for _, val := range []any{
		secret + "\xff", []string{secret, "\xff"}, map[string]string{secret: "\xff"},
		json.Number(secret), json.RawMessage(secret), loud(secret), []any{loud(secret)},
		loudText(secret), []loudText{loudText(secret)}, aStruct{Raw: json.RawMessage(secret)},
	} {
		_, err := encode(val)
		require.Error(t, err, "%T", val)
		note(err)
	}
	require.Greater(t, len(errs), 40)
	for _, err := range errs {
		assert.NotContains(t, err.Error(), secret)
		assert.NotContains(t, err.Error(), "4815162342")
	}
}

// loud types tell what they hold in their errors, as strconv does.
type (
	loud     string
	loudText string
)

func (l loud) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("cannot write %q", string(l))
}
func (l *loud) UnmarshalJSON(b []byte) error { return fmt.Errorf("cannot read %q", b) }
func (l loudText) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("cannot write %q", string(l))
}
