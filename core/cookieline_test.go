package core

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lookAt is what the default cookie finds in these Cookie lines.
func lookAt(c Cookie, lines ...string) found {
	return c.flatten(nil)[0].collect(http.Header{"Cookie": lines}, found{})
}

func TestWhatCountsInACookieLine(t *testing.T) {
	const name = "__Host-sid"
	many := func(n int) string { return strings.Repeat("x=y; ", n-1) + name + "=A" }
	tests := map[string]struct {
		lines    []string
		distinct uint8
		token    string // the first of the values that count
		present  bool   // even with an empty value
	}{
		"no line at all": {nil, 0, "", false},
		"an empty line":  {[]string{""}, 0, "", false},
		"another cookie": {[]string{"a=b"}, 0, "", false},
		"ours alone":     {[]string{name + "=A"}, 1, "A", true},
		"ours between others": {
			[]string{"a=b; " + name + "=A; c=d"}, 1, "A", true,
		},
		"without a blank after the semicolon": {[]string{"a=b;" + name + "=A;c=d"}, 1, "A", true},
		"ours in the second line":             {[]string{"a=b", name + "=A"}, 1, "A", true},
		"the same twice": {
			[]string{name + "=A; " + name + "=A"}, 1, "A", true,
		},
		"the same in two lines": {[]string{name + "=A", name + "=A"}, 1, "A", true},
		"two that differ": {
			[]string{name + "=A; " + name + "=B"}, 2, "A", true,
		},
		"two that differ in two lines": {[]string{name + "=B", name + "=A"}, 2, "B", true},
		"three that differ": {
			[]string{name + "=A", name + "=B", name + "=C"}, 2, "A", true,
		},
		"two that differ in case": {
			[]string{name + "=A; " + name + "=a"}, 2, "A", true,
		},
		"an ill-formed one counts": {
			[]string{name + "=A; " + name + "=é"}, 2, "A", true,
		},
		"an empty one beside a good one": {
			[]string{name + "=; " + name + "=A"}, 1, "A", true,
		},
		"an empty one":           {[]string{name + "="}, 0, "", true},
		"only the name":          {[]string{name}, 0, "", true},
		"an empty one in quotes": {[]string{name + `=""`}, 0, "", true},
		"quotes around it":       {[]string{name + `="A"`}, 1, "A", true},
		"quoted and unquoted are the same": {
			[]string{name + `="A"; ` + name + "=A"}, 1, "A", true,
		},
		"only one pair of quotes":          {[]string{name + `=""A""`}, 1, `"A"`, true},
		"half a pair of quotes":            {[]string{name + `="A`}, 1, `"A`, true},
		"a quote that is all":              {[]string{name + `="`}, 1, `"`, true},
		"a semicolon within quotes":        {[]string{name + `="A;B"`}, 1, `"A`, true},
		"blanks around name and value":     {[]string{"  " + name + "  =  A  "}, 1, "A", true},
		"tabs around name and value":       {[]string{"\t" + name + "\t=\tA\t"}, 1, "A", true},
		"blanks outside quotes":            {[]string{name + `= "A" `}, 1, "A", true},
		"blanks inside quotes":             {[]string{name + `=" A "`}, 1, " A ", true},
		"an equals sign in the value":      {[]string{name + "=A=B"}, 1, "A=B", true},
		"an escape is literal":             {[]string{name + "=%41"}, 1, "%41", true},
		"a Unicode space before the name":  {[]string{"\u2000" + name + "=A"}, 0, "", false},
		"a no-break space before the name": {[]string{"\u00a0" + name + "=A"}, 0, "", false},
		"a form feed before the name":      {[]string{"\f" + name + "=A"}, 0, "", false},
		"a line feed before the name":      {[]string{"\n" + name + "=A"}, 0, "", false},
		"a Unicode space around the value": {[]string{name + "=\u2000A"}, 1, "\u2000A", true},
		"the name in small letters":        {[]string{"__host-sid=A"}, 0, "", false},
		"the name in capitals":             {[]string{"__HOST-SID=A"}, 0, "", false},
		"a name that only begins with it":  {[]string{name + "2=A"}, 0, "", false},
		"a name that only ends with it":    {[]string{"x" + name + "=A"}, 0, "", false},
		"a nameless cookie of that value":  {[]string{"=" + name + "=A"}, 0, "", false},
		"the name as another's value":      {[]string{"a=" + name + "=A"}, 0, "", false},
		"an attribute of old, which is a name": {
			[]string{"$Version=1; " + name + "=A; $Path=/"}, 1, "A", true,
		},
		"commas do not separate": {
			[]string{name + "=A, " + name + "=B"}, 1, "A, __Host-sid=B", true,
		},
		"empty parts":                 {[]string{";;; ;" + name + "=A;;"}, 1, "A", true},
		"3000 cookies":                {[]string{many(3000)}, 1, "A", true},
		"3001 cookies":                {[]string{many(3001)}, 0, "", false},
		"3001 cookies over two lines": {[]string{many(3000), "x=y"}, 0, "", false},
		"3001 lines":                  {strings.Split(many(3001), "; "), 0, "", false},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			f := lookAt(Cookie{}, test.lines...)
			assert.Equal(t, test.distinct, f.distinct)
			assert.Equal(t, test.token, f.token)
			assert.Equal(t, test.present, f.present.has(0))
			assert.Equal(t, test.distinct > 0, f.presented.has(0))
			assert.Equal(t, test.distinct > 1, f.heal.has(0), "healing of a __Host- name")

			var lines []string
			for _, line := range test.lines {
				lines = append(lines, strings.ReplaceAll(line, name, "sid"))
			}
			f = lookAt(Cookie{Name: "sid"}, lines...)
			assert.Equal(t, test.distinct, f.distinct, "for a name without a prefix")
			assert.Zero(t, f.heal, "of a name without a prefix")
		})
	}
}

