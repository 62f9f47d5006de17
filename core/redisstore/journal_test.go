package redisstore

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func newJournal(limit int) *journal {
	j := new(journal)
	j.init(limit)
	return j
}

func numbered(n int) core.ID { return core.ID(fmt.Sprintf("%032d", n)) }

func renewalOf(id core.ID, revision core.Revision, data string) *core.Record {
	return &core.Record{ID: id, Revision: revision, Data: data}
}

func after(revisions ...core.Revision) []core.Revision { return revisions }

// inDoubt lists what would be done again: "id", or "id was>revision ...".
func inDoubt(j *journal) []string {
	var all []string
	for _, d := range j.doubtful() {
		text := strings.TrimLeft(string(d.key), "0")
		for _, r := range d.renewals {
			text += fmt.Sprintf(" %d>%d", r.was[0], r.rec.Revision)
		}
		all = append(all, text)
	}
	return all
}

func TestAJournalForgetsTheOldestFirst(t *testing.T) {
	j := newJournal(3)
	for n := range 5 {
		j.ended(numbered(n + 1))
	}
	j.ended(numbered(3)) // once more: it is the latest now
	j.ended(numbered(6))
	require.Empty(t, inDoubt(j))
	j.doubt()
	require.Equal(t, []string{"5", "3", "6"}, inDoubt(j))
}

func TestAJournalForgetsAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(10)
		j.ended(numbered(1))
		time.Sleep(30 * time.Second)
		j.ended(numbered(2))
		require.Equal(t, 2, j.age(time.Now()))
		time.Sleep(30 * time.Second)
		require.Equal(t, 1, j.age(time.Now()))
		time.Sleep(30 * time.Second)
		require.Equal(t, 0, j.age(time.Now()))
		j.doubt()
		require.Empty(t, inDoubt(j))
	})
}

func TestWhatIsInDoubtIsKeptLongerAndThenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(10)
		j.ended(numbered(1))
		j.ended(numbered(2))
		j.doubt()
		time.Sleep(9 * time.Minute)
		require.Equal(t, 2, j.age(time.Now()))
		first := j.doubtful()[0]
		j.redone(&first)
		require.Equal(t, []string{"2"}, inDoubt(j))
		time.Sleep(50 * time.Second)
		require.Equal(t, 2, j.age(time.Now()), "what was done again may be undone again")
		time.Sleep(11 * time.Second)
		require.Equal(t, 0, j.age(time.Now()), "there is an end to it")
	})
}

func TestWhatCameAfterItWasSentIsNotDoneAgainYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(10)
		j.renewed(renewalOf(numbered(1), 2, ""), after(1))
		j.doubt()
		sent := j.doubtful()[0]
		time.Sleep(time.Second)
		j.ended(numbered(1))
		j.redone(&sent)
		require.Equal(t, []string{"1"}, inDoubt(j))
	})
}

func TestRenewalsOfASessionAreDoneAgainInTheirOrder(t *testing.T) {
	j := newJournal(10)
	j.renewed(renewalOf(numbered(1), 2, ""), after(1))
	j.renewed(renewalOf(numbered(2), 9, ""), after(8))
	j.renewed(renewalOf(numbered(1), 3, ""), after(2))
	require.Equal(t, after(2), j.before(numbered(1), 3))
	require.Empty(t, j.before(numbered(1), 7))
	j.doubt()
	require.Equal(t, []string{"2 8>9", "1 1>2 2>3"}, inDoubt(j))
	j.ended(numbered(1))
	require.Equal(t, []string{"2 8>9", "1"}, inDoubt(j))
	j.forget(string(numbered(1)))
	require.Equal(t, []string{"2 8>9"}, inDoubt(j))
	for n := range core.Revision(20) {
		j.renewed(renewalOf(numbered(3), n+1, ""), after(n))
	}
	j.doubt()
	require.Equal(t, "3 12>13 13>14 14>15 15>16 16>17 17>18 18>19 19>20", inDoubt(j)[1])
}

