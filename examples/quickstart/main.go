// Command quickstart is the program of README.md: it counts a visitor's visits.
package main

import (
	"log"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/ginsession"
)

var visits = core.NewValue[int]("visits")

func main() {
	manager, err := core.New(core.Config{}) // in memory, cookie __Host-sid, a day at most, an hour idle
	if err != nil {
		log.Fatal(err)
	}
	r := gin.Default()
	r.Use(ginsession.New(manager)) // or echosession, fibersession, chisession, manager.Handler
	r.GET("/", func(c *gin.Context) {
		s := ginsession.Get(c)
		visits.Update(s, func(n int) int { return n + 1 })
		n, _ := visits.Get(s)
		c.String(http.StatusOK, "visit %d\n", n)
	})
	log.Fatal(r.Run("localhost:8080"))
}
