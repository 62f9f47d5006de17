package faults

import "fmt"

// CheckRenewals checks invariant R: a session has one good token. Once a renewal was acknowledged,
// nothing that is invoked later with the token that it replaced, or with an older one, finds the
// session alive; a token is replaced once only; and in no round a token is good after a newer one
// was. It returns at most one violation of each of these for each session.
func CheckRenewals(h History) []Violation {
	return bySession(h, func(one History) []Violation {
		var found []Violation
		for _, check := range []func(History) (Violation, bool){oldToken, fork, twoTokens} {
			if v, broken := check(one); broken {
				found = append(found, v)
			}
		}
		return found
	})
}

// oldToken finds a replaced token that is good.
func oldToken(one History) (Violation, bool) {
	for _, renewal := range one {
		if renewal.Kind != Renew || renewal.Outcome != OK || renewal.Issued == 0 {
			continue
		}
		for _, o := range one {
			shown := o.Kind != Create && o.Token != ByID && o.Token <= renewal.Token
			if shown && o.Invoked > renewal.Completed && o.Alive {
				text := fmt.Sprintf("was opened by token %d, which had been replaced", o.Token)
				return Violation{"R", o.Session, text, []Operation{renewal, o}}, true
			}
		}
	}
	return Violation{}, false
}

// fork finds two renewals of one token.
func fork(one History) (Violation, bool) {
	replaced := map[int]Operation{}
	for _, o := range one {
		if o.Kind != Renew || o.Outcome != OK || o.Issued == 0 {
			continue
		}
		if first, ok := replaced[o.Token]; ok {
			text := fmt.Sprintf("had its token %d replaced twice", o.Token)
			return Violation{"R", o.Session, text, []Operation{first, o}}, true
		}
		replaced[o.Token] = o
	}
	return Violation{}, false
}

// twoTokens finds a token that is good in a round after a newer one was. (The other way round
// nothing is wrong: a renewal of unknown outcome may take effect at any time.)
func twoTokens(one History) (Violation, bool) {
	for _, newer := range one {
		if !goodInRound(newer) {
			continue
		}
		for _, o := range one {
			later := goodInRound(o) && o.Round == newer.Round && o.Invoked > newer.Completed
			if later && o.Token < newer.Token {
				text := fmt.Sprintf("is opened by token %d and token %d", o.Token, newer.Token)
				return Violation{"R", o.Session, text, []Operation{newer, o}}, true
			}
		}
	}
	return Violation{}, false
}

func goodInRound(o Operation) bool {
	return o.Round > 0 && o.Kind == Read && o.Token != ByID && o.Alive
}
