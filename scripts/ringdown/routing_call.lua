-- SPDX-License-Identifier: Apache-2.0
-- routing_call: the question that a call is to routing.lua, and its decision as it is kept.
local host = require "ringdown.host"
local routing = require "ringdown.routing"

local M = {}

---@class ringdown.routing.question
---@field agent string its name
---@field runs { openai: boolean, vapi: boolean } what the agent can run on
---@field usual "openai"|"vapi" where its calls go when nobody says
---@field file ringdown.routing? as the agent's file says, checked; nil for a function
---@field failover boolean the other system may take a call that one cannot
---@field known ringdown.routing.known
---@field party string? the caller's number; of a call that we place, who is called
---@field call_id string
---@field ask fun(): string?, string? what the agent's own function says
---@field is_open fun(schedule: table): boolean

local function ask_nothing() end

-- The agent's own hours, or those of the plan, on the clock of either.
local function is_open(def, schedule)
  local hours_of, time = require "ringdown.hours", require "ringdown.time"
  local hours = schedule.hours and hours_of.shape(schedule.hours, "hours", function(path, text)
    error(("the rollout's schedule: %s %s"):format(path, text), 0)
  end) or def.hours
  local open = not hours or hours_of.is_open(hours, time.at(schedule.zone or def.time_zone))
  return open == (schedule.when ~= "closed")
end

-- OpenAI is how an agent runs that does not say otherwise.
local function runs_openai(def)
  return def.openai ~= nil or not def.vapi or def.routing ~= nil and def.routing ~= "vapi"
end

---May the other system take a call that one cannot? Where the agent has both, unless it says otherwise.
---@param def table the agent
---@return boolean
function M.may_fail_over(def)
  if not def.vapi or def.failover ~= nil then
    return def.vapi ~= nil and def.failover
  end
  return runs_openai(def)
end

---@param session ringdown.session
---@param known ringdown.routing.known
---@return ringdown.routing.decision facts without the caller's number
function M.decide(session, known)
  local def, call, form = session.def, session.call, session.form
  local file, own = def.routing, nil
  if type(file) == "function" then
    file, own = nil, file
  end
  local outbound = tostring(form.Direction):match "^outbound"
  local decision = routing.decide {
    agent = def.name,
    runs = { openai = runs_openai(def) or known.record ~= nil, vapi = def.vapi ~= nil },
    usual = def.vapi and not def.openai and "vapi" or "openai",
    file = file,
    failover = M.may_fail_over(def),
    known = known,
    party = outbound and form.To or form.From,
    call_id = call.id,
    ask = own and function() return own(call) end or ask_nothing,
    is_open = function(schedule) return is_open(def, schedule) end,
  }
  decision.key, decision.key_hash = nil, decision.key and host.number_hash(decision.key)
  return decision
end

return M
