package core_test

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestTheDocumentedFramesAreTheVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/frame-vectors.json")
	require.NoError(t, err)
	var list []struct{ Name, Hex string }
	require.NoError(t, json.Unmarshal(text, &list))
	vectors := map[string]string{}
	for _, v := range list {
		vectors[v.Name] = v.Hex
	}

	text, err = os.ReadFile("../docs/record-format.md")
	require.NoError(t, err)
	row := regexp.MustCompile("^\\| (\\d+) \\| `([0-9a-f]+)` \\|")
	quoted := 0
	for _, section := range strings.Split(string(text), "\n### ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		want, known := vectors[name]
		require.True(t, known, "there is no vector %q", name)
		var got strings.Builder
		code := false
		for line := range strings.Lines(body) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "```") {
				code = !code
			} else if code {
				got.WriteString(line)
			} else if match := row.FindStringSubmatch(line); match != nil {
				require.Equal(t, match[1], decimal(got.Len()/2), "the offset in %q", line)
				got.WriteString(match[2])
			}
		}
		require.Equal(t, want, got.String(), name)
		quoted++
	}
	require.Greater(t, quoted, 3)
}

func decimal(n int) string {
	text, _ := json.Marshal(n)
	return string(text)
}

// What a later version added survives an update by this one, as docs/record-format.md promises.
func TestAFrameKeepsWhatItDoesNotKnow(t *testing.T) {
	site := newSecSite(t, core.Config{Lifetime: core.Never, IdleTimeout: core.Never})
	token := strings.Repeat("A", core.TokenLength)
	// The vector "extension", with another flag set and a value of another program's.
	data, err := hex.DecodeString("018018b1df4aeb031f469e4515beb7029626" +
		"3b428651d45c5287ae7a6dce0f92e1c0f1c3f9ea4c31ca03ce8f1c765ecc5e1e" +
		"000000dc6acfac0000037f010301016e0131")
	require.NoError(t, err)
	record := core.Record{ID: core.ID(token[:32]), Revision: 1, Data: string(data)}
	require.NoError(t, site.store.Create(t.Context(), record))

	token = secIssued(site.serve(secWith(token), (*core.Session).Renew))
	site.serve(secWith(token), secSet("a"))
	site.serve(secWith(token), func(s *core.Session) {
		require.Equal(t, []string{"n", "note"}, s.Names())
	})
	stored, err := site.store.Load(t.Context(), record.ID)
	require.NoError(t, err)
	require.Equal(t, byte(0x80), stored.Data[1])
	require.Contains(t, stored.Data, "\x03\x7f\x01\x03\x02\x01n\x011\x04note")
}

// Each test that the documentation names is there.
func TestTheDocumentedTestsExist(t *testing.T) {
	var sources strings.Builder
	module := os.DirFS("..")
	for _, dir := range []string{"core", "examples/internal/parity", "examples/internal/browser",
		"examples/internal/rules", "fibersession", "core/redisstore", "core/postgresstore",
		"core/sqlitestore"} {
		names, err := fs.Glob(module, dir+"/*_test.go")
		require.NoError(t, err)
		for _, name := range names {
			text, err := fs.ReadFile(module, name)
			require.NoError(t, err)
			sources.Write(text)
		}
	}
	code := sources.String()
	named := regexp.MustCompile("`(Test\\w+|[a-z-]+)(?:/([^`]+))?`")
	test := regexp.MustCompile(`^Test[A-Z]`)
	for _, doc := range []string{"security.md", "seed.md", "record-format.md"} {
		text, err := os.ReadFile("../docs/" + doc)
		require.NoError(t, err)
		for _, match := range named.FindAllStringSubmatch(string(text), -1) {
			if !test.MatchString(match[1]) {
				continue
			}
			want := "func " + match[1] + "(t *testing.T)"
			switch {
			case match[1] == "TestParity" && match[2] != "…":
				number, name, _ := strings.Cut(match[2], "-")
				want = `row: "` + number + `", name: "` + name + `"`
			case match[1] == "TestInChromium" && match[2] != "…":
				want = `"` + match[2] + `"`
			}
			require.True(t, strings.Contains(code, want), "%s names %s: no %s", doc, match[0], want)
		}
	}
	// And each of these is documented.
	text, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	for _, number := range strings.Fields("01 05 06 10 13 20 21 40 41 42 43 44 46 47 48 49 50 52 " +
		"60 65 70 90 91 92 93 94") {
		require.True(t, strings.Contains(string(text), "| T"+number+" |"), "T%s", number)
	}
}

// The guards whose removal docs/security.md describes are still there to be removed.
func TestTheDocumentedGuardsAreThere(t *testing.T) {
	text, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| (T\\d+) \\| (core/\\w+\\.go), `(\\w+)`: `([^`]+)` \\|" +
		" [^|]+ \\| `(Test\\w+)` \\|$")
	found := row.FindAllStringSubmatch(string(text), -1)
	require.Len(t, found, 9)
	for _, guard := range found {
		code, err := os.ReadFile("../" + guard[2])
		require.NoError(t, err)
		at := regexp.MustCompile(`(?m)^func (?:\([^)]*\) )?` + guard[3] + `\(`).FindIndex(code)
		require.NotNil(t, at, "%s has no function %s", guard[2], guard[3])
		body, _, _ := strings.Cut(string(code[at[0]:]), "\n}\n")
		require.Contains(t, body, guard[4], guard[1])
	}
}
