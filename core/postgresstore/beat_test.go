package postgresstore

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// beatDB does something with each beat that is sent.
type beatDB func(beat string) error

func (db beatDB) Exec(_ context.Context, _ string, args ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, db(args[1].(string))
}

func (beatDB) Query(context.Context, string, ...any) (pgx.Rows, error) { panic("not needed") }
func (beatDB) QueryRow(context.Context, string, ...any) pgx.Row        { panic("not needed") }

// A beat whose answer is lost is sent again, and may be heard twice. That does not stand for the
// next one.
func TestABeatThatIsHeardTwiceCountsOnce(t *testing.T) {
	b := newBeats(1)
	late, tries := "", 0
	s := &Store{ear: ear{name: "x", within: beatWithin}, db: beatDB(func(beat string) error {
		tries++
		if tries == 1 {
			late = beat
			return errors.New("the connection broke")
		}
		b.heard(beat)
		return nil
	})}
	require.NoError(t, s.sendBeat(t.Context(), b))
	b.heard(late)
	s.db = beatDB(func(string) error { return nil })
	require.ErrorIs(t, s.sendBeat(t.Context(), b), errUnheard)
}
