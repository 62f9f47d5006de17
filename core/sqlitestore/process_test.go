//go:build linux

package sqlitestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// counters are records that all processes count up, and rounds how often each goroutine does.
const counters, counting, rounds = 3, 6, 15

// TestTwoProcessesCountTogether is the old and the new version of a program, both under load during
// a restart: no change of either is lost, and neither keeps the other from the file.
func TestTwoProcessesCountTogether(t *testing.T) {
	if dir := os.Getenv(inside); dir != "" {
		count(t, open(t, filepath.Join(dir, "sessions.db")))
		return
	}
	dir := t.TempDir()
	store := open(t, filepath.Join(dir, "sessions.db"))
	for n := range counters {
		rec := record(n)
		rec.Data = "0"
		require.NoError(t, store.Create(t.Context(), rec))
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inside+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	other := make(chan error, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		other <- err
	}()
	count(t, store)
	require.NoError(t, <-other)
	for n := range counters {
		rec, err := store.Load(t.Context(), record(n).ID)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(2*counting*rounds), rec.Data)
	}
}

// count adds to every counter, and tries again when somebody else was first.
func count(t *testing.T, store *sqlitestore.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var revision atomic.Uint64
	revision.Store(uint64(os.Getpid()) << 32)
	together(counters*counting, func(g int) {
		for done := 0; done < rounds; {
			rec, err := store.Load(ctx, record(g%counters).ID)
			if err == nil {
				was := rec.Revision
				number, _ := strconv.Atoi(rec.Data)
				rec.Data, rec.Revision = strconv.Itoa(number+1), core.Revision(revision.Add(1))
				err = store.Update(ctx, rec, was)
			}
			if err == nil {
				done++
			} else if !errors.Is(err, core.ErrConflict) {
				t.Error(err)
				return
			}
		}
	})
}

// TestAWriterUnderLoadLetsAnotherOneIn is about the lock that both want all the time.
func TestAWriterUnderLoadLetsAnotherOneIn(t *testing.T) {
	busy, path := used(t, 50)
	other := open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var writes atomic.Int64
	go func() {
		defer close(done)
		together(50, func(n int) {
			for i := 1; ctx.Err() == nil; i++ {
				err := busy.Update(ctx, version(n, i+1), core.Revision(i))
				if err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
				writes.Add(1)
			}
		})
	}()
	eventually(t, func() bool { return writes.Load() > 100 }, "the load")
	for n := range 20 {
		waits, stop := context.WithTimeout(ctx, time.Minute)
		require.NoError(t, other.Create(waits, record(100+n)))
		stop()
	}
	before := writes.Load()
	eventually(t, func() bool { return writes.Load() > before }, "the load goes on")
	cancel()
	<-done
}
