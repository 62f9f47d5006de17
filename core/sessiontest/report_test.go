package sessiontest_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

const reportOf = "SESSIONTEST_REPORT"

// report runs one subtest of TestReport in a process of its own, where tests may fail.
func report(t *testing.T, subtest string) (output string, failed bool) {
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, "-test.v", "-test.run=^TestReport$/^"+subtest)
	cmd.Env = append(os.Environ(), reportOf+"=1")
	text, err := cmd.CombinedOutput()
	return string(text), err != nil
}

// TestReport is what report runs. It does nothing otherwise.
func TestReport(t *testing.T) {
	if os.Getenv(reportOf) == "" {
		return
	}
	t.Run("store", func(t *testing.T) {
		sessiontest.TestStore(t, func(testing.TB) core.Store { return upserting{newMemoryStore()} })
	})
	t.Run("adapter", func(t *testing.T) {
		l := slip{buffer: func(b *buffering) { b.sent = nothing }}
		sum := sessiontest.TestAdapter(t, l.mount, sessiontest.Disconnects)
		t.Logf("Summary: %+v", sum)
	})
	t.Run("ability", func(t *testing.T) {
		sessiontest.TestAdapter(t, mounted, sessiontest.Streams)
	})
}

func TestAFailureIsReportedWithTheSentenceOfTheContract(t *testing.T) {
	t.Parallel()
	output, failed := report(t, "store$/update-absent")
	require.True(t, failed)
	assert.Contains(t, output, "--- FAIL: TestReport/store/update-absent")
	assert.Contains(t, output, `Update of what is not there answers "no error"`)
	assert.Contains(t, output, "The contract says: Update never creates, and answers")

	output, failed = report(t, "adapter$/sealed")
	require.True(t, failed)
	assert.Contains(t, output, "--- FAIL: TestReport/adapter/sealed")
	assert.Contains(t, output, `Session.Err after a change that came too late is "no error"`)
	assert.Contains(t, output, "An adapter promises: When the request is over the session")
	assert.Contains(t, output, "Failed:[sealed] Lacking:[client-gone]")
}

func TestWhatIsNotTestedIsSaid(t *testing.T) {
	t.Parallel()
	output, failed := report(t, "store$/touch$")
	require.False(t, failed, "that a store lacks an ability is no failure")
	assert.Contains(t, output, "--- SKIP: TestReport/store/touch")
	assert.Contains(t, output, "not tested: sessiontest_test.upserting is no core.Toucher")

	output, _ = report(t, "adapter$/answer$")
	assert.Contains(t, output, `NOT TESTED: client-gone, since the framework lacks the ability`)
}

func TestAnAbilityCannotBeDenied(t *testing.T) {
	t.Parallel()
	output, failed := report(t, "ability$/answer$")
	require.True(t, failed)
	assert.Contains(t, output, `the framework is said to lack the ability "streams", but`)
}
