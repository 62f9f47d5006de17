package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// installTime bounds one installation, the waiting for that of another test included.
const installTime = 8 * time.Minute

// underLock runs a shell script while no other test of this project installs anything: apt-get
// waits for others only in part of what it does. The lock is the one that the examples' browser
// test takes, too.
func underLock(script string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), installTime)
	defer cancel()
	lock := filepath.Join(os.TempDir(), "sessionserverstore-install.lock")
	all := append([]string{lock, "sh", "-eu", "-c", script, "sh"}, args...)
	program := exec.CommandContext(ctx, "flock", all...)
	program.WaitDelay = 5 * time.Second
	out, err := program.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w:\n%s", err, out)
	}
	return nil
}

// installScript installs packages unless the wanted file is there by now, since another test may
// have been faster. Its first argument is a command that succeeds if so; the packages follow.
//
// No service is to come up, neither now nor because of us later: while the packages are set up, a
// policy forbids it, which is what Debian has policies for. Where there is one, it is left alone.
const installScript = `
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
wanted=$1; shift
if sh -c "$wanted" >/dev/null 2>&1; then exit 0; fi
root=
if [ "$(id -u)" != 0 ]; then root="sudo -n"; fi
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap "$root rm -f $policy" EXIT
	trap 'exit 1' HUP INT TERM
	printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
	$root chmod 755 $policy
fi
$root apt-get -o DPkg::Lock::Timeout=300 update
$root env DEBIAN_FRONTEND=$DEBIAN_FRONTEND RUNLEVEL=1 \
	apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
`

// install installs Debian's packages unless wanted, a shell command, already succeeds.
func install(wanted string, packages ...string) error {
	err := underLock(installScript, append([]string{wanted}, packages...)...)
	if err != nil {
		return fmt.Errorf("installing %s: %w", strings.Join(packages, ", "), err)
	}
	return nil
}
