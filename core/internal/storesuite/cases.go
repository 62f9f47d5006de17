package storesuite

import "testing"

// A tale is a number of cases about one thing.
type tale struct {
	name string
	tell func(t *testing.T, g *ground)
}

func tales() []tale {
	return []tale{
		{"StoreDownAndBack", storeDownAndBack},
		{"StoreHangs", storeHangs},
		{"ConflictAndLoadFails", conflictAndLoadFails},
		{"Contention", contention},
		{"NotDurable", notDurable},
		{"NotDurableRevoke", notDurableRevoke},
		{"ConfirmingUndoesNothing", confirmingUndoesNothing},
		{"ClientGone", clientGone},
		{"AfterFirstByte", afterFirstByte},
		{"AfterFirstByteFails", afterFirstByteFails},
		{"Rollback", rollback},
		{"UnknownOutcome", unknownOutcome},
		{"UnknownOutcomeAndAnotherWriter", unknownOutcomeAndAnotherWriter},
		{"UnknownOutcomeAndAnotherWriterBeforeRepetition",
			unknownOutcomeAndAnotherWriterBeforeRepetition},
		{"RepeatedWriteIsTheSame", repeatedWriteIsTheSame},
		{"UnknownSignIn", unknownSignIn},
		{"UnknownBeginning", unknownBeginning},
		{"UnknownEnd", unknownEnd},
		{"ParallelUpdates", parallelUpdates},
		{"ParallelTakeOnce", parallelTakeOnce},
		{"ParallelRenewals", parallelRenewals},
		{"ParallelEnds", parallelEnds},
		{"ManyGoroutinesOfOneRequest", manyGoroutinesOfOneRequest},
		{"TimeoutDuringWrite", timeoutDuringWrite},
		{"SlowRequestAcrossTimeout", slowRequestAcrossTimeout},
		{"TouchOfAnotherKeepsSlowRequestAlive", touchOfAnotherKeepsSlowRequestAlive},
		{"LateWriteForgetsNoUse", lateWriteForgetsNoUse},
		{"OutdatedToken", outdatedToken},
		{"OutdatedTokenCannotBegin", outdatedTokenCannotBegin},
		{"OutdatedTokenIsRemembered", outdatedTokenIsRemembered},
		{"DestroyWithOutdatedToken", destroyWithOutdatedToken},
		{"WrongSecret", wrongSecret},
		{"DestroyReachesStoreWithoutRecord", destroyReachesStoreWithoutRecord},
		{"ChangesWhileCommitRuns", changesWhileCommitRuns},
		{"ChangesWhileCommitMeetsAnother", changesWhileCommitMeetsAnother},
		{"EndWhileCommitRuns", endWhileCommitRuns},
		{"OpenedSession", openedSession},
		{"SignInsMeetRevocation", signInsMeetRevocation},
		{"RevocationAtEachCall", revocationAtEachCall},
		{"SignInWithoutSignIn", signInWithoutSignIn},
		{"LimitOfSessions", limitOfSessions},
		{"LimitAndOrphans", limitAndOrphans},
		{"LimitAndPlaces", limitAndPlaces},
		{"RevokeOwned", revokeOwned},
		{"RevokeOthers", revokeOthers},
		{"ChangeOfOwner", changeOfOwner},
		{"SignInNotListed", signInNotListed},
		{"SignInNotAnswered", signInNotAnswered},
		{"SignInListedTheSecondTime", signInListedTheSecondTime},
		{"SignInThatCrashes", signInThatCrashes},
		{"EndThatLeavesAnEntry", endThatLeavesAnEntry},
		{"HealingRemovesNothingNew", healingRemovesNothingNew},
		{"LiveEnds", liveEnds},
		{"LiveGoesOn", liveGoesOn},
		{"LiveWithoutAWatch", liveWithoutAWatch},
		{"LiveExpires", liveExpires},
	}
}

// cases tells all tales and returns how many there are.
func (g *ground) cases(t *testing.T) int {
	var chapters []chapter
	for _, c := range tales() {
		chapters = append(chapters, chapter{c.name, func(t *testing.T) { c.tell(t, g) }})
	}
	g.each(t, chapters)
	return len(chapters)
}
