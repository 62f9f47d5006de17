package faults_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

func TestNoAcknowledgedChangeIsLost(t *testing.T) {
	checkCases(t, faults.CheckChanges, []verdictCase{
		{"all are there", []step{
			create("x"), save(faults.OK, "y"), sees(0, "x", "y").in(1), sees(byID, "x", "y").in(1)},
			nil},
		{"one is missing", []step{
			create("x"), save(faults.OK, "y"), save(faults.OK, "z"), sees(0, "x", "z").in(1)},
			[]string{"has lost y"}},
		{"the first one is missing", []step{
			create("x"), save(faults.OK, "y"), sees(byID, "y").in(1)}, []string{"has lost x"}},
		{"two are missing, in two rounds", []step{
			create("x"), save(faults.OK, "y"), sees(0, "x").in(1), sees(0).in(2)},
			[]string{"has lost y", "has lost x"}},
		{"it is missing in the second round only", []step{
			create("x"), sees(0, "x").in(1), sees(0).in(2)}, []string{"has lost x"}},
		{"the session is gone", []step{
			create("x"), save(faults.OK, "y"), misses(byID).in(1)},
			[]string{"is gone though nobody ended it"}},
		{"a token is dead, but the session lives", []step{
			create("x"), misses(0).in(1), sees(byID, "x").in(1)}, nil},
		{"the session ended", []step{
			create("x"), save(faults.OK, "y"), revoke(faults.OK), misses(byID).in(1)}, nil},
		{"perhaps the session ended", []step{
			create("x"), destroy(faults.Unknown, true), misses(byID).in(1)}, nil},
		{"an end that failed excuses nothing", []step{
			create("x"), destroy(faults.Failed, true), misses(byID).in(1)},
			[]string{"is gone though nobody ended it"}},
		{"an unknown one is missing", []step{
			create("x"), save(faults.Unknown, "y"), sees(0, "x").in(1)}, nil},
		{"an unknown one is there", []step{
			create("x"), save(faults.Unknown, "y"), sees(0, "x", "y").in(1)}, nil},
		{"one that never completed is missing", []step{
			create("x"), save(faults.OK, "y").never(), sees(0, "x").in(1)}, nil},
		{"a failed one is missing", []step{
			create("x"), save(faults.Failed, "y"), sees(0, "x").in(1)}, nil},
		{"a failed one is there", []step{
			create("x"), save(faults.Failed, "y"), sees(0, "x", "y"), sees(0, "x", "y").in(1)},
			[]string{"holds y, which failed"}},
		{"a failed one is there in a session that ended", []step{
			create("x"), save(faults.Failed, "y"), sees(0, "x", "y"), revoke(faults.OK)},
			[]string{"holds y, which failed"}},
		{"one is there twice", []step{
			create("x"), save(faults.OK, "y"), sees(0, "x", "y", "y"), sees(0, "x", "y", "y").in(1)},
			[]string{"holds y twice"}},
		{"a read without an answer", []step{
			create("x"), {Operation: faults.Operation{
				Kind: faults.Read, Outcome: faults.Failed, Token: byID, Round: 1}}}, nil},
		{"a read before the change", []step{
			create("x"), sees(0, "x").in(1), save(faults.OK, "y"), sees(0, "x", "y").in(2)}, nil},
		{"a read during the change", []step{
			create("x"), save(faults.OK, "y").over(1), sees(0, "x").in(1)}, nil},
		{"a read of another node while the load runs", []step{
			create("x"), save(faults.OK, "y"), sees(0, "x"), sees(0, "x", "y").in(1)}, nil},
		{"a session that never began", []step{
			{Operation: faults.Operation{Kind: faults.Create, Mark: "x"}}, misses(byID).in(1)}, nil},
		{"another session's marks", []step{
			create("x"), create("y").of(1), sees(0, "x").in(1), sees(0, "y").of(1).in(1)}, nil},
	})
}

func TestANodeSeesWhatWasAcknowledgedThroughIt(t *testing.T) {
	checkCases(t, faults.CheckViews, []verdictCase{
		{"it does", []step{
			create("x").on("a"), save(faults.OK, "y").on("a"), sees(0, "x", "y").on("a")}, nil},
		{"it does not", []step{
			create("x").on("a"), save(faults.OK, "y").on("a"), sees(0, "x").on("a"),
			sees(byID, "x").on("a")}, []string{"did not show y"}},
		{"not the first one", []step{
			create("x").on("a"), sees(0).on("a")}, []string{"did not show x"}},
		{"another node does not", []step{
			create("x").on("a"), save(faults.OK, "y").on("b"), sees(0, "x").on("a")}, nil},
		{"it is under way", []step{
			create("x").on("a"), save(faults.OK, "y").on("a").over(1), sees(0, "x").on("a")}, nil},
		{"it is not acknowledged", []step{
			create("x").on("a"), save(faults.Unknown, "y").on("a"), sees(0, "x").on("a")}, nil},
		{"the session is not alive", []step{create("x").on("a"), misses(0).on("a")}, nil},
		{"it came after an end that may have been undone", []step{
			create("x").on("a"), revoke(faults.Unknown).on("b"), save(faults.OK, "y").on("a"),
			sees(0, "x").on("a")}, nil},
		{"it came while such an end was under way", []step{
			create("x").on("a"), save(faults.OK, "y").on("a").over(1),
			revoke(faults.Unknown).on("b").over(1), sees(0, "x").on("a")}, nil},
		{"it came before such an end", []step{
			create("x").on("a"), save(faults.OK, "y").on("a"), revoke(faults.Unknown).on("b"),
			sees(0, "x").on("a")}, []string{"did not show y"}},
		{"it came after an end that failed", []step{
			create("x").on("a"), revoke(faults.Failed).on("b"), save(faults.OK, "y").on("a"),
			sees(0, "x").on("a")}, []string{"did not show y"}},
	})
}
