-- SPDX-License-Identifier: Apache-2.0
-- vapi.pages: Vapi's lists have no cursor: the next page is what began no later than the last item of this one, without
-- what was on this one. Nothing says in which order a page is, so the edge is looked for.
--
-- Failure modes: an item whose time is none is no edge. A page that is full of one millisecond: the rest of that one is
-- not seen, because there is no way to ask for it.
local rest = require "ringdown.vapi.rest"

local M = {}

local SMALLEST = 5
local TIME = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.?%d*Z$"

---@param value any
---@return boolean
function M.is_time(value)
  return type(value) == "string" and #value <= 32 and value:match(TIME) ~= nil
end

local function created(item)
  return type(item) == "table" and M.is_time(item.createdAt) and item.createdAt or nil
end

-- The oldest time of a page, and who is of that time.
local function edge(page)
  local oldest
  for _, item in ipairs(page) do
    local at = created(item)
    oldest = at and (not oldest or at < oldest) and at or oldest
  end
  local there = {}
  for _, item in ipairs(page) do
    if oldest and created(item) == oldest and item.id then
      there[item.id] = true
    end
  end
  return oldest, there
end

local function without(page, there)
  local list = {}
  for _, item in ipairs(page) do
    list[#list + 1] = not (type(item) == "table" and item.id and there[item.id]) and item or nil
  end
  return list
end

---Pages from the newest to the oldest, until `page` says stop, or there are no more.
---@param o ringdown.vapi.calls where it begins and ends; `pages`: at most so many; `of`: what is asked, else calls;
---`fixed`: a page that is too long stays so
---@param take fun(items: table[], oldest: string?): boolean? true: enough
---@return boolean? done all were seen
---@return string? why
---@return any code
function M.walk(o, take)
  local limit, of = o.limit or rest.PAGE, o.of or rest.calls
  local ask = { assistant = o.assistant, number = o.number, since = o.since, until_at = o.before }
  local there = {}
  for _ = 1, o.pages or 1000 do
    ask.limit = limit
    local page, why, code = of(ask)
    if not page and code == "unknown" and limit > SMALLEST and not o.fixed then
      limit = limit // 4 > SMALLEST and limit // 4 or SMALLEST -- too long an answer is no answer
    elseif not page then
      return nil, why, code
    else
      local items = without(page, there)
      local oldest, at_edge = edge(page)
      if #items > 0 and take(items, oldest) or #page < limit then
        return true
      elseif not oldest then
        return nil, "Vapi does not say when any of a whole page began", "wrong"
      end
      -- All of that time are on this page and were on the one before: on with what is older.
      local stuck = oldest == ask.until_at
      ask.until_at, ask.before = not stuck and oldest or nil, stuck and oldest or nil
      there = at_edge
    end
  end
  return false
end

-- A page that is too long stays so: somebody may wait.
local function all(of)
  local list = {}
  local done, why, code = M.walk({ of = of, limit = rest.LIST, fixed = true }, function(items)
    table.move(items, 1, #items, #list + 1, list)
  end)
  if done then
    return list
  end
  return nil, why or "more than can be read", code
end

---All imported phone numbers.
---@param policy ringdown.retry.policy?
---@param timeout_ms integer? of one attempt
---@return table[]? numbers
---@return string? why
---@return any code
function M.phone_numbers(policy, timeout_ms)
  return all(function(ask)
    return rest.phone_numbers(ask, policy, timeout_ms)
  end)
end

---@return table[]? assistants
---@return string? why
---@return any code
function M.assistants()
  return all(rest.assistants)
end

return M
