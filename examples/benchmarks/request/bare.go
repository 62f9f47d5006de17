package request

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	fiber3 "github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
)

func bareNetHTTP(want *Expected) (Server, error) {
	return endless(onHTTP(nil, bareVerbs[*http.Request](want).routes(want))), nil
}

func bareChi(want *Expected) (Server, error) {
	return endless(onChi(nil, bareVerbs[*http.Request](want).routes(want))), nil
}

func bareGin(want *Expected) (Server, error) {
	return endless(onGin(nil, bareVerbs[*gin.Context](want).routes(want))), nil
}

func bareEcho(want *Expected) (Server, error) {
	return endless(onEcho(nil, bareVerbs[echo.Context](want).routes(want))), nil
}

func bareFiber2(want *Expected) (Server, error) {
	return endless(onFiber2(nil, bareVerbs[*fiber.Ctx](want).routes(want))), nil
}

func bareFiber3(want *Expected) (Server, error) {
	return endless(onFiber3(nil, bareVerbs[fiber3.Ctx](want).routes(want))), nil
}
