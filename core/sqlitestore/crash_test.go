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
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// crasher, set to the path of a file, makes a test program a writer that acknowledges on its
// standard output: see write.
const (
	crasher = "SQLITESTORE_TEST_CRASHER"
	early   = "SQLITESTORE_TEST_EARLY" // acknowledge before the write
	first   = "SQLITESTORE_TEST_FIRST" // the first record's number
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crasher); path != "" {
		from, _ := strconv.Atoi(os.Getenv(first))
		if err := write(path, from, os.Getenv(early) != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// crashWriters is how many records are written at once, each by a goroutine of its own: created,
// changed nine times, ended, and then the next.
const crashWriters, crashVersions = 16, 10

// write writes until it is killed, and prints "number revision" after each write, the end being
// revision 0.
func write(path string, from int, early bool) error {
	store, err := sqlitestore.Open(path, sqlitestore.Options{})
	if err != nil {
		return err
	}
	failed := make(chan error, crashWriters)
	for g := range crashWriters {
		go func() {
			for n := from + g; ; n += crashWriters {
				err := error(nil)
				if os.Getenv(ofOwners) != "" {
					err = writeOwner(store, n)
				} else {
					err = writeOne(store, n, early)
				}
				if err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

func writeOne(store *sqlitestore.Store, n int, early bool) error {
	ctx := context.Background()
	for revision := 1; revision <= crashVersions+1; revision++ {
		line := fmt.Sprintln(n, revision%(crashVersions+1))
		if early {
			_, _ = os.Stdout.WriteString(line)
		}
		var err error
		switch revision {
		case 1:
			err = store.Create(ctx, record(n))
		case crashVersions + 1:
			err = store.Delete(ctx, record(n).ID)
		default:
			err = store.Update(ctx, version(n, revision), core.Revision(revision-1))
		}
		if err != nil {
			return err
		}
		if !early {
			_, _ = os.Stdout.WriteString(line)
		}
	}
	return nil
}

// crash lets a child write, kills it when it has acknowledged so many writes, and returns what it
// acknowledged last of each record: all that its pipe holds counts.
func crash(t *testing.T, path string, from, writes int, environment ...string) map[int]int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crasher+"="+path, first+"="+strconv.Itoa(from))
	cmd.Env = append(cmd.Env, environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	acknowledged := make(map[int]int)
	lines := bufio.NewReader(out)
	for read := 0; ; read++ {
		if read == writes {
			require.NoError(t, cmd.Process.Kill()) // SIGKILL
		}
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		var n, revision int
		_, err = fmt.Sscan(line, &n, &revision)
		require.NoError(t, err)
		acknowledged[n] = revision
	}
	_ = cmd.Wait()
	return acknowledged
}

// lost counts the records that are neither as they were acknowledged last nor as the one write
// after that would have them, which was under way.
func lost(t *testing.T, path string, acknowledged map[int]int) (lost int) {
	t.Helper()
	store := open(t, path)
	for n, last := range acknowledged {
		got, err := store.Load(t.Context(), record(n).ID)
		if err != core.ErrNotFound {
			require.NoError(t, err)
		}
		next := (last + 1) % (crashVersions + 1)
		if last == 0 {
			next = 0
		}
		if has := int(got.Revision); has != last && has != next {
			lost++
		} else if has != 0 {
			require.Equal(t, version(n, has), got)
		}
	}
	return lost
}

// TestKillLosesNothing proves that nothing is acknowledged before it is committed. It does not
// prove that it is synced: what a process has written survives its death in any case. That is for
// TestPowerFailure.
func TestKillLosesNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "sessions.db")
	all := make(map[int]int)
	for round := range 5 {
		acknowledged := crash(t, path, round*1_000_000, 1+rng.IntN(600))
		for n, revision := range acknowledged {
			all[n] = revision
		}
		require.Zero(t, lost(t, path, all), "of %d records, in round %d", len(all), round)
	}
	require.Zero(t, lost(t, path, all))
}

// TestKillLosesWhatIsAcknowledgedEarly shows that the test above would see a loss.
func TestKillLosesWhatIsAcknowledgedEarly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	sum := 0
	for round := 0; sum == 0 && round < 20; round++ {
		sum += lost(t, path, crash(t, path, round*1_000_000, 100, early+"=1"))
	}
	require.NotZero(t, sum, "writes that were acknowledged before they were begun")
}
