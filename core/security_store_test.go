package core_test

import (
	"context"
	"crypto/sha256"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// CVE-2019-16782 was rack's: the cookie's value was the store's key.
func TestT70_CVE201916782_ADumpOfTheStoreOpensNothing(t *testing.T) {
	secBubble(t, "after renewals and sign-ins", func(t *testing.T) {
		site := newSecSite(t, core.Config{Namespace: "shop"})
		var tokens []string
		for range 20 {
			visitor := site.visitor()
			visitor.visit(secSet("a"))
			visitor.visit(func(s *core.Session) { s.SetOwner("alice") })
			visitor.visit((*core.Session).Renew)
			secPass(time.Second)
			visitor.visit(func(s *core.Session) { s.Persist(true) })
			tokens = append(tokens, visitor.tokens...)
		}
		require.Equal(t, 20, site.store.Len())
		var dump strings.Builder
		for _, token := range tokens {
			record, err := site.store.Load(t.Context(), core.ID(token[:32]))
			require.NoError(t, err)
			dump.WriteString(string(record.ID) + record.Owner + record.Data)
		}
		requireNoSecret(t, "a record", dump.String(), tokens)
		memory := secDump(site.store.MemoryStore, tokens...)
		requireNoSecret(t, "the store's memory", memory.text.String(), tokens)
		require.Empty(t, memory.views, "no key or field holds on to the token")

		// What is there instead: the hash of the namespace and the secret, of the newest and of
		// those that were replaced within the last minute.
		namespace := sha256.Sum256([]byte("session namespace:shop"))
		for _, token := range tokens {
			verifier := sha256.Sum256(append(namespace[:16:16], token[32:]...))
			require.Contains(t, dump.String(), string(verifier[:]))
		}
		// Nothing that can be read there is taken for a token.
		for _, token := range tokens[:4] {
			record, err := site.store.Load(t.Context(), core.ID(token[:32]))
			require.NoError(t, err)
			for _, guess := range []string{
				string(record.ID) + strings.Repeat("A", 96), record.Data, string(record.ID),
			} {
				site.requireDead(guess)
			}
		}
	})
}

func TestT70_SecretsAreComparedInConstantTime(t *testing.T) {
	for _, file := range secSources(t) {
		for _, loose := range []string{
			"verifier ==", "verifier !=", "== verifier", "!= verifier", "bytes.Equal", "secret ==",
			"token == ", "*v == *", "strings.Compare",
		} {
			for number, line := range strings.Split(file.code, "\n") {
				require.NotContains(t, line, loose, "%s, line %d without comments", file.name, number+1)
			}
		}
	}
}

func TestT01_NoOtherRandomnessAndNoOtherCrypto(t *testing.T) {
	allowed := map[string][]string{
		"crypto/rand":   {"token.go", "record.go"},
		"crypto/sha256": {"token.go"},
		"crypto/subtle": {"token.go"},
		"math/rand/v2":  {"update.go"}, // how long to wait, which is no secret
	}
	for _, file := range secSources(t) {
		for _, path := range file.imports {
			if !strings.HasPrefix(path, "crypto") && !strings.HasPrefix(path, "math/rand") &&
				!strings.Contains(path, "uuid") {
				continue
			}
			require.Contains(t, allowed[path], file.name, "imports %s", path)
		}
	}
}

type secSource struct {
	name, code string
	imports    []string
}

// secSources are the library's files, without comments.
func secSources(t *testing.T) []secSource {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), "*.go")
	require.NoError(t, err)
	var list []secSource
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		require.NoError(t, err)
		var code strings.Builder
		require.NoError(t, printer.Fprint(&code, set, file))
		source := secSource{name: name, code: code.String()}
		for _, spec := range file.Imports {
			source.imports = append(source.imports, strings.Trim(spec.Path.Value, `"`))
		}
		list = append(list, source)
	}
	require.NotEmpty(t, list)
	return list
}

// CVE-2015-5143 was Django's: any key made a record.
func TestCVE20155143_UnknownTokensFillNoStore(t *testing.T) {
	site := newSecSite(t, core.Config{})
	for range 10_000 {
		site.serve(secWith(core.NewToken().Reveal()), secRead)
	}
	require.Zero(t, site.store.Len())
	require.Zero(t, site.store.count("create", "update", "touch", "delete"))
}

