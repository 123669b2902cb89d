-- SPDX-License-Identifier: Apache-2.0
-- rollout.force: the operation `force`: every new call to one system, of all agents that can or of one. For the worst
-- moment: it asks nothing, works with the database away (override.lua), and is taken back by `off`.
--
-- One thing stops it: rules about life of agents whose assistants send no transcripts, so that nobody here would know
-- of such an emergency on Vapi. `yes` says that this is known; the audit has it.
local agents = require "ringdown.rollout.agents"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local override = require "ringdown.rollout.override"
local plan = require "ringdown.rollout.plan"
local sorted = require "ringdown.sorted"
local states = require "ringdown.rollout.states"
local store = require "ringdown.rollout.store"
local words = require "ringdown.rollout.words"

local M = {}

-- How a refusal ends that `yes` overrules.
M.OR_YES = "; or say --yes in an outage"

M.FASTER = "somebody else was faster; ringdown rollout status shows how it is now"

local allowed = { "openai", "vapi", "off" }

-- Raises unless that is known; returns what the audit shall have beside the reason.
local function check_watch(payload, tell, agent, all)
  if payload.system ~= "vapi" then
    return payload.reason
  end
  local list = { agent }
  if not agent then
    for _, name in ipairs(sorted.keys(all)) do
      list[#list + 1] = all[name]
    end
  end
  local why, watched = agents.unwatched(list)
  if why and not payload.yes then
    if not payload.dry_run then
      store.refused(agent and agent.name or "*", host.who(), "force vapi", why)
    end
    error(why .. M.OR_YES, 0)
  end
  for _, line in ipairs(watched) do
    tell { text = line }
  end
  return why and ("%s [although %s]"):format(payload.reason or "no reason given", why):sub(1, 2000) or payload.reason
end

local function here(payload, tell, agent, why)
  if payload.dry_run then
    error("the database is away, so nobody can say what would change; without dry_run this node does it at once", 0)
  end
  local o = { who = host.who(), reason = payload.reason }
  local rollback
  if agent then
    rollback = override.force_agent(agent.name, payload.system, o)
  else
    override.force(payload.system, o)
  end
  local whose = agent and agent.name or "every agent that can"
  tell { note = override.told(why) }
  tell { text = payload.system ~= "off"
    and ("The next call of %s that comes to this node goes to %s."):format(whose, words.system(payload.system))
    or rollback and ("%s is not forced at this node any more. The rollback that was ordered here stands: at most %s of "
      .. "its callers meet OpenAI."):format(whose, plan.show(rollback))
    or agent and ("%s is not forced at this node any more: its next call goes where its rollout says."):format(whose)
    or "The force switch is off at this node; what was ordered here of single agents stands." }
  return { system = payload.system, agent = agent and agent.name, override = true }
end

-- Where calls of each agent go now and would go; those whose sentence stays the same are left out.
local function moved(system, all)
  local force, why, code = store.force()
  if code then
    return nil, why
  end
  local list = json.array {}
  for _, name in ipairs(sorted.keys(all)) do
    local record = store.newest(name) or states.new(name)
    local now = words.next_call(record, { force = force, agent = all[name] })
    local after = words.next_call(record, { force = { system = system }, agent = all[name] })
    if all[name].loads and (system == "off" or all[name][system]) and now ~= after then
      list[#list + 1] = { agent = name, now = now, after = after }
    end
  end
  return list, force or { system = "off", version = 0 }
end

local function rehearsed(payload, tell, all)
  local list, was = moved(payload.system, all)
  if not list then
    return here(payload, tell, nil, was)
  elseif payload.seen and payload.seen ~= was.version then
    error(M.FASTER, 0)
  end
  tell { text = was.system == payload.system and "Nothing would be written: it is so already."
    or payload.system == "off" and "Then nothing is forced any more: the next call goes where its agent's rollout says."
    or ("Then the next call of every agent that can goes to %s, until somebody ends it."):format(
      words.system(payload.system)) }
  return { system = payload.system, dry_run = true, was = was, agents = list }
end

local function globally(payload, tell, reason)
  local made, why, code = store.force_put(payload.system, host.who(), reason, payload.seen)
  if code then
    return here(payload, tell, nil, why)
  elseif not made then
    error(M.FASTER, 0)
  end
  tell { text = payload.system == "off"
    and "Nothing is forced any more: the next call goes where its agent's rollout says (ringdown rollout status)."
    or ("The next call of every agent that can goes to %s, until ringdown force off."):format(
      words.system(payload.system)) }
  return { system = payload.system, version = made }
end

local function shown_with(agent)
  return { force = (store.force()), callers = store.callers(agent.name), agent = agent }
end

local commands = { openai = "fix", vapi = "kill", off = "release" }

local function one(payload, tell, agent, reason, down)
  local record, why, code
  if not down then
    record, why, code = store.record(agent.name)
  end
  if down or code then
    return here(payload, tell, agent, down or why)
  end
  record = record or states.new(agent.name)
  if payload.seen and payload.seen ~= record.version then
    error(M.FASTER, 0)
  end
  local what = "force_" .. payload.system
  local next_one, wrong = states.apply(record, { command = commands[payload.system], system = payload.system,
    who = host.who() })
  if not next_one then
    if not payload.dry_run then
      store.refused(agent.name, host.who(), what, wrong)
    end
    error(wrong, 0)
  end
  if payload.dry_run then
    local shown = shown_with(agent)
    local text = words.next_call(next_one, shown)
    tell { text = text }
    return { agent = agent.name, system = payload.system, state = next_one.state, stage = next_one.stage,
      percent_bp = next_one.percent_bp, next_call = text, was_next_call = words.next_call(record, shown),
      would_be = { record = next_one, was = record } }
  end
  local made
  made, why, code = store.attempt(store.change, next_one, record.version,
    { who = host.who(), reason = reason, what = what })
  if code then
    return here(payload, tell, agent, why)
  elseif not made then
    error(M.FASTER, 0)
  end
  next_one.version = made
  local text = words.next_call(next_one, shown_with(agent)) -- not asked before: the worst moment does not wait for it
  tell { text = text }
  return { agent = agent.name, system = payload.system, version = made, next_call = text }
end

---@param payload { system: string, agent: string?, reason: string?, yes: boolean?, seen: integer?, dry_run: boolean? }
---  seen: only from this version; with the database away nobody knows it, and the worst moment does not wait
function M.run(payload, tell)
  if payload.system ~= "openai" and payload.system ~= "vapi" and payload.system ~= "off" then
    local said = tostring(payload.system):sub(1, 40)
    tell { note = ("'%s' is no system; %s"):format(said, nearest.hint(said, allowed)) }
    return { usage = true }
  end
  payload.reason = payload.reason and payload.reason:match "%S" and payload.reason:sub(1, 1000) or nil
  store.hurry()
  local agent, known, down
  if payload.agent then
    known, down = store.ask [[select coalesce(jsonb_object_agg(agent, version), '{}')::text from rollout_now]]
    agent = agents.one(payload.agent, known)
    if agent.loads and payload.system ~= "off" and not agent[payload.system] then
      error(("agent %s has no %s table: its calls cannot go there"):format(agent.name, payload.system), 0)
    end
  end
  local reason = check_watch(payload, tell, agent, agents.all())
  if agent then
    return one(payload, tell, agent, reason, down)
  end
  if payload.dry_run then
    return rehearsed(payload, tell, agents.all())
  end
  return globally(payload, tell, reason)
end

return M
