//go:build linux

package sqlitestore_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// inside names, for a test that runs again in a process of its own, the directory it works in.
const inside = "SQLITESTORE_TEST_INSIDE"

// again runs the calling test once more in a process of its own, in which within returns true.
func again(t *testing.T, attributes *syscall.SysProcAttr) {
	t.Helper()
	// The directory that contains the test's own is for its user alone otherwise.
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o777))
	require.NoError(t, os.Chmod(dir+"/..", 0o755))
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"="+dir)
	attributes.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr = attributes
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: no process with namespaces of its own: %v", err)
	}
	err := cmd.Wait()
	if strings.Contains(out.String(), "--- SKIP") {
		t.Skip(out.String())
	}
	require.NoError(t, err, out.String())
	t.Log(out.String())
}

// ownMounts are what a process gets that may mount file systems, which go with it.
func ownMounts() *syscall.SysProcAttr {
	if os.Geteuid() == 0 {
		return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}
	user := func(id int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: user(os.Geteuid()), GidMappings: user(os.Getegid()),
	}
}

// mount mounts in this process's own namespace.
func mount(t *testing.T, source, dir, system, options string) {
	t.Helper()
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount(source, dir, system, 0, options)
	}
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: this user may not mount a %s: %v", system, err)
	}
}
