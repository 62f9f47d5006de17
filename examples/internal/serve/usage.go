package serve

// A UsageError says that a flag has a value which it cannot have. Main prints it as it stands and
// exits with status 2, as package flag does.
type UsageError struct {
	Flag   string // without the dash
	Reason string // may have several lines, and never repeats a value that can hold a password
}

// Error implements error.
func (e *UsageError) Error() string { return "-" + e.Flag + ": " + e.Reason }
