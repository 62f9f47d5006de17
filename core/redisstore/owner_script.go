package redisstore

// Owners' entries are in a hash, by session ID; the field ':' has the epoch. Each value is 16
// bytes: the Revision or the Epoch, and until when it is needed in milliseconds since 1970, 0 for
// ever, big end first. Values are compared as text, since a Lua number is not whole above 2^53.

// ownerText begins the scripts of an owner. put sets a field, and has the server keep the key for
// ttl milliseconds at least, '0' being for ever.
const ownerText = `local key = KEYS[1]
local head = redis.call('HGET', key, ':') or ''
local function is(epoch)
  return string.sub(head, 1, 8) == epoch or head == '' and epoch == string.rep('\0', 8)
end
local function put(field, value, ttl)
  local left = redis.call('PTTL', key)
  redis.call('HSET', key, field, value)
  if ttl == '0' then
    redis.call('PERSIST', key)
  elseif left == -2 or left >= 0 and left < tonumber(ttl) then
    redis.call('PEXPIRE', key, ttl)
  end
end
`

// addText adds the entry ARGV[2], ARGV[3] with the TTL ARGV[4] if the epoch is ARGV[1] and there
// are fewer than ARGV[5] others. Before that it looks at four entries, and removes those that were
// needed until ARGV[6] at most: so an owner who only ever signs in has not many more entries than
// are needed.
const addText = `#!lua
` + ownerText + `if not is(ARGV[1]) then return 2 end
local some = redis.call('HRANDFIELD', key, 4, 'WITHVALUES')
for i = 1, #some, 2 do
  local over = struct.unpack('>I8', some[i + 1], 9)
  if some[i] ~= ':' and over > 0 and over <= tonumber(ARGV[6]) then
    redis.call('HDEL', key, some[i])
  end
end
local count, limit = redis.call('HLEN', key), tonumber(ARGV[5])
if head ~= '' then count = count - 1 end
local others = count - redis.call('HEXISTS', key, ARGV[2])
if limit > 0 and others >= limit then return {4, count} end
put(ARGV[2], ARGV[3], ARGV[4])
return {1, others + 1}`

// addAgainText adds the entry after a failover may have undone that, if the epoch still is what it
// was. If it is not, sessions have been revoked, perhaps while the entry was missing.
const addAgainText = `#!lua flags=allow-oom
` + ownerText + `if redis.call('HEXISTS', key, ARGV[2]) == 1 then return 1 end
if not is(ARGV[1]) then return 2 end
put(ARGV[2], ARGV[3], ARGV[4])
return 1`

// raiseText sets the epoch ARGV[1], which is needed until ARGV[2] and as long as the one before it,
// with the TTL ARGV[3]. After a failover may have undone that, ARGV[4] is the epoch that came
// before it. The answer is 2 where that is back. Where the epoch is neither of them, others may
// have come after it, and be undone as well: then it becomes ARGV[5], which nobody has begun with.
const raiseText = `#!lua flags=allow-oom
` + ownerText + `local all = redis.call('HGETALL', key)
local epoch, over, outcome = ARGV[1], ARGV[2], 1
if ARGV[4] and not is(epoch) then
  if is(ARGV[4]) then outcome = 2 else epoch = ARGV[5] end
end
if head ~= '' then
  local old, new = struct.unpack('>I8', head, 9), struct.unpack('>I8', over)
  if old == 0 or new > 0 and old > new then over = string.sub(head, 9) end
end
put(':', epoch .. over, ARGV[3])
return {outcome, head, all}`

// removeText removes the entries ARGV[2] with the Revision ARGV[3], and so on in pairs. A key that
// is kept for ever, and where only the epoch is left, is kept as long as that is needed; ARGV[1] is
// the time less the slack.
const removeText = `#!lua flags=allow-oom
` + ownerText + `for i = 2, #ARGV, 2 do
  local value = redis.call('HGET', key, ARGV[i])
  if value and string.sub(value, 1, 8) == ARGV[i + 1] then redis.call('HDEL', key, ARGV[i]) end
end
if head ~= '' and redis.call('HLEN', key) == 1 and redis.call('PTTL', key) == -1 then
  local over = struct.unpack('>I8', head, 9)
  if over > 0 then
    local left = math.max(over - tonumber(ARGV[1]), 1)
    redis.call('PEXPIRE', key, string.format('%.0f', left))
  end
end
return 1`

// markText sets a moment, in milliseconds since 1970, unless a later one is there. It writes in
// any case, so that a WAIT behind it has something to wait for.
const markText = `#!lua flags=allow-oom
local was, now = redis.call('GET', KEYS[1]), ARGV[1]
if was and tonumber(was) > tonumber(now) then now = was end
redis.call('SET', KEYS[1], now)
return 1`
