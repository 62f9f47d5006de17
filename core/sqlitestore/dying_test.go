//go:build linux

package sqlitestore_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// TestADiskThatFails writes until the disk below the file system takes no more: the loop device's
// file has no room to grow, so that a sync gives an input/output error. What was acknowledged is on
// the disk nevertheless, also what was acknowledged after other writes had failed.
func TestADiskThatFails(t *testing.T) {
	dir := os.Getenv(inside)
	if dir == "" {
		again(t, ownMounts())
		return
	}
	const n = 20
	d := newDisk(t, dir)
	store := open(t, filepath.Join(d.dir, "sessions.db"))
	create(t, store, n)
	ballast := d.fillBelow(t)

	var last [n]core.Revision // acknowledged
	for i := range last {
		last[i] = 1
	}
	failures := 0
	for round := 0; failures < 5 && round < 1000; round++ {
		var errs [n]error
		together(n, func(i int) {
			rec := heavy(i)
			rec.Revision = last[i] + 1
			if errs[i] = store.Update(context.Background(), rec, last[i]); errs[i] == nil {
				last[i] = rec.Revision
			}
		})
		for _, err := range errs {
			if err != nil && err != core.ErrConflict { // which is: it had taken effect after all
				require.ErrorContains(t, err, "sessions.db cannot be")
				noVerdict(t, err)
				failures++
			}
		}
	}
	require.NotZero(t, failures, "writes that the disk did not take")
	t.Logf("up to Revision %d", last[0])

	require.NoError(t, os.Remove(ballast))
	d.afterPowerFailure(t, func(dir string) {
		for i, has := range found(t, filepath.Join(dir, "sessions.db"), n) {
			if has != last[i]+1 { // the one whose outcome nobody was told
				require.Equal(t, last[i], has, "record %d", i)
			}
		}
	})
}

// fillBelow takes the room to grow from the disk but for a megabyte, and names the file that has
// it.
func (d disk) fillBelow(t *testing.T) string {
	t.Helper()
	ballast, err := os.Create(d.image + "-ballast")
	require.NoError(t, err)
	defer ballast.Close()
	for err == nil {
		_, err = ballast.Write(make([]byte, 4096))
	}
	size, err := ballast.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	require.NoError(t, ballast.Truncate(size-1<<20))
	return ballast.Name()
}
