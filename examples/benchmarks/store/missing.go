package store

import "errors"

// errMissing means that a session is not there which ought to be.
var errMissing = errors.New("the session is not there")
