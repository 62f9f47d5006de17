package faults_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

func TestARenewedSessionHasOneGoodToken(t *testing.T) {
	const (
		old   = "was opened by token 0, which had been replaced"
		twice = "had its token 0 replaced twice"
		two   = "is opened by token 0 and token 1"
	)
	checkCases(t, faults.CheckRenewals, []verdictCase{
		{"the new one is good, the old one is not", []step{
			create("x"), sees(0), renew(faults.OK, 0, 1), sees(1), misses(0), sees(byID)}, nil},
		{"the old one is good", []step{create("x"), renew(faults.OK, 0, 1), sees(0)},
			[]string{old}},
		{"many reads are one violation", []step{
			create("x"), renew(faults.OK, 0, 1), sees(0), sees(0)}, []string{old}},
		{"the old one is good once more", []step{
			create("x"), renew(faults.OK, 0, 1), misses(0), sees(0).in(1)}, []string{old}},
		{"the old one serves a save", []step{
			create("x"), renew(faults.OK, 0, 1), save(faults.OK, "y")}, []string{old}},
		{"one before the old one is good", []step{
			create("x"), renew(faults.Unknown, 0, 1), renew(faults.OK, 1, 2), sees(0)},
			[]string{old}},
		{"a request during the renewal", []step{
			create("x"), renew(faults.OK, 0, 1).over(1), sees(0)}, nil},
		{"a request that began before the renewal", []step{
			create("x"), sees(0).over(1), renew(faults.OK, 0, 1)}, nil},
		{"a renewal of unknown outcome", []step{
			create("x"), renew(faults.Unknown, 0, 1), sees(1), sees(0)}, nil},
		{"a renewal that failed", []step{create("x"), renew(faults.Failed, 0, 0), sees(0)}, nil},
		{"a renewal of a session that was gone", []step{
			create("x"), renew(faults.OK, 0, 0), sees(0)}, nil},
		{"a token that is replaced twice", []step{
			create("x"), renew(faults.OK, 0, 1).over(1), renew(faults.OK, 0, 2).over(1), misses(0)},
			[]string{twice}},
		{"of two renewals one is refused", []step{
			create("x"), renew(faults.OK, 0, 1).over(1), renew(faults.Failed, 0, 0).over(1)}, nil},
		{"two are good in one round", []step{
			create("x"), renew(faults.Unknown, 0, 1), sees(1).in(1), sees(0).in(1)}, []string{two}},
		{"two are good in one round, the older one before and after", []step{
			create("x"), renew(faults.Unknown, 0, 1), sees(0).in(1), sees(1).in(1), sees(0).in(1)},
			[]string{two}},
		{"a renewal takes effect during a round", []step{
			create("x"), renew(faults.Unknown, 0, 1), sees(0).in(1), misses(1).in(1), sees(1).in(1),
			misses(0).in(1)}, nil},
		{"one is good in one round, one in another", []step{
			create("x"), renew(faults.Unknown, 0, 1), sees(1).in(1), misses(0).in(1),
			sees(0).in(2), misses(1).in(2)}, nil},
		{"one is good on two nodes", []step{
			create("x"), sees(0).in(1).on("a"), sees(0).in(1).on("b"), sees(byID).in(1)}, nil},
		{"another session's renewal", []step{
			create("x"), renew(faults.OK, 0, 1).of(1), sees(0)}, nil},
	})
}
