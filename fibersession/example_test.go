package fibersession_test

import (
	"fmt"
	"io"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/fibersession"
)

func ExampleNew() {
	manager, err := core.New(core.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	app := fiber.New()
	app.Use(recover.New(), fibersession.New(manager))
	app.Post("/sign-in", func(c *fiber.Ctx) error {
		fibersession.Get(c).SetOwner("user:42")
		return c.Redirect("/", fiber.StatusSeeOther)
	})

	request, _ := http.NewRequest(http.MethodPost, "/sign-in", nil)
	answer, err := app.Test(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.StatusCode, answer.Cookies()[0].Name)
	// Output: 303 __Host-sid
}

// A page's EventSource gets what is sent here, and is told when the session ends.
func ExampleEvents() {
	manager, err := core.New(core.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	app := fiber.New()
	app.Use(fibersession.NewWithConfig(manager, fibersession.Config{
		Passive: func(c *fiber.Ctx) bool { return c.Path() == "/events" },
	}))
	app.Get("/events", func(c *fiber.Ctx) error {
		return fibersession.Events(c, func(events *core.EventStream) error {
			return events.Send(core.StreamEvent{Name: "news", Data: "hello"}) // c is not for here
		})
	})
	app.Post("/sign-in", func(c *fiber.Ctx) error {
		fibersession.Get(c).SetOwner("user:42")
		return nil
	})

	request, _ := http.NewRequest(http.MethodPost, "/sign-in", nil)
	in, err := app.Test(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	request, _ = http.NewRequest(http.MethodGet, "/events", nil)
	request.AddCookie(in.Cookies()[0])
	stream, err := app.Test(request, -1)
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(stream.Body)
	fmt.Println(string(body))
	// Output:
	// :
	//
	// event: news
	// data: hello
}
