package storesuite_test

import (
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
)

// A fault is what is wrong with a server.
type fault string

const (
	nothing           fault = ""
	upserts           fault = "upserts"            // Update, Touch and Renew create
	comparesNothing   fault = "compares nothing"   // they replace any Revision
	comparesTooEarly  fault = "compares too early" // they compare, and write a moment later
	swallowsConflicts fault = "swallows conflicts" // they do nothing on a conflict, and say nothing
	deletesLate       fault = "deletes late"       // a record lives on for a moment
	touchesData       fault = "touches data"       // Touch writes Data, without a comparison
	touchUpserts      fault = "touch upserts"
	touchCompares     fault = "touch compares nothing"
	renewCompares     fault = "renew compares nothing"
	caches            fault = "caches" // a node keeps what it has read

	ignoresEpochs fault = "ignores epochs" // AddOwned adds in any
	raisesLate    fault = "raises late"    // RaiseEpoch lists, and raises a moment later
	raisesBlind   fault = "raises blind"   // RaiseEpoch lists nothing
	ignoresLimits fault = "ignores limits"
	addsLate      fault = "adds late"    // AddOwned compares, and adds a moment later
	removesAny    fault = "removes any"  // RemoveOwned does not compare
	removesNone   fault = "removes none" // it does nothing
	tellsNothing  fault = "tells nothing"
)

// of is what is wrong with one kind of write, where that is not wrong with all.
func (f fault) of(kind string) fault {
	switch {
	case kind == "touch" && f == touchUpserts:
		return upserts
	case kind == "touch" && (f == touchCompares || f == touchesData),
		kind == "renewal" && f == renewCompares:
		return comparesNothing
	}
	return f
}

var wrong = flag.String("wrong", "", "what is wrong with the server that TestWrong tests")

// TestWrong is what TestEachFaultIsSeen runs in another process, where it may fail.
func TestWrong(t *testing.T) {
	if *wrong == "" {
		t.Skip("it is to be run by another test")
	}
	s := newServer(fault(*wrong))
	storesuite.Run(t, storesuite.Subject{Flags: flags, Open: s.open, Share: 2})
}

// A test that cannot fail is none. What is listed depends on little luck.
func TestEachFaultIsSeen(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	for f, parts := range map[fault][]string{
		upserts:           {"Races", "Cases", "Models", "Nodes/Races", "Nodes/Models"},
		comparesNothing:   {"Races", "Cases", "Models", "Nodes/Races", "Nodes/AtOnce"},
		comparesTooEarly:  {"Nodes/AtOnce"},
		swallowsConflicts: {"Races", "Cases", "Models", "Nodes/Races", "Nodes/AtOnce"},
		deletesLate:       {"Races", "Cases", "Models", "Nodes/Races", "Nodes/AtOnce"},
		touchesData:       {"Races", "Cases"},
		touchUpserts:      {"Races"},
		touchCompares:     {"Cases"},
		renewCompares:     {"Races", "Cases", "Models", "Nodes/Races", "Nodes/AtOnce"},
		caches:            {"Nodes/Races", "Nodes/Cases", "Nodes/Models", "Nodes/AtOnce"},

		ignoresEpochs: {"Cases/SignInsMeet", "Cases/RevocationAt", "Nodes/Cases/SignInsMeet"},
		raisesLate:    {"Cases/SignInsMeet", "Nodes/Cases/SignInsMeet"},
		raisesBlind:   {"Cases/RevokeOwned", "Models", "Nodes/Models"},
		ignoresLimits: {"Cases/LimitOfSessions", "Cases/LimitAndPlaces"},
		addsLate:      {"Cases/SignInsMeet", "Cases/LimitOfSessions"},
		removesAny:    {"Cases/HealingRemoves"},
		removesNone:   {"Cases/SignInNotListed", "Cases/EndThatLeaves", "Cases/LimitAndOrphans"},
		tellsNothing:  {"Nodes/Cases/LiveEnds"},
	} {
		for _, part := range parts {
			t.Run(string(f)+", by "+part, func(t *testing.T) {
				t.Parallel()
				var text []byte
				var err error
				// What runs at once on several nodes may pass by luck, but not again and again.
				for try := 1; err == nil && try <= 5; try++ {
					test := exec.CommandContext(t.Context(), program, "-test.run=^TestWrong$/^"+part,
						"-test.failfast", "-test.timeout=5m", "-wrong="+string(f), "-seed=1")
					text, err = test.CombinedOutput()
				}
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit, "the suite does not see it: %s", text)
				require.Contains(t, string(text), "--- FAIL: TestWrong/"+part)
			})
		}
	}
}
