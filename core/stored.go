package core

// A snapshot is a stored record as core works with it. It is small, since each request with a
// session has one, and most only read a value or two of it.
type snapshot struct {
	id            ID
	owner         string
	data          string // the frame
	valuesAt      int    // where in data the values begin
	revision      Revision
	used, expires moment
}

func snapshotOf(rec *Record) snapshot {
	return snapshot{
		id: rec.ID, owner: rec.Owner, data: rec.Data, revision: rec.Revision,
		used: momentOf(rec.Used), expires: momentOf(rec.Expires),
	}
}

// record is the form in which a store keeps it.
func (b *snapshot) record() Record {
	return Record{
		ID: b.id, Owner: b.owner, Data: b.data, Revision: b.revision,
		Used: b.used.time(), Expires: b.expires.time(),
	}
}

func (b *snapshot) values() values { return values(b.data[b.valuesAt:]) }

// createdAt is when the session came into being, as the frame says.
func (b *snapshot) createdAt() moment {
	at, _ := takeMoment(b.data[createdOffset:])
	return at
}

// extension holds what not every session has. The frame was checked.
func (b *snapshot) extension() extension {
	from, to, _ := frameLayout(b.data)
	return extensionIn(b.data, from, to)
}

// persists is what Session.Persist was called with, nil if it was not.
func (b *snapshot) persists() *bool { return (&head{flags: b.data[1]}).persist() }

// check finds the values, and sees to it that the whole frame is as it should be: what is read of
// it later needs no further check. Nothing is decoded or copied.
func (b *snapshot) check() error {
	_, at, err := frameLayout(b.data)
	if err == nil && !values(b.data[at:]).valid() {
		err = &FrameError{Reason: "is damaged"}
	}
	b.valuesAt = at
	return err
}

// in reports whether the record belongs to a domain.
func (b *snapshot) in(d *domain) bool { return b.data[domainOffset:verifierOffset] == string(d[:]) }

// verifies reports whether v is the record's verifier.
func (b *snapshot) verifies(v *verifier) bool {
	return v.is(b.data[verifierOffset:createdOffset])
}

// stored is a record with its frame taken apart.
type stored struct {
	snapshot
	head
}

// unpack takes the frame apart, which was checked.
func (b *snapshot) unpack() stored {
	base := stored{snapshot: *b}
	base.head, _, _ = parseHead(b.data)
	return base
}

// encode writes the frame, with the values as the patch leaves them, and gives the record a new
// Revision.
func (b *stored) encode(v values, p patch) {
	b.data, b.valuesAt = b.head.join(v, p)
	b.revision = newRevision()
}
