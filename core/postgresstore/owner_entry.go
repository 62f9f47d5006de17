package postgresstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// encode writes what is kept of an entry beside its ID: "revision until", until being 0 for never.
func encode(entry core.OwnerEntry) string {
	until := int64(0)
	if !entry.Until.IsZero() {
		until = entry.Until.UnixMilli()
	}
	return stamp(entry) + " " + strconv.FormatInt(until, 10)
}

func stamp(entry core.OwnerEntry) string { return strconv.FormatInt(int64(entry.Revision), 10) }

// stamps names entries by ID and Revision, as {"ID revision": "", …}.
func stamps(entries []core.OwnerEntry) string {
	names := make(map[string]string, len(entries))
	for _, entry := range entries {
		names[string(entry.ID)+" "+stamp(entry)] = ""
	}
	text, _ := json.Marshal(names) // which never fails
	return string(text)
}

// decode reads the entries of an owner, {"ID": "revision until", …}.
func decode(text string) ([]core.OwnerEntry, error) {
	var kept map[core.ID]string
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		return nil, fmt.Errorf("postgresstore: the entries of an owner: %w", err)
	}
	entries := make([]core.OwnerEntry, 0, len(kept))
	for id, value := range kept {
		stamp, end, _ := strings.Cut(value, " ")
		revision, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("postgresstore: an entry of an owner: %w", err)
		}
		until, err := strconv.ParseInt(end, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("postgresstore: an entry of an owner: %w", err)
		}
		entry := core.OwnerEntry{ID: id, Revision: core.Revision(revision)}
		if until != 0 {
			entry.Until = milliseconds(until)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// forgotten is when an entry may be, as it is kept: nil, which is NULL, means never.
func forgotten(until time.Time) any {
	if until.IsZero() {
		return nil
	}
	return until.UnixMilli()
}
