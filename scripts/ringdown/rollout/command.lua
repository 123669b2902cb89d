-- SPDX-License-Identifier: Apache-2.0
-- rollout.command: the operation `rollout`: what a person asks of a rollout. The command line, the admin interface and
-- the console come here.
--
--   plan   writes a plan that has not begun, or changes one       start   begins it, or goes on with one that is held
--   advance  the next stage        hold  no further               rollback  to a smaller share, nobody if none is named
--   status, history  what is       check  the guards look now     simulate  how often the guards are wrong
--
-- Every change is made from the version that was looked at and is in the audit with its reason, and so is what was
-- refused. With the database away, rollback alone works, on this machine (override.lua).
local agents = require "ringdown.rollout.agents"
local host = require "ringdown.host"
local json = require "ringdown.json"
local override = require "ringdown.rollout.override"
local plan = require "ringdown.rollout.plan"
local rollout = require "ringdown.rollout"
local schedule = require "ringdown.rollout.schedule"
local states = require "ringdown.rollout.states"
local store = require "ringdown.rollout.store"
local words = require "ringdown.rollout.words"

local M = {}

---What is said when the change is made from another version than there is.
M.STALE, M.FASTER = "version %s is not the newest. Now: %s", "somebody else was faster. Now: %s"

local function say(tell, lines)
  for _, line in ipairs(type(lines) == "table" and lines or { lines }) do
    tell { text = line }
  end
end

-- Raises, after the audit has it. What was only asked for to be seen is in no audit.
local function refuse(payload, agent, verb, why)
  if not payload.dry_run then
    store.refused(agent, host.who(), verb, why)
  end
  error(why, 0)
end

local function named(payload)
  local known, why = store.ask [[select coalesce(jsonb_object_agg(agent, version), '{}')::text from rollout_now]]
  return agents.one(payload.agent, known), why
end

-- ---- changes ----

-- `was`: nothing was written, and the record is what it would be.
local function told(tell, record, was, extra)
  local agent = agents.all()[record.agent]
  local text = words.next_call(record, { force = (store.force()), callers = store.callers(record.agent),
    agent = agent })
  say(tell, text)
  local result = { agent = record.agent, version = record.version, state = record.state, stage = record.stage,
    percent_bp = record.percent_bp, next_call = text, dry_run = was ~= nil or nil,
    would_be = was and { record = record, was = was } or nil }
  for key, value in pairs(extra or {}) do
    result[key] = value
  end
  return result
end

-- Who goes back waits for no evidence.
local function looked_at(agent, verb)
  if verb ~= "rollback" then
    return store.evidence(agent.name)
  end
  local record = store.newest(agent.name)
  return record and { record = record }
end

-- Makes the change of one command, and tells what it means.
local function change(payload, tell, agent, order)
  local e = looked_at(agent, payload.verb)
  local record = e and e.record or states.new(agent.name)
  order.command, order.who, order.reason = payload.verb, host.who(), payload.reason
  order.since_s = e and e.since_s
  if payload.if_version and payload.if_version ~= record.version then
    refuse(payload, agent.name, payload.verb, M.STALE:format(payload.if_version, states.shown(record)))
  end
  if e and payload.verb == "advance" and record.percent_bp > 0 then
    local watch = require "ringdown.rollout.watch"
    local verdict = watch.judge(e)
    order.verdict, order.ready = verdict.verdict, verdict.verdict == "ready"
    if not order.ready and order.force then -- what it goes past is in the audit
      order.forced_past = watch.evidence_of(verdict)
      order.forced_past.verdict = verdict.verdict
    end
  end
  local next_one, why = states.apply(record, order)
  if not next_one then
    refuse(payload, agent.name, payload.verb, why)
  end
  if payload.dry_run then
    say(tell, ("%s: %s would make it %s at %s (it is %s at %s); nothing was written"):format(agent.name, payload.verb,
      next_one.state, plan.show(next_one.percent_bp), record.state, plan.show(record.percent_bp)))
    return next_one, record
  end
  local made = store.change(next_one, record.version, { who = order.who, reason = payload.reason, what = payload.verb,
    evidence = order.forced_past, changes = order.changes })
  if not made then
    local now = store.record(agent.name)
    error(M.FASTER:format(now and states.shown(now) or "nothing"), 0)
  end
  next_one.version = made
  say(tell, ("%s: %s, %s at %s (version %d, by %s)"):format(agent.name, payload.verb, next_one.state,
    plan.show(next_one.percent_bp), made, order.who))
  return next_one
end

local function needs_both(payload, agent, verb, tell)
  if not agent.loads then
    refuse(payload, agent.name, verb, ("agent %s does not load here, so nobody knows what it can; ringdown check tells "
      .. "why"):format(agent.name))
  elseif not agent.vapi or not agent.openai then
    local has, lacks = agent.vapi and "Vapi" or "OpenAI", agent.vapi and "openai" or "vapi"
    refuse(payload, agent.name, verb, ("agent %s has no %s table: all its calls go to %s, and there is nothing to roll "
      .. "out"):format(agent.name, lacks, has))
  end
  local why, watched = agents.unwatched { agent }
  if why then
    refuse(payload, agent.name, verb, why)
  end
  say(tell, watched)
