package main

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/examples/internal/site/sitetest"
)

func TestSite(t *testing.T) {
	sitetest.Test(t, run)
}
