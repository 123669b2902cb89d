-- SPDX-License-Identifier: Apache-2.0
-- routing: which system a call runs on, decided once, by a pure function of what is known when it comes in.
--
--   pinned ▶ force ▶ killed ▶ fixed ▶ deny ▶ rolled_back ▶ allow ▶ agent ▶ schedule ▶ split ▶ default
--      the first that says                                ╰── an error from here on: error, the control
--   and then: that system cannot take it, the other can, and the agent lets it ▶ failover:why
--
-- Only what `split` decided is evidence about a rollout. Whatever breaks in here sends the call to the control: Vapi,
-- where the agent has it. Nothing in here waits or asks; what the node knows comes with the call (gateway/routing.c).
local rollout = require "ringdown.rollout"

local M = {}

M.ANSWERED = "answered" -- why Vapi cannot take a call: it only takes those that still ring

---@alias ringdown.routing
---| "openai" # every call
---| "vapi"
---| { split: { openai: number } } # so many percent of callers, until there is a rollout
---| fun(call: ringdown.call): "openai"|"vapi"|nil, string? # and the reason, for the records

---@class ringdown.routing.record the newest version of the agent's rollout
---@field version integer 0: what the agent's file says
---@field mode "split"|"openai"|"vapi"
---@field percent_bp integer share of OpenAI in hundredths of a percent
---@field salt string?
---@field unit "caller"|"call"|nil
---@field state string?
---@field kill boolean?
---@field schedule { when: "open"|"closed", hours: table?, zone: string? }?

---@class ringdown.routing.known what the node knows besides the agent's file
---@field record ringdown.routing.record?
---@field override ringdown.routing.order? what was ordered at this node while the database was away
---@field force "openai"|"vapi"|nil
---@field listed "allow"|"deny"|nil the caller's number is on the rollout's list
---@field pinned "openai"|"vapi"|nil where this call went when the carrier asked before
---@field down { openai: string?, vapi: string? }? why a system cannot take a call now

---@class ringdown.routing.order
---@field force "openai"|"vapi"|"off"|nil off: not forced, whatever the rollout says
---@field rollback integer? so much at most, in hundredths of a percent

---@class ringdown.routing.decision
---@field system "openai"|"vapi"
---@field reason string
---@field first "openai"|"vapi" before a fail-over
---@field first_reason string
---@field failover string?
---@field detail string? more about the reason, of the agent or of an error
---@field rollout integer? version
---@field unit string?
---@field bucket integer?
---@field percent_bp integer?
---@field key string? what the bucket is of; never kept as it is

-- What the file says, as if it were a rollout's version 0.
local function of_file(file)
  if type(file) == "string" then
    return { version = 0, mode = file }
  elseif type(file) == "table" then
    return { version = 0, mode = "split", percent_bp = file.openai_bp }
  end
end

-- The share that goes to OpenAI where nobody goes back.
local function share(q, record)
  if not record then
    return q.usual == "openai" and rollout.WHOLE or 0
  elseif record.mode == "vapi" then
    return 0
  elseif record.mode == "openai" and record.version == 0 then
    return rollout.WHOLE
  end
  return record.percent_bp
end

local function with(record, changes)
  return setmetatable(changes, { __index = record or { version = 0 } })
end

-- A draft is not in force yet, but all its calls may be forced to a system. What was ordered here wins over what the
-- database said last, and going back never means more than that was.
local function in_force(q)
  local record, order = q.known.record, q.known.override or {}
  if record and order.force == "off" and record.mode ~= "split" then
    record = with(record, { mode = "split" })
  end
  if record and record.state == "draft" and record.mode == "split" then
    record = nil
  end
  record = record or of_file(q.file)
  if order.force == "openai" then
    return with(record, { mode = "openai" })
  elseif order.rollback then
    return with(record, { mode = "split", percent_bp = math.min(order.rollback, share(q, record)),
      state = order.rollback == 0 and "rolled_back" or nil })
  end
  return record
end

local function is_killed(q)
  local record, order = q.known.record, q.known.override
  if order and order.force then
    return order.force == "vapi"
  end
  return record ~= nil and (record.kill or record.state == "killed") or false
end

-- Back to nobody means nobody: no tester, and nobody whom the agent's own function picks.
local function is_rolled_back(record)
  return record ~= nil and record.state == "rolled_back" and record.percent_bp == 0
end

local function control(q)
  return q.runs.vapi and "vapi" or "openai"
end

local function own(q)
  local system, words = q.ask()
  if system == nil then
    return nil
  elseif system ~= "openai" and system ~= "vapi" then
    error(("routing returned %s; allowed: \"openai\", \"vapi\", nil"):format(tostring(system)), 0)
  elseif system == "vapi" and not q.runs.vapi then
    error("routing returned \"vapi\", but the agent has no vapi table", 0)
  end
  return system, "agent", words and tostring(words)
end

local function first_choice(q, record, decision)
  local known = q.known
  if q.runs[known.pinned] then
    return known.pinned, "pinned"
  elseif q.runs[known.force] then
    return known.force, "force"
  elseif is_killed(q) then
    return control(q), "killed"
  elseif record and record.mode ~= "split" then
    return record.mode == "openai" and "openai" or control(q), "fixed"
  elseif known.listed == "deny" then
    return control(q), "deny"
  elseif is_rolled_back(record) then
    return control(q), "rolled_back"
  elseif known.listed == "allow" then
    return "openai", "allow"
  end
  local system, reason, words = own(q)
  if system then
    return system, reason, words
  elseif record and record.schedule and not q.is_open(record.schedule) then
    return control(q), "schedule"
  elseif record then
    return rollout.is_on(decision.bucket, record.percent_bp) and "openai" or control(q), "split"
  end
  return q.usual, "default"
end

-- The bucket is told with every decision while there is a plan, so that each can be checked afterwards.
local function measured(q, record)
  if not record or record.mode ~= "split" then
    return { rollout = record and record.version }
  end
  local unit = record.unit or "caller"
  local key = rollout.key(unit, q.party, q.call_id)
  return { rollout = record.version, unit = unit, key = key, percent_bp = record.percent_bp,
    bucket = rollout.bucket(rollout.seed(q.agent, record.salt), key) }
end

local other = { openai = "vapi", vapi = "openai" }

-- Who orders a system knows why; and the same call gets the same answer. Unless it cannot be.
local function is_ordered(d, why)
  return why ~= M.ANSWERED and (d.first_reason == "force" or d.first_reason == "pinned")
end

local function fail_over(q, d)
  local down = q.known.down or {}
  local why, instead = down[d.first], other[d.first]
  if why and not is_ordered(d, why) and q.failover and not down[instead] and q.runs[instead] then
    d.system, d.failover, d.reason = instead, why, "failover:" .. why
  end
end

local function plan_of(q)
  local record = in_force(q)
  return record, measured(q, record)
end

-- The first line of an error, whatever was raised.
local function told(why)
  local ok, text = pcall(tostring, why)
  return ok and text:match "^[^\n]*" or "no text"
end

---Never raises: what goes wrong is the reason `error`.
---@param q ringdown.routing.question
---@return ringdown.routing.decision
function M.decide(q)
  local planned, record, decision = pcall(plan_of, q)
  local chosen, system, reason, words = false, record, nil, nil
  if planned then
    chosen, system, reason, words = pcall(first_choice, q, record, decision)
  end
  decision = planned and decision or {}
  if not chosen then
    system, reason, words = control(q), "error", told(system)
  end
  decision.system, decision.reason = system, reason
  decision.first, decision.first_reason, decision.detail = system, reason, words
  fail_over(q, decision)
  return decision
end

return M
