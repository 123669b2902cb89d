-- SPDX-License-Identifier: Apache-2.0
-- customers: who calls, as far as the database knows. A number that is shown is not an identity: what follows from
-- it here may be wrong on purpose, so it decides about courtesy, never about what is disclosed.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

local OPEN_MS = 150 -- the webhook waits for this; a slow database costs the courtesy, not the call

local COLUMNS = "select c.number, c.name, c.email, c.facts::text, coalesce((select jsonb_agg(jsonb_build_object("
  .. "'start', extract(epoch from lower(a.during))::bigint, 'service', a.service) order by a.during) "
  .. "from (select * from appointments a where a.customer = c.id and a.status = 'booked' "
  .. "and upper(a.during) > now() order by a.during limit 3) a), '[]')::text "
local BY_NUMBER = COLUMNS .. "from customers c where c.agent = $1 and c.number = $2"
local BY_NAME = COLUMNS .. "from customers c where c.agent = $1 and lower(c.name) = lower($2) limit 2"

---@class ringdown.customer
---@field number string
---@field name string?
---@field email string?
---@field facts table
---@field visits { start: integer, service: string? }[] the next three

local function customer_of(row)
  return { number = row[1], name = row[2] or nil, email = row[3] or nil, facts = json.decode(row[4]) or {},
    visits = json.decode(row[5]) or {} }
end

local function found(sql, agent, what, timeout_ms)
  local rows, why, code = host.query(sql, { agent, what }, timeout_ms)
  if not rows then
    return nil, why, code
  end
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = customer_of(row)
  end
  return list
end

---@param agent string
---@param number string
---@param timeout_ms integer?
---@return ringdown.customer[]? list none or one; nil: the database is down
---@return string? why
function M.by_number(agent, number, timeout_ms)
  return found(BY_NUMBER, agent, number, timeout_ms)
end

---@param agent string
---@param name string
---@return ringdown.customer[]? list at most two: more than one is nobody
---@return string? why
function M.by_name(agent, name)
  return found(BY_NAME, agent, name)
end

local about_caller = { ["caller.known"] = true, ["caller.vip"] = true, ["caller.name"] = true }

-- Only agents that have a use for it wait for the database.
---@param def table the agent
---@return boolean
function M.is_wanted(def)
  if def.wants_customer ~= nil then -- in a call: somebody looked before
    return def.wants_customer
  end
  if type(def.routing) == "function" then
    return true
  end
  for _, part in ipairs(def.template.parts) do
    if type(part) == "table" and about_caller[part.path] then
      return true
    end
  end
  return false
end

---Fills in call.caller.known, .vip and .name, if the agent asks for them and the database answers soon.
---@param def table the agent
---@param call ringdown.call
---@param form table<string, string> the carrier's
function M.know(def, call, form)
  local number = call.caller.number
  local is_faked = (form.StirVerstat or ""):find("Failed", 1, true)
  if not number or is_faked or not M.is_wanted(def) then
    return
  end
  local list = M.by_number(def.name, number, OPEN_MS)
  local customer = list and list[1]
  if not customer then
    return
  end
  call.caller.known = true
  call.caller.vip = customer.facts.vip == true
  call.caller.name = customer.name or call.caller.name
end

return M
