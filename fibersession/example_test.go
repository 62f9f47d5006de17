package fibersession_test

import (
	"fmt"
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
