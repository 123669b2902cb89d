-- SPDX-License-Identifier: Apache-2.0
-- describe: a loaded agent as people want to see it (`ringdown agents show`). Made once, when the agent is
-- loaded; phone numbers of people are masked here.
local drill = require "ringdown.emergency.drill"
local json = require "ringdown.json"
local people = require "ringdown.emergency.people"
local sorted = require "ringdown.sorted"

local M = {}

local function people_of(def)
  local named = {}
  for name, numbers in pairs(def.people) do
    local list = json.array {}
    for i, number in ipairs(type(numbers) == "table" and numbers or { numbers }) do
      list[i] = people.masked(number)
    end
    named[name] = list
  end
  return named
end

local function sorted_names(map)
  return json.array(sorted.keys(map))
end

local function tools_of(def)
  local list = json.array {}
  for i, t in ipairs(def.tools) do
    list[i] = { name = t.name, about = t.about, effect = t.effect, timeout_ms = t.timeout_ms,
      args = sorted_names(t.schema and t.schema.properties) }
  end
  return list
end

-- Words that begin a rule, so that one recognises it.
local function rules_of(def)
  local list = json.array {}
  for i, rule in ipairs(type(def.emergencies) == "table" and def.emergencies or {}) do
    list[i] = { id = rule.id, severity = rule.severity,
      transfer = type(rule.transfer) == "string" and not rule.transfer:match "^%+" and rule.transfer or nil,
      drill = drill.plan(def, rule) }
  end
  return list
end

-- How the file sends calls: a system, a share of callers, or a function of its own.
local function routing_of(def)
  local routing = def.routing
  return type(routing) == "function" and "function" or type(routing) == "table" and { openai_bp = routing.openai_bp }
    or routing
end

-- Until it has a rollout: then that is what counts.
local function routes_of(def)
  local routing = def.routing
  if not def.vapi then
    return "openai"
  elseif type(routing) == "function" then
    return "where its function says, else as its rollout says"
  elseif type(routing) == "table" then
    return ("%g %% to openai, until it has a rollout"):format(routing.openai_bp / 100)
  end
  return routing or def.openai and "openai" or "vapi"
end

---@param def table the agent
---@param brief table as a call would get it
---@return string json
function M.text(def, brief)
  return json.encode {
    name = def.name,
    numbers = json.array(def.numbers),
    languages = json.array(def.languages),
    time_zone = def.time_zone,
    hours = def.hours_text,
    model = brief.model,
    voice = brief.voice,
    opening = brief.opening,
    prompt = brief.instructions,
    tools = tools_of(def),
    hooks = sorted_names(def.on),
    emergencies = rules_of(def),
    people = people_of(def),
    limits = { calls = def.limits.calls, max_call_ms = brief.max_call_ms },
    budget = def.budget,
    needs = def.needs and { hosts = json.array(def.needs.hosts or {}),
      secrets = json.array(def.needs.secrets or {}) } or nil,
    record = def.record,
    openai = def.openai ~= nil,
    vapi = def.vapi and { assistant = def.vapi.assistant, route = def.vapi.route or "redirect",
      no_triage = def.vapi.no_triage } or nil,
    routing = routing_of(def),
    routes = routes_of(def),
  }
end

return M
