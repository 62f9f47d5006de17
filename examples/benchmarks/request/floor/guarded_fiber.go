package floor

import "github.com/gofiber/fiber/v2"

// Fiber is the middleware for fiber v2, which sends the response when the handler has returned, so
// that no first byte has to be noted. Handlers find the visit with OfFiber, what is below with
// From.
func (g *Guarded) Fiber(c *fiber.Ctx) error {
	v := new(Visit)
	g.open(v, c.UserContext(), tokenIn(c.Get(fiber.HeaderCookie)), fiberHeader{c})
	c.SetUserContext(v)
	c.Locals(guardedName, v)
	return c.Next()
}

// OfFiber is the visit of a request below Fiber.
func OfFiber(c *fiber.Ctx) *Visit {
	return looked(c.Locals(guardedName).(*Visit))
}
