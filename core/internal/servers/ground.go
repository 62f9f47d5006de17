package servers

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// cleaner waits until its standard input ends, which is when the test's process has ended, and
// removes a directory. Servers that are just being killed may still write there, so it insists.
const cleaner = `cat >/dev/null
n=0
while [ $((n += 1)) -le 50 ]; do
	rm -rf -- "$1" 2>/dev/null && exit
	sleep 0.2
done`

// ground is the directory under which all servers of this process live. It is removed when this
// process ends, in whatever way.
var ground = sync.OnceValues(func() (dir string, err error) {
	dir, err = os.MkdirTemp(groundParent(), "sessionserverstore-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // servers may run as another user
		return "", err
	}
	in, out, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer in.Close()
	program := exec.Command("sh", "-c", cleaner, "sh", dir)
	program.Stdin = in
	if err := launchAlone(program); err != nil {
		return "", err
	}
	holdForever(out)
	return dir, nil
})

// held are things that are closed by the end of this process, and by nothing earlier.
var held struct {
	sync.Mutex
	all []io.Closer
}

func holdForever(it io.Closer) {
	held.Lock()
	defer held.Unlock()
	held.all = append(held.all, it)
}

// groundParent is where others than the test's user can enter, too.
func groundParent() string {
	temp := os.TempDir()
	if unprivileged() == nil {
		return temp
	}
	for dir := temp; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if dir == filepath.Dir(dir) {
			return temp
		}
	}
}

// plot returns a new directory for one server, which belongs to the user that it will run as.
func plot(name string, as *account) (string, error) {
	parent, err := ground()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, name+"-")
	if err != nil || as == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(as.uid), int(as.gid))
}
