package faults_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

// signIn is one that was begun, for sure, just after the step of a number began.
func signIn(outcome faults.Outcome, asked int) step {
	return step{Operation: faults.Operation{
		Kind: faults.SignIn, Outcome: outcome, Owner: "w", Asked: 1000*asked + 2,
	}}
}

func revokeOwner(outcome faults.Outcome) step {
	return step{Operation: faults.Operation{
		Kind: faults.RevokeOwner, Outcome: outcome, Owner: "w",
	}}
}

// finds is a read that finds the session alive and signed in.
func finds(owner string) step { return findsBy(0, owner) }

// findsBy is one by a token, or by the ID.
func findsBy(token int, owner string) step {
	s := sees(token)
	s.Found = owner
	return s
}

func TestNoOwnerIsSignedInAfterTheEndOfAll(t *testing.T) {
	in := []string{"is signed in, though all of its owner's sessions ended"}
	const ok, failed, unknown = faults.OK, faults.Failed, faults.Unknown
	checkCases(t, faults.CheckOwners, []verdictCase{
		{"a session that ends with all others", []step{
			signIn(ok, 0), finds("w"), revokeOwner(ok), misses(0)}, nil},
		{"a session that lives on", []step{signIn(ok, 0), revokeOwner(ok), finds("w")}, in},
		{"seen twice it is one", []step{
			signIn(ok, 0), revokeOwner(ok), finds("w"), finds("w")}, in},
		{"no end", []step{signIn(ok, 0), finds("w")}, nil},
		{"an end that failed", []step{signIn(ok, 0), revokeOwner(failed), finds("w")}, nil},
		{"an end of unknown outcome", []step{
			signIn(ok, 0), revokeOwner(unknown), finds("w")}, nil},
		{"an end that never completed", []step{
			signIn(ok, 0), revokeOwner(ok).never(), finds("w")}, nil},
		{"the end of another owner's", []step{
			signIn(ok, 0), revokeOwner(ok), finds("v")}, nil},
		{"nobody's session, which the sign-in was not to get", []step{
			create("x"), signIn(failed, 0), revokeOwner(ok), finds("")}, nil},
		{"a sign-in that was begun before and completed after", []step{
			create("x"), revokeOwner(ok), signIn(ok, 0), finds("w")}, in},
		{"one that nobody was told of", []step{
			create("x"), revokeOwner(ok), signIn(unknown, 0), finds("w")}, in},
		{"one that nobody was told of, and nobody can use", []step{
			create("x"), revokeOwner(ok), signIn(unknown, 0), findsBy(byID, "w")}, nil},
		{"one that somebody was told of, by its ID", []step{
			create("x"), revokeOwner(ok), signIn(ok, 0), findsBy(byID, "w")}, in},
		{"one that was begun after", []step{revokeOwner(ok), signIn(ok, 1), finds("w")}, nil},
		{"one that was begun during the end", []step{
			create("x"), revokeOwner(ok).over(1), signIn(ok, 1), finds("w")}, nil},
		{"another one before, and one that was begun after", []step{
			signIn(ok, 0), revokeOwner(ok), signIn(ok, 2), finds("w")}, nil},
		{"another one before, and one that failed", []step{
			signIn(ok, 0), revokeOwner(ok), signIn(failed, 2), finds("w")}, in},
		{"a read during the end", []step{
			signIn(ok, 0), revokeOwner(ok).over(1), finds("w"), misses(0)}, nil},
		{"another session's sign-in", []step{
			signIn(ok, 0), signIn(ok, 0).of(1), revokeOwner(ok).of(2), finds("w").of(1)}, in},
	})
}

func TestOwnersOfAStoreThatIsRight(t *testing.T) {
	run := faults.Start(t, settings.Seed(), nodes(t, newBadStore())...)
	run.Create(20)
	run.Work(faults.Load{Workers: 8, Steps: 150, Mix: faults.OwnersMix()})
	run.ReadAll()
	requireNone(t, run.Verdict())
	h := run.History()
	for _, kind := range []faults.Kind{faults.SignIn, faults.Ask, faults.RevokeOwner} {
		assert.Positive(t, h.Count(faults.OK, kind), "%s", kind)
	}
	assert.Zero(t, h.Count(faults.Unknown))
}

func TestOwnersOfAStoreThatIsSetBack(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(20)
	run.Begin(20)
	require.Equal(t, 10, run.Each(faults.SignIn, 0, 10), "on sessions that are there")
	require.Equal(t, 10, run.Each(faults.SignIn, 20, 30), "and on new ones")
	require.Equal(t, 10, run.Each(faults.Ask, 10, 20))
	require.Equal(t, 10, run.Each(faults.Ask, 30, 40))
	store.snapshot()
	require.Equal(t, 40, run.Each(faults.RevokeOwner, 0, 40))
	store.crash()
	require.Equal(t, 10, run.Each(faults.SignIn, 10, 20), "the end is forgotten")
	require.Equal(t, 10, run.Each(faults.SignIn, 30, 40))
	run.ReadAll()
	require.Len(t, run.Verdict().Owners, 40)
}

func TestOwnersOfAStoreThatIgnoresEpochs(t *testing.T) {
	for name, anyEpoch := range map[string]bool{"right": false, "wrong": true} {
		t.Run(name, func(t *testing.T) {
			store := newBadStore()
			store.anyEpoch = anyEpoch
			run := faults.Start(t, settings.Seed(), nodes(t, store)...)
			run.Create(10)
			run.Begin(10)
			run.Each(faults.Ask, 0, 20)
			require.Equal(t, 20, run.Each(faults.RevokeOwner, 0, 20))
			run.Each(faults.SignIn, 0, 20)
			run.ReadAll()
			if anyEpoch {
				require.Len(t, run.Verdict().Owners, 20)
				return
			}
			requireNone(t, run.Verdict())
			require.Equal(t, 20, run.History().Count(faults.Failed, faults.SignIn))
		})
	}
}
