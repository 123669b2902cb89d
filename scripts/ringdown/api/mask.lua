-- SPDX-License-Identifier: Apache-2.0
-- api.mask: what somebody sees who may not see personal data. A value's description says what it is
-- (personal = "number"), and answers are masked as they are written (shape.lua); handlers need this only for texts in
-- which something personal may stand.
--
--   number  "+13125550142" -> "+1…42", so that two of them can be told apart; "anonymous" stays
--   name, email, words -> "[hidden]"
--   text    only the numbers in it: sentences of ours
--
-- Of documents that nobody described stays what is known to be a word of ours, by the names of its members; all else is
-- "[hidden]", so that a member that somebody adds tomorrow is hidden until it is listed here.
-- runtime/control/mask.c does the same to events.
local M = {}

M.HIDDEN = "[hidden]"

---@param value any
---@return any
function M.number(value)
  if type(value) ~= "string" then
    return value
  end
  local country, last = value:match "^(%+%d)%d+(%d%d)$"
  if country then
    return country .. "…" .. last
  end
  if value:match "^[12]%d%d%d%-%d%d%-%d%d" and M.text(value) == value then -- a time
    return value
  end
  local scheme, digits = value:match "^(%a+):", (value:gsub("%D", ""))
  return scheme and scheme .. ":…" or (#digits >= 5 or value:find("@", 1, true)) and "…" or value
end

-- Days and moments are no numbers, whatever stands behind them.
local times = { "^[12]%d%d%d%-%d%d%-%d%d[T ]%d%d:%d%d:%d%d%.?%d?%d?%d?%d?%d?%d?",
  "^[12]%d%d%d%-%d%d%-%d%d[T ]%d%d:%d%d",
  "^[12]%d%d%d%-%d%d%-%d%d" }

-- Numbers in a text without times.
local function number_in(text)
  return (text:gsub("%+?%(?%d[%d %-%(%)%./]*%d", function(found)
    local digits = found:gsub("%D", "")
    if #digits < 7 then
      return found
    end
    return (found:sub(1, 1) == "+" and found:sub(1, 2) or "") .. "…" .. digits:sub(-2)
  end))
end

local function time_at(text, from)
  local rest = text:sub(from)
  for _, pattern in ipairs(times) do
    local found = rest:match(pattern)
    if found and not rest:sub(#found + 1, #found + 1):match "%d" then
      return found
    end
  end
end

---@param value any
---@return any
function M.text(value)
  if type(value) ~= "string" then
    return value
  end
  if #value == 34 and value:match "^%u%u%x+$" or #value >= 16 and value:match "^[%x-]*%a[%x-]*$" then -- an id
    return value
  end
  local out, from, at = {}, 1, 1
  while true do
    at = value:find("%f[%d]%d%d%d%d%-%d%d%-%d%d", at)
    if not at then
      break
    end
    local time = time_at(value, at)
    if time then
      out[#out + 1] = number_in(value:sub(from, at - 1))
      out[#out + 1] = time
      from = at + #time
    end
    at = at + (time and #time or 1)
  end
  out[#out + 1] = number_in(value:sub(from))
  return table.concat(out)
end

---@param value any
---@return any
function M.words(value)
  return value ~= nil and M.HIDDEN or nil
end

local kinds = { number = M.number, text = M.text, words = M.words, name = M.words, email = M.words }

---@param kind "number"|"text"|"words"|"name"|"email"
---@param value any
---@return any
function M.value(kind, value)
  return kinds[kind](value)
end

local function set(kind, words)
  local out = {}
  for word in words:gmatch "%S+" do
    out[word] = kind
  end
  return out
end

-- Members of documents nobody described: facts, why, audit rows, jobs. Whole subtrees of "words" are hidden.
local by_key = {
  set("words", "text heard said words body arguments output notes name email facts last_words transcript vars summary "
    .. "value form input ask detail"),
  set("number", "from to number from_number to_number target caller whom people "
    .. "numbers"),
  set("text", "type call agent state reason role system node rule severity kind code status drill id item "
    .. "call_id event version model provider direction outcome source at result resource stream language fix "
    .. "subject why failover first first_reason from_system to_system ended_reason missed failed_over_to "
    .. "withheld verstat action process account unit bucket key_hash hash brief opt template sid error_code "
    .. "vapi_id route seen_by assistant number_id cost_reason basis epoch seq job verb goes_to place carrier_id "
    .. "mode who what by host stage held_by handled_by path began_at began ended started_at ended_at created_at "
    .. "updated_at asked_at answered_at computed_at opened_at closed_at last_at due_at gone_at matched_at "
    .. "seen_at first_seen_at last_seen_at valid_from valid_to since until rollout recording zone time_zone run "
    .. "sites site currency"),
}

local function kind_of(key)
  for _, kinds_by_key in ipairs(by_key) do
    if kinds_by_key[key] then
      return kinds_by_key[key]
    end
  end
  return "words"
end

---@param value any
---@param key string?
---@return any
local function open(value, key)
  local kind = key and kind_of(key)
  if type(value) == "table" then
    if kind == "words" and by_key[1][key] then
      return M.HIDDEN
    end
    local out = setmetatable({}, getmetatable(value))
    for name, item in pairs(value) do
      local inner = type(name) == "string" and key ~= "people" and name or key
      out[name] = open(item, inner)
    end
    return out
  elseif type(value) ~= "string" then -- counts and truths, unless somebody's words stand there
    return key and by_key[1][key] and value ~= nil and M.HIDDEN or value
  end
  return kinds[kind or "words"](value)
end

---A document that nobody described.
---@param value any
---@return any
function M.open(value)
  return open(value)
end

---A document of ours, in which nothing of a caller stands (statistics, status, an agent): numbers, wherever they are.
---@param value any
---@param key string?
---@return any
function M.ours(value, key)
  if type(value) == "table" then
    local out = setmetatable({}, getmetatable(value))
    for name, item in pairs(value) do
      out[name] = M.ours(item, type(name) == "string" and key ~= "people" and name or key)
    end
    return out
  end
  return (by_key[2][key or ""] and M.number or M.text)(value)
end

return M
