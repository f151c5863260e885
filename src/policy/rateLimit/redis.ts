/**
 * The token buckets of `policy/rateLimit/buckets.ts` in Redis: the same arithmetic as two Lua scripts, one key per limit.
 *
 * Time is Redis's own, so clocks of processes do not matter. A key expires when all its buckets are full again. A
 * process that dies between a reservation and its settlement leaves nothing behind: buckets refill.
 *
 * `effect/persistence`'s `RateLimiter` is not used: what it took it cannot give back, so estimates could not be
 * settled, and it has no pause.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import type { Reservation, Reserve, Settle } from "./buckets.ts"

/**
 * Buckets shared through Redis.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface RedisBuckets {
  readonly reserve: (options: Reserve) => Effect.Effect<Reservation, Redis.RedisError>
  readonly settle: (options: Settle) => Effect.Effect<void, Redis.RedisError>
}

/**
 * Loads and refills an entry, and knows how to change and save it. cjson keeps 14 digits, enough for milliseconds and
 * tokens. A value that is no entry counts as none and is overwritten.
 */
const prelude = `
local minute = 60000
local resources = { "requests", "tokens", "inputTokens", "outputTokens" }
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local key = KEYS[1]
local limits = cjson.decode(ARGV[1])
local amounts = cjson.decode(ARGV[2])

local function number(n) return type(n) == "number" and n > -1e300 and n < 1e300 end
local function isEntry(e)
  if type(e) ~= "table" or not number(e.at) or not number(e.pausedUntil) then return false end
  if type(e.levels) ~= "table" or type(e.seen) ~= "table" then return false end
  for _, r in ipairs(resources) do
    if e.levels[r] ~= nil and not number(e.levels[r]) then return false end
    local s = e.seen[r]
    if s ~= nil then
      if type(s) ~= "table" then return false end
      if not (number(s.level) and number(s.capacity) and number(s.speed) and number(s["until"])) then return false end
    end
  end
  return true
end

local entry = { at = now, pausedUntil = 0, levels = {}, seen = {} }
local stored = redis.pcall("GET", key)
if type(stored) == "string" then
  local read, found = pcall(cjson.decode, stored)
  if read and isEntry(found) then entry = found end
end

local passed = math.max(0, now - entry.at)
entry.at = math.max(entry.at, now)
for _, r in ipairs(resources) do
  local limit = limits[r]
  if limit then
    entry.levels[r] = math.min(limit, (entry.levels[r] or limit) + passed * limit / minute)
  end
  local seen = entry.seen[r]
  if seen then
    if seen.speed > 0 then
      seen.level = math.min(seen.capacity, seen.level + passed * seen.speed)
    elseif now >= seen["until"] then
      entry.seen[r] = nil
    end
  end
end

local function add(r, amount)
  local limit = limits[r]
  if limit then entry.levels[r] = math.min(limit, entry.levels[r] + amount) end
  local seen = entry.seen[r]
  if seen then seen.level = math.min(seen.capacity, seen.level + amount) end
end

local function save()
  local fullAt = entry.pausedUntil
  for _, r in ipairs(resources) do
    local limit = limits[r]
    if limit then fullAt = math.max(fullAt, now + (limit - entry.levels[r]) * minute / limit) end
    local seen = entry.seen[r]
    if seen then
      if seen.speed > 0 then
        fullAt = math.max(fullAt, now + (seen.capacity - seen.level) / seen.speed)
      else
        fullAt = math.max(fullAt, seen["until"])
      end
    end
  end
  local ttl = math.min(math.max(1, math.ceil(fullAt - now)), 2592000000)
  redis.call("SET", key, cjson.encode(entry), "PX", string.format("%.0f", ttl))
end
`

const reserveScript = Redis.script(
  ({ amounts, key, limits, maxWaitMillis }: Reserve) => [
    key,
    JSON.stringify(limits),
    JSON.stringify(amounts),
    maxWaitMillis
  ],
  {
    numberOfKeys: 1,
    lua: `${prelude}
local maxWait = tonumber(ARGV[3])
local wait = math.max(0, entry.pausedUntil - now)
for _, r in ipairs(resources) do
  local amount = amounts[r] or 0
  if amount > 0 then
    local limit = limits[r]
    if limit then
      local missing = math.min(amount, limit) - entry.levels[r]
      if missing > 0 then wait = math.max(wait, missing * minute / limit) end
    end
    local seen = entry.seen[r]
    if seen then
      if seen.speed > 0 then
        local missing = math.min(amount, seen.capacity) - seen.level
        if missing > 0 then wait = math.max(wait, missing / seen.speed) end
      elseif amount > seen.level then
        wait = math.max(wait, seen["until"] - now)
      end
    end
  end
end
wait = math.max(0, math.ceil(wait - 0.000001))
if wait > maxWait then
  return { 0, string.format("%.0f", wait) }
end
local taken = false
for _, r in ipairs(resources) do
  local amount = amounts[r] or 0
  if amount > 0 then
    add(r, -amount)
    taken = true
  end
end
if taken then save() end
return { 1, string.format("%.0f", wait) }
`
  }
).withReturnType<readonly [granted: number, waitMillis: string]>()

const settleScript = Redis.script(
  ({ back, key, limits, pauseMillis, seen }: Settle) => [
    key,
    JSON.stringify(limits),
    JSON.stringify(back),
    JSON.stringify(seen ?? {}),
    pauseMillis ?? 0
  ],
  {
    numberOfKeys: 1,
    lua: `${prelude}
local headers = cjson.decode(ARGV[3])
local pause = tonumber(ARGV[4])
for _, r in ipairs(resources) do
  add(r, amounts[r] or 0)
  local header = headers[r]
  local remaining = header and header.remaining
  if remaining and remaining >= 0 then
    local level = entry.levels[r]
    if level then entry.levels[r] = math.min(level, remaining) end
    local limit, reset = header.limit, header.resetMillis
    local bucket
    if not limit or limit <= 0 then
      if reset then
        bucket = { level = remaining, capacity = math.max(1, remaining), speed = 0, ["until"] = now + reset }
      end
    else
      local missing = limit - remaining
      local speed = limit / minute
      if missing > 0 and reset and reset > 0 then speed = missing / reset end
      bucket = { level = remaining, capacity = limit, speed = speed, ["until"] = now + (reset or minute) }
    end
    if bucket then
      local before = entry.seen[r]
      if before and before.level < 0 then bucket.level = math.min(before.level, remaining) end
      entry.seen[r] = bucket
    end
  end
end
entry.pausedUntil = math.max(entry.pausedUntil, now + pause)
save()
return 1
`
  }
).withReturnType<number>()

/**
 * Buckets whose Redis keys begin with `prefix`.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (redis: Redis.Redis["Service"], prefix: string): RedisBuckets => {
  const reserve = redis.eval(reserveScript)
  const settle = redis.eval(settleScript)
  return {
    reserve: (options) =>
      Effect.map(reserve({ ...options, key: prefix + options.key }), ([granted, waitMillis]) => ({
        granted: granted === 1,
        waitMillis: Number(waitMillis)
      })),
    settle: (options) => Effect.asVoid(settle({ ...options, key: prefix + options.key }))
  }
}
