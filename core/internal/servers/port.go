package servers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
)

// Ports are taken from where Linux does not take those of outgoing connections (32768 and up), and
// low enough for a cluster's second port, which is 10000 higher, to be there as well. There are
// fewer than that, so that nobody's second port is another's first, which may be bound sooner.
const (
	lowestPort  = 10500
	highestPort = lowestPort + secondPort
	secondPort  = 10000
)

// freePort returns a port of 127.0.0.1 that is free, as is the one 10000 higher. It stays reserved
// as long as this process lives, also while its server is down, among all processes that ask here.
func freePort() (int, error) {
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		reservation, err := reserve(fmt.Sprintf("port-%d", port))
		if err != nil {
			continue // another test's
		}
		if !listenable(local(port)) || !listenable(local(port+secondPort)) {
			_ = reservation.Close()
			continue
		}
		holdForever(reservation)
		return port, nil
	}
	return 0, errors.New("no port of 127.0.0.1 is free")
}

// local is the address of a port on the loopback interface.
func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// listenable reports whether an address can be listened at now. No other program is begun
// meanwhile: until it has taken over, it would hold the probe open, too.
func listenable(addr string) bool {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	probe, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	return probe.Close() == nil
}
