package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnLetsRequestsInFlightFinish(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	arrived := make(chan struct{})
	stopped := make(chan struct{})
	server := Server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-stopped
		_, err := io.WriteString(w, "done")
		assert.NoError(t, err)
	}))
	server.RegisterOnShutdown(func() { close(stopped) })
	listener, url, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- On(ctx, listener, server.Serve, server.Shutdown) }()
	go func() {
		<-arrived
		stop()
	}()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := new(http.Transport).RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, "done", string(body))
	require.NoError(t, <-ended)
}

func TestOnReturnsWhyServingFailed(t *testing.T) {
	failure := errors.New("no more connections")
	listener, _, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	err = On(t.Context(), listener,
		func(net.Listener) error { return failure },
		func(context.Context) error { panic("nothing to shut down") })
	require.ErrorIs(t, err, failure)
}

func TestOnEndsAServerThatHasNotBegunToServe(t *testing.T) {
	listener, _, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err = On(ctx, listener,
		func(l net.Listener) error {
			_, err := l.Accept() // As a server does that saw no sign of the end.
			return err
		},
		func(context.Context) error { return nil })
	require.NoError(t, err)
}

func TestUntilRefusesAnAddressInUse(t *testing.T) {
	listener, _, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	server := Server(http.NotFoundHandler())
	err = Until(t.Context(), listener.Addr().String(), io.Discard, server.Serve, server.Shutdown)
	require.Error(t, err)
}
