package faults_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

// A step of a hand-written history: one operation after the other, except that the one lasts until
// as many further ones as during says have begun.
type step struct {
	faults.Operation
	during int
}

const byID = faults.ByID

func create(mark string) step {
	return step{Operation: faults.Operation{Kind: faults.Create, Outcome: faults.OK, Mark: mark}}
}

func save(outcome faults.Outcome, mark string) step {
	return step{Operation: faults.Operation{
		Kind: faults.Save, Outcome: outcome, Mark: mark, Alive: true,
	}}
}

// sees is a read that finds the session alive.
func sees(token int, marks ...string) step {
	return step{Operation: faults.Operation{
		Kind: faults.Read, Outcome: faults.OK, Token: token, Alive: true, Marks: marks,
	}}
}

// misses is a read that finds no living session.
func misses(token int) step {
	return step{Operation: faults.Operation{Kind: faults.Read, Outcome: faults.OK, Token: token}}
}

func renew(outcome faults.Outcome, token, issued int) step {
	return step{Operation: faults.Operation{
		Kind: faults.Renew, Outcome: outcome, Token: token, Issued: issued, Alive: true,
	}}
}

func destroy(outcome faults.Outcome, alive bool) step {
	return step{Operation: faults.Operation{Kind: faults.Destroy, Outcome: outcome, Alive: alive}}
}

func revoke(outcome faults.Outcome) step {
	return step{Operation: faults.Operation{Kind: faults.Revoke, Outcome: outcome, Token: byID}}
}

func (s step) of(session int) step { s.Session = session; return s }
func (s step) on(node string) step { s.Node = node; return s }
func (s step) in(round int) step   { s.Round = round; return s }

// over makes a step last until n further ones have begun.
func (s step) over(n int) step { s.during = n; return s }

// never makes a step that is not completed.
func (s step) never() step { s.during = -1; return s }

// history gives the steps their moments.
func history(steps ...step) faults.History {
	var h faults.History
	for i, s := range steps {
		s.Invoked = 1000*i + 1
		s.Completed = 1000*(i+s.during) + 500 + i
		if s.during < 0 {
			s.Completed = 0
		}
		h = append(h, s.Operation)
	}
	return h
}

type verdictCase struct {
	name  string
	steps []step
	want  []string // what is wrong with which session; nil if nothing is
}

func checkCases(
	t *testing.T, check func(faults.History) []faults.Violation, cases []verdictCase,
) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := history(c.steps...)
			var got []string
			for _, v := range check(h) {
				assert.NotEmpty(t, v.Proof)
				got = append(got, v.Text)
			}
			assert.Equal(t, c.want, got)
			backwards := faults.History{}
			for i := range h {
				backwards = append(backwards, h[len(h)-1-i])
			}
			assert.Len(t, check(backwards), len(c.want), "the order of the list does not matter")
		})
	}
}

func TestAnOperationIsPrintedOnOneLineWithWhatMatters(t *testing.T) {
	o := renew(faults.Unknown, 0, 1).of(7).on("a").in(2).Operation
	o.Err = errors.New("no answer")
	assert.Regexp(t, `^ *0-0 .* session 7  renew on a: unknown, token 0, issues 1, alive true, `+
		`round 2, no answer$`, o.String())
	assert.Regexp(t, `revoke on a: failed, by ID$`, revoke(faults.Failed).on("a").String())
	assert.Regexp(t, `token 1, alive true, 2 marks$`, sees(1, "x", "y").String())
}

func TestAVerdictPrintsNumbersAndProofs(t *testing.T) {
	h := history(create("x"), destroy(faults.OK, true), sees(0, "x"))
	v := faults.Judge(h)
	require.Len(t, v.Ends, 1)
	assert.Regexp(t, `(?s)^violations: 1 L, 0 W, 0 R, 0 V, 0 O\n`+
		`L: session 0 came back after its end\n +.*destroy.*\n +.*read`, v.String())
}

func TestCountCountsOutcomesOfKinds(t *testing.T) {
	h := history(create("x"), save(faults.OK, "y"), save(faults.Failed, "z"), revoke(faults.OK))
	assert.Equal(t, 3, h.Count(faults.OK))
	assert.Equal(t, 2, h.Count(faults.OK, faults.Save, faults.Revoke))
	assert.Equal(t, 1, h.Count(faults.Failed, faults.Save))
	assert.Zero(t, h.Count(faults.Unknown, faults.Save))
}
