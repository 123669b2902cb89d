-- SPDX-License-Identifier: Apache-2.0
-- store: what an agent remembers from call to call: key → value, for each of its sites its own.
--
--   local store = require "ringdown.store"
--   store.set("last_call " .. call.caller.number, { about = "drain" }, { ttl = "30d" })
--
-- Values are plain data of at most 16 KB as JSON, keys texts of at most 128 bytes, at most 10,000 of them for a
-- site. When the database is down these raise, like everything that must not look like "nothing there".
local current = require "ringdown.current"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local time = require "ringdown.time"

local M = {}

local KEY_MAX, VALUE_MAX = 128, 16 * 1024

local function check_key(key)
  if type(key) ~= "string" or key == "" or #key > KEY_MAX or key:find("%c") or not utf8.len(key) then
    error("a key must be a text of 1 to 128 bytes without control characters", 3)
  end
end

-- { ttl = "7d" } in milliseconds; false: for good.
local function ttl_of(opts)
  for name in pairs(opts or {}) do
    if name ~= "ttl" then
      error(("'%s' is no option; %s"):format(tostring(name), nearest.hint(name, { "ttl" })), 3)
    end
  end
  if not opts or opts.ttl == nil then
    return false
  end
  local ms = time.duration(opts.ttl)
  if not ms or ms < 1000 then
    error(('ttl must be a duration of at least "1s", like "30m" or "7d", not %s'):format(tostring(opts.ttl)), 3)
  end
  return ms
end

local function ask(sql, key, ...)
  local call = current.call
  if not call then
    error("the store is there during a call, not while the file is loaded", 3)
  end
  local rows, why, code = host.query(sql, { host.agent(), call.site.id, key, ... })
  if rows then
    return rows
  elseif code == "22P02" then
    error(("store.incr: what '%s' holds is no number"):format(key), 3)
  end
  error("the store did not answer: " .. tostring(why), 3)
end

---What is kept under this key; nil when there is nothing, or its time is over.
---@param key string
---@return any value
function M.get(key)
  check_key(key)
  local rows = ask("select value from store where agent = $1 and site = $2 and key = $3 "
    .. "and (expires_at is null or expires_at > now())", key)
  return rows[1] and json.decode(rows[1][1]) or nil
end

---Keeps a value, for good or for `ttl`; nil deletes it.
---@param key string
---@param value any plain data, at most 16 KB as JSON
---@param opts { ttl: string? }? how long: "30m", "7d"
function M.set(key, value, opts)
  check_key(key)
  local ttl = ttl_of(opts)
  if value == nil then
    ask("delete from store where agent = $1 and site = $2 and key = $3", key)
    return
  end
  local text, why = json.encode(value)
  if not text then
    error("store.set: " .. why, 2)
  elseif #text > VALUE_MAX then
    error("store.set: the value is larger than 16 KB", 2)
  end
  ask("select store_set($1, $2, $3, $4::jsonb, $5::bigint)", key, text, ttl)
end

---Forgets what is kept under this key.
---@param key string
function M.delete(key)
  check_key(key)
  ask("delete from store where agent = $1 and site = $2 and key = $3", key)
end

---Counts: adds to the number under this key, in one step, also when many calls do so at once. One that is not
---there yet, or whose time is over, counts as 0; its ttl begins then.
---@param key string
---@param by number? 1 if left out
---@param opts { ttl: string? }?
---@return number value after adding
function M.incr(key, by, opts)
  check_key(key)
  by = by == nil and 1 or by
  if type(by) ~= "number" or by ~= by or math.abs(by) > 1e15 then
    error("store.incr adds a number", 2)
  end
  local rows = ask("select store_incr($1, $2, $3, $4::numeric, $5::bigint)", key, by, ttl_of(opts))
  return json.decode(rows[1][1])
end

return M