// CVE-2016-4423 was Symfony's: a name of any length was kept in the session.
func TestCVE20164423_ASessionHasABound(t *testing.T) {
	site := newSecSite(t, core.Config{MaxData: 1000})
	visitor := site.visitor()
	visitor.visit(secSet("a"))
	for name, f := range map[string]func(*core.Session){
		"one value": secSet(strings.Repeat("x", 1000)),
		"many values": func(s *core.Session) {
			for i := range 300 {
				core.NewValue[int](strings.Repeat("n", i/250+1)+string(rune('a'+i%26))+
					string(rune('a'+i/26))).Set(s, i)
			}
		},
		"a growing value": func(s *core.Session) {
			for range 20 {
				secValue().Update(s, func(v string) string { return v + strings.Repeat("x", 60) })
			}
		},
		"a name": func(s *core.Session) { core.NewValue[int](strings.Repeat("n", 256)).Set(s, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			writes := site.store.count("update")
			response := visitor.visit(func(s *core.Session) {
				f(s)
				var fault *core.ValueError
				require.ErrorAs(t, s.Err(), &fault)
			})
			require.Equal(t, http.StatusInternalServerError, response.StatusCode)
			require.Equal(t, writes, site.store.count("update"), "not even tried")
			note, _ := site.read(visitor.token)
			require.Equal(t, "a", note)
		})
	}
}

// CVE-2023-20862 was Spring Security's: a sign-out's empty session was not written.
func TestCVE202320862_DeletingTheLastValueIsStored(t *testing.T) {
	for name, empty := range map[string]func(*core.Session){
		"delete": secValue().Delete,
		"take":   func(s *core.Session) { secValue().Take(s) },
		"clear":  (*core.Session).Clear,
	} {
		site := newSecSite(t, core.Config{})
		visitor := site.visitor()
		visitor.visit(secSet("a"))
		visitor.visit(empty)
		elsewhere, err := core.New(core.Config{Store: site.store}) // another process
		require.NoError(t, err)
		session, err := elsewhere.Begin(t.Context(), secWith(visitor.token))
		require.NoError(t, err)
		require.NotEmpty(t, session.ID(), name)
		require.Empty(t, session.Names(), name)
		require.NoError(t, elsewhere.Close())
	}
}

// Two applications on one store, as security.md has it: nothing of the one reaches the other.
func TestT74_NamespacesAreWorldsOfTheirOwn(t *testing.T) {
	site := newSecSite(t, core.Config{Namespace: "shop"})
	token := secIssued(site.serve(nil, secOwned("alice", "hers")))
	for _, namespace := range []string{"", "sho", "shop ", "Shop", "shop\\x00"} {
		other, err := core.New(core.Config{Namespace: namespace, Store: site.store})
		require.NoError(t, err)
		session, err := other.Begin(t.Context(), secWith(token))
		require.NoError(t, err)
		require.Empty(t, session.ID(), "%q", namespace)
		_, err = other.Open(t.Context(), core.ID(token[:32]))
		require.ErrorIs(t, err, core.ErrNotFound)
		require.NoError(t, other.Revoke(context.Background(), core.ID(token[:32])))
		require.NoError(t, other.Close())
	}
	_, alive := site.read(token)
	require.True(t, alive)
}

// connect-redis 6.1.0 merged sessions deeply when they conflicted: lists grew, values came back.
func TestMergingTakesValuesAsAWhole(t *testing.T) {
	list, other := core.NewValue[[]int]("list"), core.NewValue[int]("other")
	site := newSecSite(t, core.Config{})
	visitor := site.visitor()
	visitor.visit(func(s *core.Session) { list.Set(s, []int{1, 2, 3}); other.Set(s, 1) })
	first, second := site.begin(visitor.token), site.begin(visitor.token)
	list.Set(first, []int{4})
	list.Set(second, []int{5})
	other.Delete(first)
	require.NoError(t, site.manager.Commit(t.Context(), first, http.Header{}))
	require.NoError(t, site.manager.Commit(t.Context(), second, http.Header{}))
	require.NoError(t, site.manager.Commit(t.Context(), second, http.Header{}))
	visitor.visit(func(s *core.Session) {
		got, _ := list.Get(s)
		require.Equal(t, []int{5}, got)
		require.Equal(t, []string{"list"}, s.Names())
	})
}
