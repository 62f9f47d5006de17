package servers

import (
	"flag"
	"runtime"
	"strconv"
	"testing"
)

// atOnce is how many tests run at once that mostly wait: for servers to start, to fail over, to be
// found out as silent. Each may have a cluster's six servers.
const atOnce = 4

// Main runs the tests of a package of which most wait for servers, more of them at once than there
// are processors. It is for the package's TestMain. The flag -parallel goes before.
func Main(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))); err != nil {
			panic(err)
		}
	}
	m.Run()
}
