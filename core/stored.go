package core

// stored is a record with its frame taken apart, as a commit works on it.
type stored struct {
	Record
	head
	values values
}

// seal writes the frame, with the values as the patch leaves them, and gives the record a new
// Revision.
func (b *stored) seal(v values, p patch) {
	b.Data, b.values = b.head.join(v, p)
	b.Revision = newRevision()
}

// A snapshot is what a Session keeps of a stored record: as little as it can, since each request
// has one, and most only read a value or two of it.
type snapshot struct {
	id                     ID
	owner                  string
	data                   string // the frame
	valuesAt               int    // where in data the values begin
	revision               Revision
	used, expires, created moment
}

// snapshot keeps of the record what unpack needs.
func (b *stored) snapshot() snapshot {
	return snapshot{
		id: b.ID, owner: b.Owner, data: b.Data, valuesAt: len(b.Data) - len(b.values),
		revision: b.Revision, used: momentOf(b.Used), expires: momentOf(b.Expires),
		created: b.created,
	}
}

// unpack takes the record apart again.
func (b *snapshot) unpack() stored {
	base := stored{Record: Record{
		ID: b.id, Revision: b.revision, Owner: b.owner,
		Used: b.used.time(), Expires: b.expires.time(), Data: b.data,
	}}
	base.head, base.values, _ = parseHead(b.data) // which did not fail when it was loaded
	return base
}

func (b *snapshot) values() values { return values(b.data[b.valuesAt:]) }

func (b *snapshot) persist() *bool { return (&head{flags: b.data[1]}).persist() }
