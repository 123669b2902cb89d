-- SPDX-License-Identifier: Apache-2.0
-- vapi.pages: Vapi's list of calls has no cursor: the next page is what began before the last item of this one. Nothing
-- says in which order a page is, so the edge is looked for.
local rest = require "ringdown.vapi.rest"

local M = {}

local SMALLEST = 5

local function edge(page)
  local oldest
  for _, call in ipairs(page) do
    local at = type(call) == "table" and type(call.createdAt) == "string" and call.createdAt
    oldest = at and (not oldest or at < oldest) and at or oldest
  end
  return oldest
end

---Pages from the newest to the oldest, until `page` says stop, or there are no more.
---@param o ringdown.vapi.calls where it begins and ends; `pages`: at most so many
---@param take fun(calls: table[], oldest: string?): boolean? true: enough
---@return boolean? done all were seen
---@return string? why
---@return any code
function M.walk(o, take)
  local limit = o.limit or rest.PAGE
  local ask = { assistant = o.assistant, number = o.number, since = o.since, before = o.before }
  for _ = 1, o.pages or 1000 do
    ask.limit = limit
    local page, why, code = rest.calls(ask)
    if not page and code == "unknown" and limit > SMALLEST then
      limit = limit // 4 > SMALLEST and limit // 4 or SMALLEST -- too long an answer is no answer
    elseif not page then
      return nil, why, code
    else
      local oldest = edge(page)
      if take(page, oldest) then
        return true
      elseif #page < limit or not oldest or oldest == ask.before then
        return true
      end
      ask.before = oldest
    end
  end
  return false
end

return M
