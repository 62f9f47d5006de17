//go:build linux

package sqlitestore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// ofOwners, set beside crasher, makes the writer one of the index of owners and of marks.
const ofOwners = "SQLITESTORE_TEST_OF_OWNERS"

// The states that writeOwner takes an owner through.
const (
	added = 1 + iota
	raised
	removed
	marked
)

// writeOwner prints "number state" after each write.
func writeOwner(store *sqlitestore.Store, n int) error {
	ctx, owner, mark := context.Background(), fmt.Sprint("user:", n), fmt.Sprint("mark-", n)
	for state, write := range []func() error{
		added: func() error {
			_, err := store.AddOwned(ctx, owner, entry(n), 0, 1)
			return err
		},
		raised: func() error {
			_, list, err := store.RaiseEpoch(ctx, owner, core.Epoch(n+1), time.Time{})
			if err == nil && len(list) != 1 {
				err = fmt.Errorf("an owner has %d entries", len(list))
			}
			return err
		},
		removed: func() error { return store.RemoveOwned(ctx, owner, entry(n)) },
		marked:  func() error { return store.RaiseMark(ctx, mark, record(0).Used) },
	} {
		if write == nil {
			continue
		}
		if err := write(); err != nil {
			return err
		}
		_, _ = os.Stdout.WriteString(fmt.Sprintln(n, state))
	}
	return nil
}

// stateOf is the state in which an owner is found, zero if it was never written.
func stateOf(t *testing.T, store *sqlitestore.Store, n int) int {
	t.Helper()
	owner := fmt.Sprint("user:", n)
	epoch, err := store.OwnerEpoch(t.Context(), owner)
	require.NoError(t, err)
	list, err := store.ListOwned(t.Context(), owner)
	require.NoError(t, err)
	mark, err := store.Mark(t.Context(), fmt.Sprint("mark-", n))
	require.NoError(t, err)
	if len(list) > 0 {
		require.Equal(t, []core.OwnerEntry{entry(n)}, list)
	}
	if epoch != 0 {
		require.Equal(t, core.Epoch(n+1), epoch)
	}
	switch {
	case !mark.IsZero():
		require.Zero(t, len(list))
		return marked
	case epoch != 0 && len(list) == 0:
		return removed
	case epoch != 0:
		return raised
	}
	return len(list) * added
}

func TestKillLosesNothingOfOwners(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "sessions.db")
	for round := range 3 {
		acknowledged := crash(t, path, round*1_000_000, 1+rng.IntN(400), ofOwners+"=1")
		store := open(t, path)
		for n, last := range acknowledged {
			has := stateOf(t, store, n)
			require.True(t, has == last || has == last+1,
				"owner %d is in state %d, and was acknowledged in %d", n, has, last)
		}
	}
}

// TestNoSignInOfAnotherProcessSurvivesLogOutEverywhere has sign-ins in another process, which have
// all begun before everybody is logged out in this one.
func TestNoSignInOfAnotherProcessSurvivesLogOutEverywhere(t *testing.T) {
	const owners = 1000
	if dir := os.Getenv(inside); dir != "" {
		signInAll(t, open(t, filepath.Join(dir, "sessions.db")), owners)
		return
	}
	path := memory(t)
	store := open(t, path)
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inside+"="+filepath.Dir(path))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	require.NoError(t, in.Close()) // go

	revoked := make([]int, 8)
	together(len(revoked), func(g int) {
		for n := g; n < owners; n += len(revoked) {
			ended, err := logOutEverywhere(store, fmt.Sprint("user:", n))
			if err != nil {
				t.Error(err)
			}
			revoked[g] += ended
		}
	})
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait(), string(rest))
	t.Logf("sign-ins that were completed, and then revoked: %d of %d", revoked, 2*owners)
	require.Equal(t, make([]core.Revision, 2*owners), revisions(t, store, 2*owners))
}

// signInAll signs each owner in twice, on a word.
func signInAll(t *testing.T, store *sqlitestore.Store, owners int) {
	epochs := make([]core.Epoch, owners)
	for n := range epochs {
		var err error
		epochs[n], err = store.OwnerEpoch(t.Context(), fmt.Sprint("user:", n))
		require.NoError(t, err)
	}
	fmt.Println("ready")
	_, err := io.ReadAll(os.Stdin)
	require.NoError(t, err)
	together(16, func(g int) {
		for n := g / 2; n < owners; n += 8 {
			err := signIn(store, fmt.Sprint("user:", n), 2*n+g%2, epochs[n])
			if err != nil && !refusedSignIn(err) {
				t.Error(err)
			}
		}
	})
}
