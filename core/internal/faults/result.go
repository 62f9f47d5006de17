package faults

import (
	"errors"
	"time"
)

// Close closes the Managers of all nodes. The ends that were not confirmed when they were carried
// out are confirmed now where a Manager says that it has nothing left; what is read after that must
// bear it out. The nodes still serve, but they confirm nothing any more: give Use new ones.
func (r *Run) Close() error {
	var all []error
	for _, n := range r.Nodes() {
		err := n.Manager.Close()
		all = append(all, err)
		if err == nil {
			r.confirmed(n)
		}
	}
	return errors.Join(all...)
}

// confirmed notes that a node has no unconfirmed ends.
func (r *Run) confirmed(n Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.unconfirmed {
		if o.Node == n.Name {
			o.Kind, o.Outcome, o.Err = Confirm, OK, nil
			r.recorder.Complete(r.recorder.Invoke(o), o)
		}
	}
}

// History returns what was done so far.
func (r *Run) History() History { return r.recorder.History() }

// Verdict judges what was done so far, and logs a line of figures.
func (r *Run) Verdict() Verdict {
	r.t.Helper()
	h := r.History()
	v := Judge(h)
	ends := []Kind{Destroy, Revoke, Confirm}
	r.mu.Lock()
	name := r.name
	r.mu.Unlock()
	r.t.Logf("%sseed %d: %d operations, ends %d ok, %d unknown, %d failed; other writes %d ok, "+
		"%d unknown, %d failed; owners %d ok, %d unknown, %d failed; violations: %d L, %d W, %d R, "+
		"%d V, %d O; %.1f s", name, r.seed, len(h),
		h.Count(OK, ends...), h.Count(Unknown, ends...), h.Count(Failed, ends...),
		h.Count(OK, Create, Save, Renew), h.Count(Unknown, Create, Save, Renew),
		h.Count(Failed, Create, Save, Renew),
		h.Count(OK, SignIn, RevokeOwner), h.Count(Unknown, SignIn, RevokeOwner),
		h.Count(Failed, SignIn, RevokeOwner),
		len(v.Ends), len(v.Changes), len(v.Renewals), len(v.Views), len(v.Owners),
		time.Since(r.began).Seconds())
	return v
}