end

-- Of a file too: on each line some, and behind a # whatever one likes. Nothing is no wish to empty the list.
local function numbers_of(text, what)
  local list, empties = json.array {}, false
  for word in tostring(text):gsub("#[^\n]*", ""):gmatch "[^,%s]+" do
    local number = word ~= "none" and rollout.number(word)
    if not number and word ~= "none" then
      error(("--%s: '%s' is no number; write like +13125550142, several with commas, or none"):format(what,
        word:sub(1, 40)), 0)
    end
    list[#list + 1], empties = number or nil, empties or word == "none"
  end
  if #list == 0 and not empties then
    error(("--%s: there is no number; none empties the list"):format(what), 0)
  end
  return list
end

-- A plan that asks for nothing is one that nobody watches.
local function check_blind(stages, payload)
  local blind = plan.blind(stages)
  if blind and not (payload.force and payload.reason) then
    error(("%s: it would be ready before anybody has called; say at least --min 1 and a time by --bake, or --force "
      .. "--reason TEXT"):format(blind), 0)
  end
end

-- As a person types them, or as they are.
local function stages_of(payload)
  local stages, why = payload.stages, nil
  if type(stages) ~= "table" then
    stages, why = plan.parse(stages or "pilot,25,50,100", { bake = payload.bake, min = payload.min })
  elseif plan.check(stages)[1] then
    stages, why = nil, table.concat(plan.check(stages), "; ")
  end
  return stages or error(why, 0)
end

local function changes_of(payload)
  local changes = {}
  if payload.stages or payload.bake or payload.min then
    local stages = stages_of(payload)
    check_blind(stages, payload)
    changes.stages = stages
  end
  if payload.unit and payload.unit ~= "caller" and payload.unit ~= "call" then
    error(("--unit %s: it is \"caller\" or \"call\""):format(payload.unit:sub(1, 40)), 0)
  elseif payload.salt and not payload.salt:match "^[%w_.-]+$" then
    error("--salt: letters, digits, _ . and - only", 0)
  end
  if payload.schedule then
    local read, why = schedule.parse(payload.schedule)
    if read == nil then
      error(why, 0)
    end
    changes.schedule = read
  end
  changes.unit, changes.salt, changes.auto_advance = payload.unit, payload.salt, payload.auto_advance
  changes.allow = payload.allow and numbers_of(payload.allow, "allow")
  changes.deny = payload.deny and numbers_of(payload.deny, "deny")
  return changes
end

local verbs = {}

function verbs.plan(payload, tell, agent)
  local understood, changes = pcall(changes_of, payload)
  if not understood then
    local why = ("%s. Now: %s"):format(changes, states.shown(store.record(agent.name) or states.new(agent.name)))
    if not payload.dry_run then
      store.refused(agent.name, host.who(), "plan", why)
    end
    tell { note = why }
    return { usage = true, why = why }
  end
  local weak = changes.stages and plan.weak(changes.stages)
  local record, was
  if next(changes) then
    record, was = change(payload, tell, agent, { changes = changes, reshuffle = payload.reshuffle,
      forced_past = weak and { weak = weak } })
  end
  record = record or store.record(agent.name) or states.new(agent.name)
  say(tell, ("Rollout of %s, by %s, salt %s%s:"):format(agent.name, record.unit, record.salt,
    record.auto_advance and ", goes on by itself up to the last stage" or ""))
  say(tell, words.differs(record, agent and agent.file_bp) or {})
  say(tell, schedule.line(record.schedule) or {})
  say(tell, words.stages(record))
  if weak then
    tell { note = ("WATCHED BY NEXT TO NOTHING: %s. Guards need about 30 calls and an hour to see what fails; this "
      .. "is in the audit"):format(weak) }
  end
  if agent.loads and not (agent.openai and agent.vapi) then
    tell { note = ("agent %s has only one system; a rollout cannot start"):format(agent.name) }
  end
  return told(tell, record, was, { stages = json.array(record.stages), schedule = record.schedule })
end

function verbs.start(payload, tell, agent)
  needs_both(payload, agent, "start", tell)
  return told(tell, change(payload, tell, agent, { force = payload.force }))
end

function verbs.advance(payload, tell, agent)
  needs_both(payload, agent, "advance", tell)
  return told(tell, change(payload, tell, agent, { force = payload.force, to = payload.to }))
end

function verbs.hold(payload, tell, agent)
  return told(tell, change(payload, tell, agent, {}))
end

-- The database is away: this machine alone, at once.
local function rollback_here(payload, tell, agent, why)
  local bp, wrong = plan.percent(payload.to or "0")
  if not bp then
    error(wrong .. "; the database is away, so stages are not known", 0)
  elseif payload.dry_run then
    error("the database is away, so nobody can say who would move; without dry_run this node goes back at once", 0)
  end
  override.rollback(agent.name, bp, { who = host.who(), reason = payload.reason })
  tell { note = override.told(why) }
  say(tell, ("The next call of %s that comes to this node goes to OpenAI for at most %s of callers, and for no "
    .. "more than before; else to Vapi.")
    :format(agent.name, plan.show(bp)))
  return { agent = agent.name, percent_bp = bp, override = true }
end

function verbs.rollback(payload, tell, agent, down)
  if agent.loads and not agent.vapi then
    tell { note = ("agent %s has no vapi table: whatever its rollout says, its calls go to OpenAI"):format(agent.name) }
  end
  local result
  if not down then
    result, down = store.attempt(function()
      return told(tell, change(payload, tell, agent, { to = payload.to, file_bp = agent.file_bp }))
    end)
  end
  return result or rollback_here(payload, tell, agent, down)
end

-- ---- looking ----

local function show(e, tell, agent)
  local record = e.record
  say(tell, ("%s, by %s%s"):format(states.shown(record), record.updated_by,
    record.reason and (": " .. record.reason) or ""))
  if record.held_for then
    say(tell, "  held for  " .. record.held_for)
  end
  say(tell, schedule.line(record.schedule) or {})
  say(tell, words.stages(record))
  say(tell, words.progress(e))
  if record.percent_bp > 0 and record.state ~= "draft" and record.state ~= "done" and not record.kill then
    say(tell, words.verdict(require("ringdown.rollout.watch").judge(e)))
  end
  if agent and agent.loads and not (agent.openai and agent.vapi) then
    tell { note = ("agent %s has only one system now"):format(record.agent) }
  end
  say(tell, words.differs(record, agent and agent.file_bp) or {})
  return told(tell, record, nil, { evidence = e.arms, last = e.last })
end

function verbs.status(payload, tell)
  local list = json.array {}
  local records = store.records() or {}
  local all = agents.all()
  if payload.agent then
    local by_name = {}
    for _, record in ipairs(records) do
      by_name[record.agent] = true
    end
    agents.one(payload.agent, by_name)
  end
  for _, record in ipairs(records) do
    if not payload.agent or payload.agent == record.agent then
      list[#list + 1] = show(store.evidence(record.agent), tell, all[record.agent])
    end
  end
  if #list == 0 then
    say(tell, "There is no rollout" .. (payload.agent and " of " .. payload.agent or "")
      .. ": ringdown rollout plan shows one, ringdown rollout start begins it.")
  end
  return { rollouts = list }
end

local history_sql = [[select coalesce(jsonb_agg(to_jsonb(a) order by id), '[]')::text from (
  select id, at, who, what, before, after from audit where subject = $1 and what like 'rollout.%'
  order by id desc limit 100) a]]

local function line_of(row)
  local after, at = row.after or {}, tostring(row.at):sub(1, 19):gsub("T", " ")
  local what = row.what:gsub("^rollout%.", "")
  if what == "refused" then
    return ("%s  refused   %s by %s: %s"):format(at, tostring(after.asked), row.who, tostring(after.why))
  end
  return ("%s  %-9s version %s, %s at %s, by %s%s"):format(at, what, tostring(after.version), tostring(after.state),
    plan.show(after.percent_bp or 0), row.who, after.reason and (": " .. after.reason) or "")
end

function verbs.history(_, tell, agent)
  local rows = store.must(history_sql, { agent.name })
  for _, row in ipairs(rows) do
    say(tell, line_of(row))
  end
  if #rows == 0 then
    say(tell, ("Nobody has changed the rollout of %s."):format(agent.name))
  end
  return { agent = agent.name, history = json.array(rows) }
end

function verbs.check(payload, tell)
  local result = require("ringdown.rollout.watch").run({ agent = payload.agent }, tell)
  for _, one in ipairs(result.looked_at) do
    say(tell, ("%s: %s%s"):format(one.agent, one.verdict, one.action and (", done: %s: %s"):format(one.action, one.why)
      or ""))
  end
  if #result.looked_at == 0 then
    say(tell, "No rollout runs.")
  end
  return result
end

function verbs.simulate(payload, tell)
  return require("ringdown.rollout.simulate").show(payload, tell, host.stopping, function()
    host.sleep(1)
  end)
end

-- Which need to know whose rollout it is.
local of_agent = { plan = true, start = true, advance = true, hold = true, rollback = true, history = true }

---@param payload { verb: string, agent: string? }
---@param tell fun(value: table)
---@return table result
function M.run(payload, tell)
  local verb = require("ringdown.verbs").find(verbs, payload, tell)
  if not verb then
    return { usage = true }
  end
  if not of_agent[payload.verb] then
    return verb(payload, tell)
  end
  payload.reason = payload.reason and payload.reason:match "%S" and payload.reason:sub(1, 1000) or nil
  if payload.verb == "rollback" then
    store.hurry()
  end
  local agent, down = named(payload)
  return verb(payload, tell, agent, down)
end

return M
