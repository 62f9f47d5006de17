package postgresstore_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// A program that has no pool yet opens one with the store.
func Example() {
	ctx := context.Background()
	store, err := postgresstore.Open("postgres://app:secret@localhost/app",
		postgresstore.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	if err := store.Migrate(ctx); err != nil { // the first call that needs the server
		fmt.Println(err)
		return
	}
	manager, err := core.New(core.Config{Store: store})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
}

// A program that has a pool shares it.
func ExampleNew() {
	config, err := pgxpool.ParseConfig("postgres://app:secret@localhost/app")
	if err != nil {
		fmt.Println(err)
		return
	}
	postgresstore.Configure(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	store, err := postgresstore.New(pool, postgresstore.Options{Table: "shop.sessions"})
	fmt.Println(store, store.Durability(), err)
	// Output: [PostgreSQL session store] durable <nil>
}

// All faults of the options are named at once, without any connection.
func ExampleOpen_incorrect() {
	_, err := postgresstore.Open("", postgresstore.Options{Table: "user sessions"})
	fmt.Println(err)
	// Output:
	// session config: postgresstore.Open's url is empty
	// session config: postgresstore.Options.Table is not a name, or two with a point between them, of a-z, 0-9 and '_'
}
