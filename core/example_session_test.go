package core_test

import (
	"fmt"
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// At sign-in, say whose session it is: it gets a new token by itself, and keeps its values.
func ExampleSession_SetOwner() {
	c := newClient()
	cart := core.NewValue[[]string]("cart")
	c.do(func(_ http.ResponseWriter, s *core.Session) { cart.Set(s, []string{"tea"}) })
	before := c.cookie
	c.do(func(_ http.ResponseWriter, s *core.Session) { s.SetOwner("user:42") })
	fmt.Println("new token:", c.cookie != before)
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		items, _ := cart.Get(s)
		fmt.Println(s.Owner(), items)
	})
	// Output:
	// new token: true
	// user:42 [tea]
}

// A value of one's own that says who is signed in does not renew the token: whoever planted the old
// one is signed in, too. Use SetOwner, or call Renew as well.
func ExampleSession_SetOwner_incorrect() {
	c := newClient()
	user := core.NewValue[string]("user")
	c.do(func(_ http.ResponseWriter, s *core.Session) { user.Set(s, "") })
	planted := c.cookie
	c.do(func(_ http.ResponseWriter, s *core.Session) { user.Set(s, "alice") })

	attacker := &client{manager: c.manager, cookie: planted}
	attacker.do(func(_ http.ResponseWriter, s *core.Session) {
		name, _ := user.Get(s)
		fmt.Println("the attacker is", name)
	})
	// Output: the attacker is alice
}

func ExampleSession_Renew() {
	c := newClient()
	level := core.NewValue[int]("level")
	var id core.ID
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		level.Set(s, 1)
		id = s.ID()
	})
	before := c.cookie
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		s.Renew()
		level.Set(s, 2)
	})
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		n, _ := level.Get(s)
		fmt.Println(n, s.ID() == id, c.cookie != before)
	})
	// Output: 2 true true
}

func ExampleSession_Destroy() {
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) { s.SetOwner("user:42") })
	stolen := &client{manager: c.manager, cookie: c.cookie}
	answer := c.do(func(_ http.ResponseWriter, s *core.Session) { s.Destroy() })
	fmt.Println(answer.Cookies()[0].MaxAge)
	stolen.do(func(_ http.ResponseWriter, s *core.Session) { fmt.Printf("%q\n", s.Owner()) })
	// Output:
	// -1
	// ""
}

func ExampleSession_Clear() {
	c := newClient()
	cart := core.NewValue[[]string]("cart")
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		s.SetOwner("user:42")
		cart.Set(s, []string{"tea"})
		s.Clear()
		fmt.Println(s.Names(), s.Owner())
	})
	// Output: [] user:42
}

// 'Remember me': the browser keeps this session's cookie when it ends.
func ExampleSession_Persist() {
	c := newClient()
	answer := c.do(func(_ http.ResponseWriter, s *core.Session) {
		s.SetOwner("user:42")
		s.Persist(true)
	})
	fmt.Println(answer.Cookies()[0].MaxAge)
	// Output: 86400
}

func ExampleValue_Get() {
	type Settings struct{ Theme, Language string }
	settings := core.NewValue[Settings]("settings")
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		_, ok := settings.Get(s)
		fmt.Println(ok)
		settings.Set(s, Settings{Theme: "dark", Language: "eo"})
		val, ok := settings.Get(s)
		fmt.Println(val.Language, ok)
	})
	// Output:
	// false
	// eo true
}

// Set encodes at once: to change what Get returned is not to change the session.
func ExampleValue_Set_incorrect() {
	cart := core.NewValue[map[string]int]("cart")
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		cart.Set(s, map[string]int{"tea": 1})
		items, _ := cart.Get(s)
		items["tea"] = 2 // stores nothing; use cart.Update
		items, _ = cart.Get(s)
		fmt.Println(items["tea"])
	})
	// Output: 1
}

// Parallel requests count exactly: the function is run again on what another request left.
func ExampleValue_Update() {
	failures := core.NewValue[int]("failures")
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) { failures.Set(s, 0) })
	slow := &client{manager: c.manager, cookie: c.cookie}
	slow.do(func(_ http.ResponseWriter, s *core.Session) {
		failures.Update(s, func(n int) int { return n + 1 })
		// Another request comes and goes before this one is done.
		c.do(func(_ http.ResponseWriter, s *core.Session) {
			failures.Update(s, func(n int) int { return n + 1 })
		})
	})
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		n, _ := failures.Get(s)
		fmt.Println(n)
	})
	// Output: 2
}

// A flash message shows once.
func ExampleValue_Take() {
	flash := core.NewValue[string]("flash")
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) { flash.Set(s, "Saved.") })
	for range 2 {
		c.do(func(_ http.ResponseWriter, s *core.Session) {
			message, ok := flash.Take(s)
			fmt.Printf("%q %v\n", message, ok)
		})
	}
	// Output:
	// "Saved." true
	// "" false
}

// An OAuth state is good for one request only, also if two come at once.
func ExampleValue_TakeOnce() {
	state := core.NewValue[string]("oauth-state")
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) { state.Set(s, "af0ifjsldkj") })
	first := &client{manager: c.manager, cookie: c.cookie}
	answer := first.do(func(_ http.ResponseWriter, s *core.Session) {
		_, mine := state.TakeOnce(s)
		second := c.do(func(_ http.ResponseWriter, s *core.Session) { state.TakeOnce(s) })
		fmt.Println(mine, second.StatusCode)
	})
	fmt.Println(answer.StatusCode)
	// Output:
	// true 200
	// 409
}

func ExampleValue_Delete() {
	draft := core.NewValue[string]("draft")
	c := newClient()
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		draft.Set(s, "Dear Ada,")
		draft.Delete(s)
		_, ok := draft.Get(s)
		fmt.Println(ok)
	})
	// Output: false
}
