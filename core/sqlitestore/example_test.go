package sqlitestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// A session outlives the program that began it.
func Example() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "sessions.db")

	store, err := sqlitestore.Open(path, sqlitestore.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	manager, err := core.New(core.Config{Store: store})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	rec := core.Record{
		ID: "0123456789abcdefghijklmnopqrstuv", Revision: 1,
		Used: time.Now().Truncate(time.Millisecond).UTC(), Data: "for the example",
	}
	fmt.Println(store.Create(ctx, rec))
	manager.Close()
	store.Close()

	store, _ = sqlitestore.Open(path, sqlitestore.Options{}) // the program's next start
	defer store.Close()
	rec, err = store.Load(ctx, rec.ID)
	fmt.Println(rec.Data, err)
	// Output:
	// <nil>
	// for the example <nil>
}
