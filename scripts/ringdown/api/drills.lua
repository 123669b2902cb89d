-- SPDX-License-Identifier: Apache-2.0
-- Drills: a rule of an agent is rehearsed with the people it reaches.
--   POST /api/v1/drills { agent = "…", rule = "…", plan = true|nil }
--     with `plan` -> 200 { agent, rule, severity, over_s, rungs = { { after_s, people = { { name, number } } } } }
--     without     -> 202 the same with `drill`, its number, and `after`: events of type "drill" behind that one tell
--     the rest, until one with the state "confirmed", "unanswered" or "failed" and without `kind`
local json = require "cjson"
local nearest = require "ringdown.nearest"

local NAME_MAX = 64

local function is_name(value)
  return type(value) == "string" and #value <= NAME_MAX and value:match "^[%w_%-]+$"
end

local function names_of(list, key)
  local names = {}
  for i, item in ipairs(list) do names[i] = item[key] end
  table.sort(names)
  return names
end

local function no_agent(context, name)
  local text, why = context.host.agents()
  if not text then return context.failure(503, why, "the node is starting or ending; ask again") end
  local names = names_of(json.decode(text).agents, "name")
  return context.failure(404, ("no agent '%s' is loaded"):format(name),
    #names > 0 and nearest.hint(name, names) or "load one first; see ringdown agents")
end

local function rule_of(agent, id)
  for _, rule in ipairs(agent.emergencies) do
    if rule.id == id then return rule end
  end
end

local function no_rule(context, agent, id)
  local names = names_of(agent.emergencies, "id")
  return context.failure(404, ("%s has no rule '%s'"):format(agent.name, id),
    #names > 0 and nearest.hint(id, names) or "it has no `emergencies` at all")
end

local function begin(context, request)
  local ok, wish = pcall(json.decode, request.body)
  if not ok or type(wish) ~= "table" or not is_name(wish.agent) or not is_name(wish.rule) then
    return context.failure(400, "which rule of which agent?", 'send {"agent":"northside-plumbing","rule":"gas-leak"}')
  end
  local text = context.host.agent(wish.agent)
  if not text then return no_agent(context, wish.agent) end
  local agent = json.decode(text)
  local rule = rule_of(agent, wish.rule)
  if not rule then return no_rule(context, agent, wish.rule) end
  local answer = { agent = agent.name, rule = rule.id, severity = rule.severity, over_s = rule.drill.over_s,
    rungs = rule.drill.rungs }
  if wish.plan == true then return 200, json.encode(answer) end
  answer.after = context.host.events_last()
  local why, code
  answer.drill, why, code = context.host.drill(agent.name, rule.id, request.who)
  if not answer.drill then
    return context.failure(503, why, code == "failed" and "too much is being done at once; ask again in a minute"
      or "the node is starting or ending; ask again")
  end
  return 202, json.encode(answer)
end

return {
  { "POST", "/api/v1/drills", begin },
}
