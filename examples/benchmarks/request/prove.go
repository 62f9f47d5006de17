package request

import (
	"errors"
	"fmt"
	"strings"
)

// A Proof is something that is true of every contestant that keeps sessions.
type Proof struct {
	Sentence string
	check    func(Contestant) error
}

// Proofs returns all of them.
func Proofs() []Proof {
	return []Proof{
		{"what was put into a session is read with its cookie, and nothing else", keepsValues},
		{"a session holds twenty values, also after one was changed", keepsFields},
		{"a change is there for the next request", keepsChange},
		{"a request that is repeated sees what was changed in between", looksAgain},
		{"two sessions hold what is their own", keepsApart},
		{"a cookie that was not handed out opens nothing", refuses},
		{"a request that does not look at the session is sent no cookie", staysSilent},
		{"the cookie is secure", isSecure},
	}
}

// Prove checks all proofs of contestants, and that bare frameworks answer as the others do.
func Prove(contestants []Contestant) error {
	var errs []error
	for _, c := range contestants {
		errs = append(errs, c.Prove())
	}
	return errors.Join(errs...)
}

// Prove checks all proofs of the contestant.
func (c Contestant) Prove() error {
	if c.Name == Bare {
		return answersAlike(c)
	}
	var errs []error
	for _, p := range Proofs() {
		errs = append(errs, p.Check(c))
	}
	return errors.Join(errs...)
}

// Check checks the proof of one contestant.
func (p Proof) Check(c Contestant) error {
	if err := p.check(c); err != nil {
		return fmt.Errorf("%s: not true that %s: %w", c, p.Sentence, err)
	}
	return nil
}

// with runs a check on a new server of the contestant.
func with(c Contestant, check func(s Server, want *Expected) error) error {
	want := &Expected{Name: "user-001", Visits: 17}
	s, err := c.build(want)
	if err != nil {
		return err
	}
	return errors.Join(check(s, want), s.Close())
}

var errMistaken = errors.New("read what is not there")

// misreads demands that the handler notices that the session does not hold what is wanted.
func misreads(s Server, cookie string, want *Expected, wrong Expected) error {
	right := *want
	*want = wrong
	_, err := ask(s, pathRead, cookie)
	*want = right
	if err == nil {
		return fmt.Errorf("%w: %v", errMistaken, wrong)
	}
	return nil
}

func keepsValues(c Contestant) error {
	return with(c, func(s Server, want *Expected) error {
		cookie, err := begin(s, pathCreate)
		if err != nil {
			return err
		}
		_, err = ask(s, pathRead, cookie)
		return errors.Join(err,
			misreads(s, cookie, want, Expected{Name: "user-002", Visits: want.Visits}),
			misreads(s, cookie, want, Expected{Name: want.Name, Visits: want.Visits + 1}),
			misreads(s, "", want, *want),
			misreads(s, cookie, want, Expected{}))
	})
}

func keepsFields(c Contestant) error {
	return with(c, func(s Server, want *Expected) error {
		cookie, err := begin(s, pathFill)
		if err != nil {
			return err
		}
		if err := askAll(s, cookie, pathRead, pathFields, pathChange); err != nil {
			return err
		}
		want.Visits++
		return askAll(s, cookie, pathRead, pathFields)
	})
}

func askAll(s Server, cookie string, paths ...string) error {
	for _, path := range paths {
		if _, err := ask(s, path, cookie); err != nil {
			return err
		}
	}
	return nil
}

func keepsChange(c Contestant) error {
	return with(c, func(s Server, want *Expected) error {
		cookie, err := begin(s, pathCreate)
		if err != nil {
			return err
		}
		for range 3 {
			if err := askAll(s, cookie, pathChange); err != nil {
				return err
			}
			want.Visits++
			if err := askAll(s, cookie, pathRead); err != nil {
				return err
			}
		}
		return nil
	})
}

// looksAgain guards against what a request carries over into its repetition, which no request of a
// client could: the measurement repeats requests.
func looksAgain(c Contestant) error {
	return with(c, func(s Server, want *Expected) error {
		cookie, err := begin(s, pathCreate)
		if err != nil {
			return err
		}
		again, err := ask(s, pathRead, cookie)
		if err != nil {
			return err
		}
		if err := askAll(s, cookie, pathChange); err != nil {
			return err
		}
		want.Visits++
		return repeat(again, 2)
	})
}

func keepsApart(c Contestant) error {
	return with(c, func(s Server, want *Expected) error {
		first := *want
		one, err := begin(s, pathCreate)
		if err != nil {
			return err
		}
		*want = Expected{Name: "user-002", Visits: 29}
		two, err := begin(s, pathCreate)
		if err != nil {
			return err
		}
		errs := []error{misreads(s, one, want, *want), misreads(s, two, want, first)}
		errs = append(errs, askAll(s, two, pathRead, pathChange))
		*want = first
		return errors.Join(append(errs, askAll(s, one, pathRead))...)
	})
}

// refuses tries tokens of the right form that were not handed out, and some of a wrong one. To
// answer with an error is as good as to see nothing in the session.
func refuses(c Contestant) error {
	return with(c, func(s Server, want *Expected) error {
		one, err := begin(s, pathCreate)
		if err != nil {
			return err
		}
		two, err := begin(s, pathCreate)
		if err != nil {
			return err
		}
		var errs []error
		for _, forged := range forgeries(one, two) {
			if err := misreads(s, forged, want, *want); err != nil {
				errs = append(errs, fmt.Errorf("with %s: %w", forged, err))
			}
		}
		return errors.Join(append(errs, askAll(s, one, pathRead), askAll(s, two, pathRead))...)
	})
}

// forgeries are Cookie lines that look like those of two sessions.
func forgeries(one, two string) []string {
	name, token, _ := strings.Cut(one, "=")
	_, other, _ := strings.Cut(two, "=")
	half := len(token) / 2
	return []string{
		name + "=",
		name + "=" + token[:len(token)-2],
		name + "=" + token + "AA",
		name + "=" + flip(token, 0),
		name + "=" + flip(token, half),
		name + "=" + flip(token, len(token)-4),
		name + "=" + token[:half] + other[half:],
		name + "=" + strings.Repeat("A", len(token)),
		name + "=" + token[:half] + "!" + token[half+1:],
		name + "x=" + token,
	}
}

// flip puts another letter or digit at a place.
func flip(token string, at int) string {
	other := "0"
	if token[at] == '0' {
		other = "1"
	}
	return token[:at] + other + token[at+1:]
}

func staysSilent(c Contestant) error {
	return with(c, func(s Server, _ *Expected) error {
		x, err := ask(s, pathUntouched, "")
		if err != nil {
			return err
		}
		if sent := len(x.SetCookie()) != 0; sent != c.eager {
			return fmt.Errorf("Set-Cookie: %q", x.SetCookie())
		}
		return nil
	})
}

func isSecure(c Contestant) error {
	return with(c, func(s Server, _ *Expected) error {
		x, err := ask(s, pathCreate, "")
		if err != nil {
			return err
		}
		cookie, err := setCookieOf(x)
		if err != nil {
			return err
		}
		if !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" {
			return fmt.Errorf("Set-Cookie: %s", cookie.Raw)
		}
		return nil
	})
}

// answersAlike is the one proof of a framework without sessions.
func answersAlike(c Contestant) error {
	return with(c, func(s Server, _ *Expected) error {
		return askAll(s, "",
			pathRead, pathChange, pathCreate, pathFill, pathFields, pathUntouched)
	})
}
