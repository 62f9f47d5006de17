package faults_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

func TestNoAcknowledgedEndIsUndone(t *testing.T) {
	back := []string{"came back after its end"}
	checkCases(t, faults.CheckEnds, []verdictCase{
		{"a session that stays dead", []step{
			create("x"), sees(0, "x"), destroy(faults.OK, true), misses(0), misses(byID)}, nil},
		{"a session that was never ended", []step{create("x"), sees(0, "x")}, nil},
		{"a read that finds it by its token", []step{
			create("x"), destroy(faults.OK, true), sees(0, "x")}, back},
		{"a read that finds it by its ID, on another node", []step{
			create("x"), revoke(faults.OK).on("a"), sees(byID, "x").on("b")}, back},
		{"once dead, then alive", []step{
			create("x"), revoke(faults.OK), misses(0), misses(0), sees(0).in(2)}, back},
		{"many reads are one session that came back", []step{
			create("x"), revoke(faults.OK), sees(0), sees(0), sees(byID)}, back},
		{"two sessions", []step{
			create("x"), create("y").of(1), revoke(faults.OK), revoke(faults.OK).of(1),
			sees(0), sees(0).of(1)}, append(back, back...)},
		{"another session's end", []step{create("x"), revoke(faults.OK).of(1), sees(0)}, nil},
		{"a save finds it", []step{
			create("x"), revoke(faults.OK), save(faults.Unknown, "y")}, back},
		{"a renewal finds it", []step{
			create("x"), revoke(faults.OK), renew(faults.Failed, 0, 0)}, back},
		{"another end finds it", []step{
			create("x"), revoke(faults.OK), destroy(faults.OK, true)}, back},
		{"another end does not find it", []step{
			create("x"), revoke(faults.OK), destroy(faults.OK, false)}, nil},
		{"an end that failed", []step{create("x"), destroy(faults.Failed, true), sees(0)}, nil},
		{"an end of unknown outcome", []step{
			create("x"), destroy(faults.Unknown, true), misses(0), sees(0)}, nil},
		{"an end that never completed", []step{create("x"), revoke(faults.OK).never(), sees(0)}, nil},
		{"an unknown end that was repeated", []step{
			create("x"), destroy(faults.Unknown, true), destroy(faults.OK, false), sees(0)}, back},
		{"an unknown end that was confirmed", []step{
			create("x"), destroy(faults.Unknown, true), sees(0),
			{Operation: faults.Operation{Kind: faults.Confirm, Outcome: faults.OK}},
			sees(0)}, back},
		{"a read during the end", []step{
			create("x"), revoke(faults.OK).over(1), sees(0, "x"), misses(0)}, nil},
		{"a read that began before the end was complete", []step{
			create("x"), sees(0, "x").over(1), revoke(faults.OK), misses(0)}, nil},
		{"the earlier of two ends counts", []step{
			create("x"), revoke(faults.OK).over(3), revoke(faults.OK), sees(0), misses(0)}, back},
		{"a destroy with a token that proves nothing any more", []step{
			create("x"), renew(faults.Unknown, 0, 0), destroy(faults.OK, false), sees(byID)}, nil},
		{"a revocation after a renewal", []step{
			create("x"), renew(faults.Unknown, 0, 0), revoke(faults.OK), sees(byID)}, back},
	})
}
