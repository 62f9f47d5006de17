package request

import (
	"errors"
	"fmt"
	"net/http"
)

// ask has one request answered and returns the exchange, or an error if the answer is not "ok".
func ask(s Server, path, cookie string) (Exchange, error) {
	x := s.Prepare(path, cookie)
	if status := x.Do(); status != http.StatusOK || x.Body() != string(answer) {
		return nil, fmt.Errorf("%s: answered %d, %q", path, status, x.Body())
	}
	return x, nil
}

var errNoCookie = errors.New("request: no Set-Cookie")

// cookieOf returns the Cookie line of a client that has got the exchange's last answer.
func cookieOf(x Exchange) (string, error) {
	cookie, err := setCookieOf(x)
	if err != nil {
		return "", err
	}
	return cookie.Name + "=" + cookie.Value, nil
}

func setCookieOf(x Exchange) (*http.Cookie, error) {
	lines := x.SetCookie()
	if len(lines) == 0 {
		return nil, errNoCookie
	}
	return http.ParseSetCookie(lines[len(lines)-1])
}

// begin makes a session, by the path that does it, and returns its client's Cookie line.
func begin(s Server, path string) (string, error) {
	x, err := ask(s, path, "")
	if err != nil {
		return "", err
	}
	return cookieOf(x)
}
