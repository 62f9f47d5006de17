package core_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An unluckyStore runs a hook at the next Update, which takes effect unless the hook says
// otherwise.
type unluckyStore struct {
	*core.MemoryStore
	update func(write func() error) error
	load   error
}

func (s *unluckyStore) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	write := func() error { return s.MemoryStore.Update(ctx, rec, was) }
	if hook := s.update; hook != nil {
		s.update = nil
		return hook(write)
	}
	return write()
}

func (s *unluckyStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if err := s.load; err != nil {
		return core.Record{}, err
	}
	return s.MemoryStore.Load(ctx, id)
}

// unlucky is a client of a Manager on such a store, with a session whose value is 1.
func unlucky(t *testing.T, cfg core.Config) (*client, *unluckyStore, core.Value[int]) {
	t.Helper()
	store := &unluckyStore{MemoryStore: core.NewMemoryStore(core.MemoryOptions{})}
	cfg.Store = store
	m, err := core.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	n := core.NewValue[int]("n")
	c := &client{manager: m}
	c.do(func(_ http.ResponseWriter, s *core.Session) { n.Set(s, 1) })
	require.NotEmpty(t, c.cookie)
	return c, store, n
}

func TestADestroyDuringTheLastCommitIsCarriedOut(t *testing.T) {
	c, store, n := unlucky(t, core.Config{})
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		n.Set(s, 2)
		store.update = func(write func() error) error {
			s.Destroy() // another goroutine of the request
			return write()
		}
	})
	require.Zero(t, store.Len())
}

func TestAChangeAfterTheRequestIsTold(t *testing.T) {
	var told []core.Event
	observe := func(_ context.Context, e core.Event) {
		if e.Kind == core.ChangesLost {
			told = append(told, e)
		}
	}
	c, _, n := unlucky(t, core.Config{Observe: observe})
	var kept *core.Session
	c.do(func(_ http.ResponseWriter, s *core.Session) { kept = s })
	require.Empty(t, told)
	n.Set(kept, 2)
	kept.Destroy()
	require.Len(t, told, 1, "once")
	require.ErrorIs(t, told[0].Err, core.ErrCommitted)
	require.ErrorIs(t, kept.Err(), core.ErrCommitted)
}

func TestAReaderThatGivesNothingLeavesTheHeaderOpen(t *testing.T) {
	for name, reader := range map[string]io.Reader{
		"empty":  strings.NewReader(""),
		"broken": io.MultiReader(errorReader{}),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := core.New(core.Config{})
			require.NoError(t, err)
			flash := core.NewValue[string]("flash")
			answer := (&client{manager: m}).do(func(w http.ResponseWriter, s *core.Session) {
				_, _ = io.Copy(w, reader)
				flash.Set(s, "try again")
				w.WriteHeader(http.StatusAccepted)
			})
			require.Equal(t, http.StatusAccepted, answer.StatusCode)
			require.Len(t, answer.Cookies(), 1)
		})
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// A write whose outcome is not known must not be made again, also not by who tries again himself.
func TestACommitTriedAgainAfterDoubtCountsOnce(t *testing.T) {
	c, store, n := unlucky(t, core.Config{})
	var id core.ID
	c.do(func(_ http.ResponseWriter, s *core.Session) { id = s.ID() })
	ctx := t.Context()
	job, err := c.manager.Open(ctx, id)
	require.NoError(t, err)
	n.Update(job, func(n int) int { return n + 1 })
	store.update = func(write func() error) error {
		store.load = errors.New("unreachable")
		return errors.Join(write(), errors.New("the reply was lost"))
	}
	require.Error(t, c.manager.Commit(ctx, job, nil))
	store.load = nil
	var unknown *core.StoreError
	require.ErrorAs(t, c.manager.Commit(ctx, job, nil), &unknown)
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		count, _ := n.Get(s)
		require.Equal(t, 2, count)
	})
}

func TestACommitThatPanickedIsTriedAgain(t *testing.T) {
	c, store, n := unlucky(t, core.Config{})
	answer := c.do(func(w http.ResponseWriter, s *core.Session) {
		n.Set(s, 2)
		store.update = func(func() error) error { panic("a driver's bug") }
		require.Panics(t, func() { w.WriteHeader(http.StatusOK) })
	})
	require.Equal(t, http.StatusOK, answer.StatusCode)
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		count, _ := n.Get(s)
		require.Equal(t, 2, count)
	})
}

func TestAnErrorHandlerThatAnswersNothingIsStillA503(t *testing.T) {
	c, store, n := unlucky(t, core.Config{})
	logged := 0
	h := c.manager.HandlerWithConfig(core.HandlerConfig{
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { logged++ },
	})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		n.Set(s, 2)
		_, _ = io.WriteString(w, "saved")
	}))
	store.load = errors.New("down")
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", c.cookie)
	w := httptest.NewRecorder()
	w.Header().Set("Cache-Control", "public, max-age=3600") // an outer layer's
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, 1, logged)
	require.Empty(t, w.Body.String())
}

func TestADestroyAfterTheCommitFailedIsCarriedOut(t *testing.T) {
	c, store, _ := unlucky(t, core.Config{})
	note := core.NewValue[string]("note")
	answer := c.do(func(w http.ResponseWriter, s *core.Session) {
		note.Set(s, strings.Repeat("x", 1<<20))
		if _, err := io.WriteString(w, "saved"); err != nil {
			s.Destroy()
		}
	})
	require.Equal(t, http.StatusInternalServerError, answer.StatusCode)
	require.Zero(t, store.Len())
}

// net/http removes the files of the request that it made, which the middleware has only copied.
func TestUploadedFilesAreRemoved(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	m, err := core.New(core.Config{})
	require.NoError(t, err)
	server := httptest.NewServer(m.Handler(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, r.ParseMultipartForm(1)) // all but a byte goes to a file
			files, err := os.ReadDir(folder)
			assert.NoError(t, err)
			assert.NotEmpty(t, files, "the upload is in a file, else this test shows nothing")
		})))
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("upload", "large.bin")
	require.NoError(t, err)
	_, err = file.Write(make([]byte, 12<<20))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	answer, err := http.Post(server.URL, form.FormDataContentType(), &body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	server.Close() // waits for the request to be over
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestASessionThatIsTooLargeMayShrink(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	large, err := core.New(core.Config{Store: store})
	require.NoError(t, err)
	small, err := core.New(core.Config{Store: store, MaxData: 100})
	require.NoError(t, err)
	note, other := core.NewValue[string]("note"), core.NewValue[string]("other")
	c := &client{manager: large}
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		note.Set(s, strings.Repeat("x", 200))
		other.Set(s, "flash")
	})
	c.manager = small
	answer := c.do(func(_ http.ResponseWriter, s *core.Session) {
		other.Take(s)
		require.NoError(t, s.Err())
	})
	require.Equal(t, http.StatusOK, answer.StatusCode)
	answer = c.do(func(_ http.ResponseWriter, s *core.Session) { other.Set(s, "more") })
	require.Equal(t, http.StatusInternalServerError, answer.StatusCode)
}

// fiber's texts are views of a buffer that it uses again.
func TestANameIsNotKeptAsAView(t *testing.T) {
	m, err := core.New(core.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	buffer := []byte("dark")
	c := &client{manager: m}
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		core.NewValue[string](unsafe.String(&buffer[0], len(buffer))).Set(s, "on")
		copy(buffer, "else")
	})
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		require.Equal(t, []string{"dark"}, s.Names())
	})
}
