// Command api is a page that calls an API on another origin and carries its session in a header.
// It needs no framework: the API uses core's own middleware for net/http.
//
// A header suits clients that are no browsers, and pages whose API lives elsewhere: no cookie has
// to cross between sites, and no other page can send the token along, so there is nothing to
// forge. The price is that the page's script can read the token, which it never could of the
// cookie; see page/app.js.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/serve"
)

func main() {
	page := flag.String("page", "127.0.0.1:8081", "serve the page on this `address`")
	addr := flag.String("addr", "127.0.0.1:8082", "serve the API on this `address`")
	flag.Parse()
	serve.Main(func(ctx context.Context, stdout, stderr io.Writer) error {
		return run(ctx, *page, *addr, stdout, stderr)
	})
}

// run serves the page and the API until ctx is done or either of them has failed.
func run(ctx context.Context, pageAddr, apiAddr string, stdout, stderr io.Writer) (err error) {
	m, err := core.New(core.Config{
		Carrier: core.Header{},
		Logger:  slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()

	// Each of the two has to know the other's URL, so both listen before either serves.
	pageListener, pageURL, err := serve.Listen(pageAddr)
	if err != nil {
		return err
	}
	defer pageListener.Close()
	apiListener, apiURL, err := serve.Listen(apiAddr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "page %s\napi  %s\n", pageURL, apiURL)

	page := serve.Server(pageHandler(origin(apiURL)))
	api := serve.Server(apiHandler(m, origin(pageURL)))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pageDone := make(chan error, 1)
	go func() {
		defer cancel()
		pageDone <- serve.On(ctx, pageListener, page.Serve, page.Shutdown)
	}()
	err = serve.On(ctx, apiListener, api.Serve, api.Shutdown)
	cancel()
	return errors.Join(err, <-pageDone)
}