// refParse is a slow and plain reading of the same rules: all values of the name that are not
// empty, in their order.
func refParse(name, line string) (values []string) {
	parts := strings.Split(line, ";")
	if len(parts) > 3000 {
		return nil
	}
	for _, part := range parts {
		key, value, _ := strings.Cut(part, "=")
		value = strings.Trim(value, " \t")
		if len(value) > 1 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`) {
			value = value[1 : len(value)-1]
		}
		if strings.Trim(key, " \t") == name && value != "" {
			values = append(values, value)
		}
	}
	return values
}

func FuzzCookieLine(f *testing.F) {
	token := NewToken().Reveal()
	for _, line := range []string{
		"", "sid=" + token, `sid="` + token + `"`, "a=b; sid=" + token + "; sid=x",
		"sid", "sid=;sid=\"\"",
		"\tsid\t= " + token + " ;", ";;=;sid==", strings.Repeat("x=y;", 2999) + "sid=" + token,
		strings.Repeat("x=y;", 3000) + "sid=" + token, "\u2000sid=" + token,
		"sid=0\n",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := lookAt(Cookie{Name: "sid"}, line)
		values := refParse("sid", line)
		distinct := map[string]bool{}
		for _, v := range values {
			distinct[v] = true
		}
		require.EqualValues(t, min(len(distinct), 2), got.distinct)
		if len(values) == 0 {
			require.Empty(t, got.token)
			return
		}
		require.Equal(t, values[0], got.token)
		if _, ok := ParseToken(got.token); ok {
			require.Contains(t, line, got.token, "a token that the client did not send")
		}
		requireNetHTTPAgrees(t, line, values)
	})
}

// requireNetHTTPAgrees holds that what net/http finds is found as well. It finds less, since values
// that it holds to be ill-formed are none, and leaves blanks at a value's ends. Line breaks, which
// it trims and we do not, are in no header line that HTTP can carry.
func requireNetHTTPAgrees(t *testing.T, line string, values []string) {
	t.Helper()
	if strings.ContainsAny(line, "\r\n") {
		return
	}
	request := http.Request{Header: http.Header{"Cookie": {line}}}
	for _, cookie := range request.CookiesNamed("sid") {
		if value := strings.Trim(cookie.Value, " \t"); value != "" && !cookie.Quoted {
			require.Contains(t, values, value)
		}
	}
}
