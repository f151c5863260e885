/**
 * The books of `policy/budget/ledger.ts` in Redis: the same arithmetic as Lua scripts, two keys per account.
 *
 * A hash holds `spent`, `reserved` and each reservation; a sorted set holds when each lease ends. Time is Redis's own. A
 * process that dies leaves its reservations until their lease ends; then they are freed. A settlement that is sent again, because its
 * answer was lost, counts once.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import type { Account, Reserve, Reserved, Settle } from "./ledger.ts"

/**
 * Accounts shared through Redis.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface RedisLedger {
  readonly reserve: (options: Reserve) => Effect.Effect<Reserved, Redis.RedisError>
  readonly settle: (options: Settle) => Effect.Effect<void, Redis.RedisError>
  readonly read: (key: string) => Effect.Effect<Account, Redis.RedisError>
}

/**
 * Amounts are integers below 2^53, which Lua's doubles hold exactly; `%.0f` keeps their text so, but for its `-0`. What is none counts
 * as nothing and is removed, as are keys of another type.
 */
const prelude = `
local account = KEYS[1]
local leases = KEYS[2]
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function int(n) return n == 0 and "0" or string.format("%.0f", n) end
local function keep(key, kind)
  local found = redis.call("TYPE", key).ok
  if found ~= "none" and found ~= kind then redis.call("DEL", key) end
end
keep(account, "hash")
keep(leases, "zset")
local function read(field)
  local found = redis.call("HGET", account, field)
  if not found then return nil end
  if #found <= 16 and string.match(found, "^-?%d+$") then return tonumber(found) end
  redis.call("HDEL", account, field)
  return nil
end
local function get(field) return read(field) or 0 end
`

const reserveScript = Redis.script(
  (account: string, leases: string, { amount, id, keepMillis, leaseMillis, limit }: Reserve) => [
    account,
    leases,
    `r:${id}`,
    amount,
    limit,
    keepMillis,
    leaseMillis
  ],
  {
    numberOfKeys: 2,
    lua: `${prelude}
local id = ARGV[1]
local amount = tonumber(ARGV[2])
local limit = tonumber(ARGV[3])
for _, old in ipairs(redis.call("ZRANGEBYSCORE", leases, "-inf", int(now))) do
  local left = get(old)
  if left > 0 then redis.call("HINCRBY", account, "reserved", int(-left)) end
  redis.call("HDEL", account, old)
  redis.call("ZREM", leases, old)
end
local reserved = get("reserved")
local committed = get("spent") + reserved
if committed + amount > limit or committed >= limit then return { 0, int(committed), int(reserved) } end
redis.call("HINCRBY", account, "reserved", int(amount))
redis.call("HSET", account, id, int(amount))
redis.call("ZADD", leases, int(now + tonumber(ARGV[5])), id)
local keep = int(math.max(tonumber(ARGV[4]), tonumber(ARGV[5])))
redis.call("PEXPIRE", account, keep)
redis.call("PEXPIRE", leases, keep)
return { 1, int(committed), "0" }
`
  }
).withReturnType<readonly [number, string, string]>()

/** How long it is remembered that a reservation is settled. */
const rememberMillis = 60_000

const settleScript = Redis.script(
  (account: string, leases: string, { id, keepMillis, spent }: Settle) => [
    account,
    leases,
    `r:${id}`,
    spent,
    keepMillis,
    rememberMillis
  ],
  {
    numberOfKeys: 2,
    lua: `${prelude}
local id = ARGV[1]
local held = read(id)
get("spent")
get("reserved")
if held then
  redis.call("HINCRBY", account, "reserved", int(-held))
  redis.call("HDEL", account, id)
elseif redis.call("ZSCORE", leases, id) then
  return 0
end
redis.call("ZADD", leases, int(now + tonumber(ARGV[4])), id)
redis.call("HINCRBY", account, "spent", int(tonumber(ARGV[2])))
redis.call("PEXPIRE", account, ARGV[3])
redis.call("PEXPIRE", leases, ARGV[3])
return 1
`
  }
).withReturnType<number>()

const readScript = Redis.script(
  (account: string, leases: string) => [account, leases],
  { numberOfKeys: 2, lua: `${prelude}return { int(get("spent")), int(get("reserved")) }` }
).withReturnType<readonly [string, string]>()

/**
 * Makes the books over a connection. `prefix` begins the Redis keys.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (redis: Redis.Redis["Service"], prefix: string): RedisLedger => {
  const reserve = redis.eval(reserveScript)
  const settle = redis.eval(settleScript)
  const look = redis.eval(readScript)
  // The braces keep both keys in one slot of a cluster.
  const keysOf = (key: string) => [`${prefix}{${key}}`, `${prefix}{${key}}:leases`] as const
  return {
    reserve: (options) =>
      Effect.map(reserve(...keysOf(options.key), options), ([granted, committed, reserved]) =>
        granted === 1
          ? { granted: true, committed: Number(committed) }
          : { granted: false, committed: Number(committed), reserved: Number(reserved) }),
    settle: (options) => Effect.asVoid(settle(...keysOf(options.key), options)),
    read: (key) =>
      Effect.map(
        look(keysOf(key)[0], keysOf(key)[1]),
        ([spent, reserved]) => ({ spent: Number(spent), reserved: Number(reserved) })
      )
  }
}
