// Package redisstore keeps sessions in Redis 7 or newer, or Valkey 8 or newer: one server,
// Sentinel or Cluster. Any number of processes share it.
//
//	store, err := redisstore.Open("redis://localhost:6379", redisstore.Options{})
//	sessions, err := core.New(core.Config{Store: store})
//
// # What to run
//
// Give the sessions a server, or a database, whose maxmemory-policy is noeviction: any other
// policy ends sessions at random when memory is short, where noeviction answers new ones with
// core.ErrStoreFull. An ended session stays ended through a crash only as far as the server wrote
// that down, so switch on the append-only file (appendonly yes). With one replica or more, an end
// survives a failover, see below.
//
// The user whom the store logs in as needs these rights, in one line at redis-cli's prompt or in an
// ACL file, and on every server, since replicas are not told of users. The pattern follows
// Options.Prefix.
//
//	ACL SETUSER shop reset on >password ~session:* &session:* +get +set +del +evalsha
//	    +eval +getrange +setrange +strlen +exists +pexpire +persist +wait +info +ping
//	    +hello +hset +hget +hgetall +hlen +hexists +hrandfield +hdel +pttl +publish
//	    +subscribe +unsubscribe +role +select +cluster|shards +cluster|slots
//
// Of these the ones from hset to pttl are for owners; publish, subscribe, unsubscribe and the
// channels (&) are for Watch: a user who may not publish ends sessions all the same, but nobody is
// told, so give all processes the right or none. Of the last four role is for Sentinel alone,
// select for a database other than 0, cluster for a cluster. A URL with both protocol=2 and
// client_name needs client|setname, too. A user of the Sentinels (sentinel_username) needs
//
//	ACL SETUSER watcher reset on >password &* +sentinel|sentinels
//	    +sentinel|get-master-addr-by-name +subscribe +unsubscribe +hello +ping
//
// and without the channels hears of a failover only some seconds later.
//
// # What is stored, and the commands
//
// One string per session, under the key Options.Prefix and the session's ID, "session:" unless
// said otherwise. It begins with 25 bytes: the byte 1, the Revision, and Used and Expires in
// milliseconds since 1970 (0 for none), each 8 bytes, big end first. One byte with the Owner's
// length follows, the Owner, and the Data.
//
//	Load      GET key
//	Create    SET key value NX PX ttl
//	Update    EVALSHA: GETRANGE key 0 8, and if the Revision is right SET key value PX ttl
//	Touch     EVALSHA: GETRANGE key 0 8, and if it is right SETRANGE key 0 head, PEXPIRE key ttl
//	Renew     as Update, and in the same pipeline WAIT replicas milliseconds
//	Delete    EVALSHA: DEL key, and in the same pipeline WAIT replicas milliseconds
//
// Renew and Delete publish the key, in the channels Prefix + "renewed" and Prefix + "ended".
//
// One hash per owner, under Prefix + "owner:" and 32 characters of the owner's SHA-256. It has a
// field for each entry, by the session's ID, and one called ':' for the Epoch; the values are the
// Revision or the Epoch, and until when it is needed, each 8 bytes.
//
//	OwnerEpoch   HGET key :
//	AddOwned     EVALSHA: HGET, HRANDFIELD, HLEN, HEXISTS, HSET, PTTL, PEXPIRE; and WAIT
//	ListOwned    HGETALL key
//	RemoveOwned  EVALSHA: HGET and HDEL for each entry, a thousand at once
//	RaiseEpoch   EVALSHA: HGETALL, HSET, PTTL, PEXPIRE; and WAIT
//
// AddOwned removes some entries that are not needed any more. The key lasts five minutes longer
// than whatever in it lasts longest. One string per mark, under Prefix + "mark:" and its name, is
// there for ever:
//
//	Mark         GET key
//	RaiseMark    EVALSHA: SET key, unless a later one is there; and WAIT
//
// Each is one round trip, save RemoveOwned with more than a thousand entries. A script that the
// server does not know, as after a restart or a failover, is sent whole. The TTL of a session is
// five minutes longer than what it has left, for it is housekeeping only: the Manager judges by
// the record. A record that never expires has none. No command looks through the keys.
//
// Watch subscribes to the two channels on a connection of its own, to one node; in a cluster
// messages come to each from all others. Once a second it publishes itself, by a script that is
// refused where writes are, on each master that the other calls go to, and returns an error when
// it has not heard that four times. For that it has a channel of its own, Prefix + "alive:" and a
// random text; in a cluster all who watch share Prefix + "alive", and publish once a second
// together. From one node of a cluster to another a message may take 40 ms now and then, since the
// cluster's own connections leave Nagle's algorithm on.
//
// # Durability
//
// Redis answers a write before any replica has it, and a failover then forgets it: a session that
// somebody has signed out of lives again. Against that the store does two things.
//
// It has ends and renewals confirmed: WAIT, in the same pipeline on the same connection, says how
// many replicas have them. Options.Replicas says how many must; fewer is core.ErrNotDurable, and
// the Manager then tries again until they do. An end that is tried again writes again, also if
// the record is gone already, since WAIT only speaks of what its own connection wrote. That is no
// consensus: a failover may still choose a replica that has not confirmed, if there are several.
// The entries and epochs of owners, and marks, are confirmed as ends are.
//
// And it keeps a journal of all these, as far as they were done in the last minute. While there are
// any, it looks once a second (INFO) whether a master has been replaced or restarted, and if so
// does them again. That heals what this process did, if it is still alive. The first of a process
// asks for the masters' names beforehand, in a second round trip.
//
// A renewal is done again only if the record is as it was before it, or before this process's own
// writes that led to it: where another process's change came between and is lost as well, the
// record stays as it is, with the token that was good then.
//
// An entry is added again only if the owner's epoch still is the one in which it was added;
// otherwise all of the owner's sessions may have been revoked while it was missing, and its session
// ends. An epoch that was undone is raised again, and the sessions that came to the owner meanwhile
// end. So a failover may cost a sign-in, but none outlives a revocation that way.
package redisstore
