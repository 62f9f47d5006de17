package servers

import (
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// setting is the environment variable that lets tests install what they need.
const setting = "SESSIONSERVERSTORE_INSTALL"

// patience bounds every single wait. It is long because the machine may be busy with the tests of
// other packages, and because a sentinel that has been kept waiting itself trusts its clock again
// after half a minute only (TILT mode); nothing waits for it unless something is wrong.
const patience = 90 * time.Second

// answerTime is how long a server may take for one answer, where that is no error of the test.
const answerTime = 30 * time.Second

// skipped counts the tests of this process that were skipped for want of a server.
var skipped atomic.Int64

// mayInstall reports whether the setting is set.
func mayInstall() bool { return os.Getenv(setting) == "1" }

// missing ends a test whose server is not there. With the setting that is never a skip.
func missing(t testing.TB, server string, err error) {
	t.Helper()
	if mayInstall() {
		t.Fatalf("%s is set, but there is no %s: %v", setting, server, err)
	}
	t.Skipf("NEEDS A SERVER: %s (%v); skipped test no. %d of this package for want of a server; "+
		"set %s=1 to install it", server, err, skipped.Add(1), setting)
}

// eventually waits until something is so, and reports whether it came to that.
func eventually(isSo func() bool) bool {
	limit := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !isSo() {
		select {
		case <-again.C:
		case <-limit:
			return isSo()
		}
	}
	return true
}

// await waits until something is so, and ends the test if it does not come to that.
func await(t testing.TB, what string, isSo func() bool) {
	t.Helper()
	if !eventually(isSo) {
		t.Fatalf("after %v this is still not so: %s", patience, what)
	}
}