func TestRenewalsTakeNoMoreRoomThanIsSaid(t *testing.T) {
	j := newJournal(1000)
	data := strings.Repeat("x", 1<<20)
	for n := range 100 {
		j.renewed(renewalOf(numbered(n+1), 2, data), after(1))
		require.LessOrEqual(t, j.bytes, maxRenewedBytes)
		require.Equal(t, j.order.Len(), len(j.byKey))
	}
	require.Equal(t, 16, j.order.Len())
	for n := range 100 {
		j.ended(numbered(n + 1))
	}
	require.Zero(t, j.bytes)
	for range 20 {
		j.renewed(renewalOf(numbered(1), 2, data), after(1))
	}
	require.Equal(t, 8<<20, j.bytes)
	j.forget(string(numbered(1)))
	require.Zero(t, j.bytes)
	j.renewed(renewalOf(numbered(1), 2, data+data+strings.Repeat(data, 15)), after(1))
	require.Zero(t, j.bytes)
}

func TestEntriesThatAreNotNeededAreNotAddedAgain(t *testing.T) {
	j := newJournal(10)
	entry := &core.OwnerEntry{ID: numbered(1), Revision: 1}
	older := &core.OwnerEntry{ID: numbered(1), Revision: 9}
	j.doubt()
	j.added(entry, write{})
	j.removed(older)
	require.Len(t, j.byKey, 1, "it was added anew")
	j.removed(entry)
	require.Empty(t, j.byKey)
	j.added(entry, write{})
	j.ended(entry.ID)
	require.Len(t, j.byKey, 1, "only the end is left")
	j.doubt()
	require.Equal(t, []string{"1"}, inDoubt(j))
}

func TestAnEpochThatIsRaisedAgainKeepsWhatCameBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(10)
		known := []core.OwnerEntry{{ID: numbered(1)}}
		raise := func(epoch, before uint64, entries []core.OwnerEntry) {
			w := write{key: "owner", args: []string{numberText(epoch)}}
			j.raised(w, core.Epoch(before), entries)
		}
		raise(2, 1, known)
		time.Sleep(time.Second)
		raise(2, 2, nil)
		j.doubt()
		d := j.doubtful()[0]
		require.Equal(t, time.Now(), d.at)
		require.Equal(t, []string{numberText(2), numberText(1)}, d.other.args)
		require.Equal(t, known, d.other.known)
		raise(3, 2, make([]core.OwnerEntry, 100))
		d = j.doubtful()[0]
		require.Equal(t, []string{numberText(3), numberText(2)}, d.other.args)
		require.Len(t, d.other.known, maxKnown)
		raise(4, 4, nil) // the first attempt had no answer
		d = j.doubtful()[0]
		require.Equal(t, []string{numberText(4), numberText(4)}, d.other.args)
	})
}

func TestTrailsLeadToWhatCameBefore(t *testing.T) {
	var all trails
	id := numbered(1)
	require.Equal(t, after(1), all.before(id, 1))
	all.step(id, 1, 2)
	require.Equal(t, after(2, 1), all.before(id, 2))
	all.step(id, 2, 3)
	all.step(numbered(2), 8, 9)
	require.Equal(t, after(3, 2, 1), all.before(id, 3))
	require.Equal(t, after(2, 1), all.before(id, 2))
	all.step(id, 3, 4)
	all.step(id, 4, 5)
	require.Equal(t, after(5, 4, 3, 2), all.before(id, 5), "a few")
	all.step(id, 7, 8) // somebody else has changed it meanwhile
	require.Equal(t, after(8, 7), all.before(id, 8))
	require.Equal(t, after(5), all.before(id, 5))
}

func TestTrailsAreBounded(t *testing.T) {
	var all trails
	for n := range 5 * maxTrails {
		id := numbered(n)
		all.step(id, 1, 2)
		require.Equal(t, after(2, 1), all.before(id, 2))
		require.LessOrEqual(t, len(all.young)+len(all.old), 2*maxTrails)
	}
	require.Equal(t, after(2, 1), all.before(numbered(4*maxTrails), 2))
	require.Equal(t, after(2), all.before(numbered(0), 2))
}
