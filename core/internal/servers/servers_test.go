package servers_test

import (
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// patience bounds every single wait; nothing waits for it unless something is wrong.
const patience = time.Minute

// eventually waits until something is so.
func eventually(t *testing.T, isSo func() bool, what ...any) {
	t.Helper()
	require.Eventually(t, isSo, patience, 10*time.Millisecond, what...)
}

// eachEngine runs a test with each engine, at the same time: what takes long is mostly waiting.
func eachEngine(t *testing.T, test func(t *testing.T, engine servers.Engine)) {
	t.Helper()
	for _, engine := range servers.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			test(t, engine)
		})
	}
}

// reachable reports whether something listens at an address.
func reachable(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// verdict is a test whose outcome is looked at by another.
type verdict struct {
	testing.TB
	failed, skipped string
}

// judge runs a test and returns its outcome.
func judge(t *testing.T, test func(testing.TB)) verdict {
	v := &verdict{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(v)
	}()
	<-done
	return *v
}

func (v *verdict) Errorf(format string, args ...any) { v.failed = fmt.Sprintf(format, args...) }

func (v *verdict) Fatalf(format string, args ...any) {
	v.Errorf(format, args...)
	runtime.Goexit()
}

func (v *verdict) Skipf(format string, args ...any) {
	v.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
