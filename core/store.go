package core

import (
	"context"
	"time"
)

// A Store keeps records. It knows nothing of tokens, values or timeouts: the Manager judges, a
// store only keeps. Run core/sessiontest's TestStore against an implementation.
//
// All methods may be called by many goroutines at once, and each takes effect at one instant: no
// other call sees half of it. After an error other than those named here a write may or may not
// have taken effect; the Manager finds out by loading. A store gives Records back equal to what it
// was given. It need not check its arguments, look at a clock, retry, or log; it must not keep a
// record alive that Delete has removed, whatever runs at the same time. A store that waits honours
// the context's deadline and cancellation.
type Store interface {
	// Create adds a record. It answers ErrExists if there is one under the ID, and changes nothing.
	Create(ctx context.Context, rec Record) error
	// Load returns the record under an ID, whatever its times say. It answers ErrNotFound if there
	// is none.
	Load(ctx context.Context, id ID) (Record, error)
	// Update replaces a record whose Revision is was. It answers ErrConflict if there is a record
	// of another Revision, ErrNotFound if there is none, and changes nothing then: Update never
	// creates.
	Update(ctx context.Context, rec Record, was Revision) error
	// Delete removes a record. It is no error if there is none.
	Delete(ctx context.Context, id ID) error
}

// A Sweeper is a Store that can remove what has expired. The Manager calls it once a minute, from
// one goroutine, with a time that is a minute in the past so that nodes' clocks may differ. A store
// that wraps another one which cannot answers with an error that wraps errors.ErrUnsupported.
type Sweeper interface {
	// DeleteExpired removes records whose Expires is not zero and not after the given time, as many
	// as it likes in one call, and returns how many. It is called again at once as long as that is
	// more than none.
	DeleteExpired(ctx context.Context, now time.Time) (int, error)
}

// A Toucher is a Store that can note a use without writing Data again. A store that wraps another
// one which cannot answers with an error that wraps errors.ErrUnsupported.
type Toucher interface {
	// Touch gives the record of rec.ID the Revision, Used and Expires of rec if its Revision is
	// was, and ignores rec's Owner and Data. It answers as Update does, and never creates.
	Touch(ctx context.Context, rec Record, was Revision) error
}

// A Renewer is a Store that takes more care of some Updates than of others: those after which a
// token that is in somebody else's hands must not become good again. A store that wraps another
// one which cannot answers with an error that wraps errors.ErrUnsupported.
type Renewer interface {
	// Renew is Update for a renewal, which the store confirms as it confirms a Delete. If it took
	// effect but is not confirmed the error is ErrNotDurable; the Manager then calls it again,
	// with was being the record's own Revision, until it is.
	Renew(ctx context.Context, rec Record, was Revision) error
}
