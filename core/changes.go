package core

import (
	"errors"
	"slices"
)

// changes are what a request did to its session and has not stored yet, by name of value, so that
// they can be put on top of whatever record is the newest when they are committed.
type changes struct {
	end     string // "" or why the session the request came with ends, before all else
	id      ID     // of the session that begins; "" if there is one already
	created moment // of that session
	owner   *string
	signIn  *signingIn // of the owner, never nil where that is not
	level   *Level
	label   *string // waits until there is a session, as persist does
	persist *bool
	keep    *keep // only these values of the record stay; nil: all
	values  []change
	renew   bool
	clear   bool
	stale   bool // updates were computed on an older record than the one below
}

// An updater makes the next encoded value out of the newest.
type updater func(current string, present bool) (string, error)

// then is the updater that makes of the newest value what both make of it, one after the other.
func (f updater) then(next updater) updater {
	if f == nil {
		return next
	}
	return func(current string, present bool) (string, error) {
		current, err := f(current, present)
		if err != nil {
			return "", err
		}
		return next(current, true)
	}
}

type changeKind uint8

const (
	noChange changeKind = iota
	setValue
	updateValue
	deleteValue
)

// A change is what happens to one value.
type change struct {
	name   string
	kind   changeKind
	value  string  // of setValue and, on the record the request began with, updateValue
	update updater // of updateValue, to be run again on a newer record
	once   bool    // the commit fails unless the newest value is still the one taken
	taken  string
}

// dirty reports whether there is something to store. What Persist was called with waits until
// there is a session.
func (c *changes) dirty() bool {
	return c.end != "" || c.id != "" || c.touchesRecord() || c.persist != nil || c.label != nil
}

func (c *changes) touchesRecord() bool {
	return c.renew || c.owner != nil || c.level != nil || c.clear || len(c.values) > 0
}

// nothingElse reports whether there is nothing to store but values.
func (c *changes) nothingElse() bool {
	return !c.renew && c.owner == nil && c.level == nil && c.label == nil &&
		!c.clear && c.persist == nil
}

// needsToken reports whether the changes come to nothing unless the client gets a new token.
func (c *changes) needsToken() bool {
	return c.id != "" || c.renew || c.owner != nil
}

// takesOnce reports whether a one-time value was taken.
func (c *changes) takesOnce() bool {
	return slices.ContainsFunc(c.values, func(v change) bool { return v.once })
}

// change finds or adds the change of one name.
func (c *changes) change(name string) *change {
	for i := range c.values {
		if c.values[i].name == name {
			return &c.values[i]
		}
	}
	if c.values == nil {
		c.values = make([]change, 0, 2)
	}
	c.values = append(c.values, change{name: name})
	return &c.values[len(c.values)-1]
}

// lookup finds a value among the changes; known is false where what lies below decides.
func (c *changes) lookup(name string) (value string, present, known bool) {
	for i := range c.values {
		if v := &c.values[i]; v.name == name && v.kind != noChange {
			return v.value, v.kind != deleteValue, true
		}
	}
	return "", false, c.hidesBelow(name)
}

// hidesBelow reports whether the value of the record below does not show any more.
func (c *changes) hidesBelow(name string) bool {
	return c.end != "" || c.clear || c.id != "" || !c.keeps(name)
}

// keeps reports whether a value of the record stays.
func (c *changes) keeps(name string) bool {
	return c.keep == nil || slices.Contains(*c.keep, name)
}

// keepOnly removes all values but those named, of those that were set before and of the record.
func (c *changes) keepOnly(names keep) {
	c.values = slices.DeleteFunc(c.values, func(v change) bool {
		return !v.once && !slices.Contains(names, v.name)
	})
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !c.keeps(name) })
	c.keep = &names
}

func (c *changes) set(name, value string) {
	v := c.change(name)
	v.kind, v.value, v.update = setValue, value, nil
}

func (c *changes) remove(name string) {
	v := c.change(name)
	v.kind, v.value, v.update = deleteValue, "", nil
}

