//go:build linux

package sqlitestore_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A disk is a file system in a file: a loop device. What has reached the file has reached the disk,
// and what is still in the kernel's memory for the file system has not. A copy of the file is what
// a machine finds when it starts again after its power failed at that moment.
type disk struct {
	image, dir string
}

// newDisk needs root, and mkfs.ext4.
func newDisk(t *testing.T, dir string) disk {
	t.Helper()
	mount(t, "none", dir, "tmpfs", "size=80m")
	d := disk{image: filepath.Join(dir, "disk"), dir: filepath.Join(dir, "mounted")}
	require.NoError(t, os.WriteFile(d.image, nil, 0o600))
	require.NoError(t, os.Truncate(d.image, 32<<20))
	d.need(t, "mkfs.ext4", "-q", d.image)
	require.NoError(t, os.Mkdir(d.dir, 0o700))
	d.need(t, "mount", "-o", "loop", d.image, d.dir)
	return d
}

func (d disk) need(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %s: %v: %s", name, err, out)
	}
}

// afterPowerFailure mounts a copy of what is on the disk now, and calls check with its directory.
func (d disk) afterPowerFailure(t *testing.T, check func(dir string)) {
	t.Helper()
	content, err := os.ReadFile(d.image)
	require.NoError(t, err)
	image, dir := d.image+"-copy", d.dir+"-copy"
	require.NoError(t, os.WriteFile(image, content, 0o600))
	require.NoError(t, os.MkdirAll(dir, 0o700))
	run(t, "mount", "-o", "loop", image, dir)
	defer run(t, "umount", dir)
	check(dir)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", name, out)
}

// found loads the first n records from a file, and closes it again.
func found(t *testing.T, path string, n int) (list []core.Revision) {
	t.Helper()
	t.Run("found", func(t *testing.T) { list = revisions(t, open(t, path), n) })
	return list
}

// TestPowerFailure proves that what is acknowledged is on the disk, at the moment at which it is.
// The touches in it are the control: they need not be there, and if they always were then the copy
// would show more than what is on the disk.
func TestPowerFailure(t *testing.T) {
	dir := os.Getenv(inside)
	if dir == "" {
		again(t, ownMounts())
		return
	}
	d := newDisk(t, dir)
	store := open(t, filepath.Join(d.dir, "sessions.db"))
	const n = 30
	create(t, store, n)
	expect := make([]core.Revision, n)
	for i := range expect {
		expect[i] = 1
	}
	onDisk := func() (list []core.Revision) {
		d.afterPowerFailure(t, func(dir string) {
			list = found(t, filepath.Join(dir, "sessions.db"), n)
		})
		return list
	}
	require.Equal(t, expect, onDisk(), "created")

	lost := 0
	for round := 1; round <= 6; round++ {
		// Of each ten records one is touched, one ended, the others changed in parallel.
		together(n, func(i int) {
			was := core.Revision(round)
			if expect[i] != was || i%10 == 0 {
				return
			}
			var err error
			if i%10 == round {
				err, expect[i] = store.Delete(context.Background(), record(i).ID), 0
			} else {
				err = store.Update(context.Background(), version(i, round+1), was)
				expect[i] = was + 1
			}
			if err != nil {
				t.Error(err)
			}
		})
		require.Equal(t, withoutTouched(expect), withoutTouched(onDisk()), "in round %d", round)

		require.NoError(t, store.Touch(t.Context(), version(0, round+1), expect[0]))
		expect[0]++
		if onDisk()[0] != expect[0] {
			lost++
		}
	}
	require.NotZero(t, lost, "touches that are not yet on the disk: does the copy show only what is?")

	require.NoError(t, store.Delete(t.Context(), record(9).ID))
	require.Equal(t, expect[0], onDisk()[0], "a touch is on the disk with the next other write")
}

func withoutTouched(list []core.Revision) (rest []core.Revision) {
	for i, revision := range list {
		if i%10 != 0 {
			rest = append(rest, revision)
		}
	}
	return rest
}
