-- SPDX-License-Identifier: Apache-2.0
-- vapi.told: what Vapi says of a call becomes facts: how it went and what it costs, and what was said.
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"

local M = {}

local PART_BYTES = 20000 -- of words in one fact
local WORDS_MAX = 4000 -- of one turn
local COSTS_BYTES, BREAKDOWN_BYTES, METRICS_BYTES = 16000, 8000, 28000 -- as gateway/vapi/message.c has them

local roles = { bot = "agent", assistant = "agent", user = "caller" }

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function table_or_empty(value)
  return type(value) == "table" and value or {}
end

---The carrier's id: as Vapi tells it, else as we told it when we began the call.
---@param call table
---@return string?
function M.sid_of(call)
  local overrides = table_or_empty(call.assistantOverrides)
  local sid = text(call.phoneCallProviderId) or text(table_or_empty(call.transport).callSid)
    or text(table_or_empty(overrides.variableValues).ringdown_call)
    or text(table_or_empty(call.metadata).ringdown_call)
  return sid and #sid <= 64 and sid:match "^%w+$" or nil
end

---A call that Vapi was asked to begin for us and that nobody took, because the answer was lost or late. The carrier has
---another one there then.
---@param call table
---@return boolean
function M.is_orphan(call)
  return text(call.phoneCallProviderId) == nil
    and call.endedReason == "phone-call-provider-bypass-enabled-but-no-call-received"
end

local function at_ms(message, began)
  local seconds = tonumber(message.secondsFromStart)
  if not seconds and began and tonumber(message.time) then
    seconds = (tonumber(message.time) - began) / 1000
  end
  return math.max(math.floor((seconds or 0) * 1000), 0)
end

---What was said, in order.
---@param call table
---@return { role: string, text: string, at_ms: integer }[]
function M.words_of(call)
  local messages = table_or_empty(table_or_empty(call.artifact).messages)
  if #messages == 0 then
    messages = table_or_empty(call.messages)
  end
  local list, began = {}, messages[1] and tonumber(table_or_empty(messages[1]).time)
  for _, message in ipairs(messages) do
    local role = type(message) == "table" and roles[message.role]
    local words = role and (text(message.message) or text(message.content))
    if words then
      list[#list + 1] = { role = role, text = words:sub(1, WORDS_MAX), at_ms = at_ms(message, began) }
    end
  end
  return list
end

-- What is too long is told: the amount is kept, and what it is made of is missing.
local function bounded(call, what, value, bytes)
  local encoded = type(value) == "table" and json.encode(value)
  if encoded and #encoded > bytes then
    log.fact("warn", "vapi.too_long", M.sid_of(call) or "", { what = log.known(what), bytes = #encoded,
      fix = log.known "its amount is kept, what it is made of is not" })
    return nil, true
  end
  return encoded and value or nil, false
end

-- What each turn took is what makes them long: without that, what all took.
local function metrics_of(call)
  local all = table_or_empty(table_or_empty(call.artifact).performanceMetrics)
  local metrics, too_long = bounded(call, "metrics", next(all) and all, METRICS_BYTES)
  if not too_long then
    return metrics
  end
  local sums = {}
  for name, value in pairs(all) do
    sums[name] = type(value) == "number" and value or nil
  end
  return bounded(call, "metrics", sums, METRICS_BYTES)
end

---The members of the fact `vapi`.
---@param call table
---@param more table?
function M.fact_of(call, more)
  local fact = {
    vapi_id = text(call.id), seen_by = "poll", type = text(call.type), status = text(call.status),
    assistant = text(call.assistantId), number_id = text(call.phoneNumberId), ended_reason = text(call.endedReason),
    created_at = text(call.createdAt), started_at = text(call.startedAt), ended_at = text(call.endedAt),
    cost = tonumber(call.cost), costs = (bounded(call, "costs", call.costs, COSTS_BYTES)),
    cost_breakdown = (bounded(call, "cost_breakdown", call.costBreakdown, BREAKDOWN_BYTES)),
    metrics = (metrics_of(call)),
  }
  for name, value in pairs(more or {}) do
    fact[name] = value
  end
  return fact
end

---What was said, in facts `vapi_words`: they are bounded, so a long conversation is told in parts.
---@param call table
---@param words table[] of words_of()
---@param tell fun(fact: table)
function M.parts(call, words, tell)
  local part, bytes, first = json.array {}, 0, 1
  local function send(next_first)
    if #part > 0 then
      tell { vapi_id = call.id, created_at = text(call.createdAt), first = first, words = part }
    end
    part, bytes, first = json.array {}, 0, next_first
  end
  for i, turn in ipairs(words) do
    if bytes + #turn.text > PART_BYTES then
      send(i)
    end
    part[#part + 1] = turn
    bytes = bytes + #turn.text + 60
  end
  send(#words + 1)
end

---@param sid string
---@param agent string
---@param call table as Vapi shows it
---@param more table? other members of the fact
---@return boolean worded its words were among it
function M.tell(sid, agent, call, more)
  host.fact("vapi", json.encode(M.fact_of(call, more)), sid, agent)
  local words = call.status == "ended" and M.words_of(call) or {}
  M.parts(call, words, function(fact)
    host.fact("vapi_words", json.encode(fact), sid, agent)
  end)
  return #words > 0
end

return M