// apply notes an update that gave value. On top of what this request itself set or deleted, or of
// nothing, it is as good as set.
func (c *changes) apply(name, value string, update updater) {
	v := c.change(name)
	v.value = value
	if v.kind == setValue || v.kind == deleteValue || v.kind == noChange && c.hidesBelow(name) {
		v.kind, v.update = setValue, nil
		return
	}
	v.kind = updateValue
	v.update = v.update.then(update)
}

// takeOnce notes that the value was there to be taken, where the record has it.
func (c *changes) takeOnce(name, taken string) {
	v := c.change(name)
	if v.kind == noChange && !c.hidesBelow(name) {
		v.once, v.taken = true, taken
	}
	v.kind, v.value, v.update = deleteValue, "", nil
}

// clearAll removes every value; that a one-time value was taken stays noted.
func (c *changes) clearAll() {
	c.values = slices.DeleteFunc(c.values, func(v change) bool { return !v.once })
	for i := range c.values {
		c.values[i].kind, c.values[i].value, c.values[i].update = deleteValue, "", nil
	}
	c.clear = true
}

// then puts later changes on top.
func (c *changes) then(next changes) {
	if next.end != "" {
		*c = next
		return
	}
	if next.id != "" {
		c.id, c.created = next.id, next.created
	}
	c.renew = c.renew || next.renew
	c.stale = c.stale || next.stale
	if next.owner != nil {
		c.owner, c.signIn = next.owner, next.signIn
	}
	if next.level != nil {
		c.level = next.level
	}
	if next.label != nil {
		c.label = next.label
	}
	if next.keep != nil {
		c.keepOnly(*next.keep)
	}
	if next.persist != nil {
		c.persist = next.persist
	}
	if next.clear {
		c.clearAll()
	}
	for _, v := range next.values {
		c.thenChange(v)
	}
}

func (c *changes) thenChange(next change) {
	if next.once {
		c.takeOnce(next.name, next.taken)
	}
	switch next.kind {
	case setValue:
		c.set(next.name, next.value)
	case updateValue:
		c.apply(next.name, next.value, next.update)
	case deleteValue:
		c.remove(next.name)
	}
}

// merge resolves the changes to a patch of fresh, the newest record's values, or of none after a
// Clear. base are the values that the request began with; where both are the same record, updates
// need not be rerun. dropped names what was set here but has been deleted by another request
// meanwhile. room is empty, and the patch's memory if it is large enough.
func (c *changes) merge(
	room patch, base, fresh values, rerun bool,
) (p patch, dropped []string, err error) {
	p = room
	for i := range c.values {
		v := &c.values[i]
		newest, there := fresh.get(v.name)
		if v.once && (!there || newest != v.taken) {
			return nil, nil, ErrConflict
		}
		if v.kind == deleteValue {
			p = append(p, patchEntry{entry: entry{name: v.name}, deleted: true})
			continue
		}
		if !there && c.keeps(v.name) { // what a sign-in has left behind is set anew
			if _, had := base.get(v.name); had {
				dropped = append(dropped, v.name)
				continue
			}
		}
		value := v.value
		if v.kind == updateValue && rerun {
			if value, err = v.run(newest, there); err != nil {
				return nil, nil, err
			}
		}
		p = append(p, patchEntry{entry: entry{v.name, value}})
	}
	return c.dropRest(p, fresh), dropped, nil
}

// dropRest adds to the patch what a sign-in with Keep leaves behind.
func (c *changes) dropRest(p patch, fresh values) patch {
	if c.keep == nil || c.clear {
		return p
	}
	for _, e := range fresh.entries() {
		changed := slices.ContainsFunc(c.values, func(v change) bool { return v.name == e.name })
		if !changed && !c.keeps(e.name) {
			p = append(p, patchEntry{entry: entry{name: e.name}, deleted: true})
		}
	}
	return p
}

// under is what the patch of the changes is put on top of.
func (c *changes) under(fresh values) values {
	if c.clear {
		return noValues
	}
	return fresh
}

// run makes the value anew out of the newest.
func (v *change) run(current string, present bool) (string, error) {
	next, err := v.update(current, present)
	if err != nil {
		return "", asValueError(v.name, err)
	}
	return next, nil
}

func asValueError(name string, err error) error {
	var already *ValueError
	if errors.As(err, &already) {
		return err
	}
	return &ValueError{Name: name, Err: err}
}
