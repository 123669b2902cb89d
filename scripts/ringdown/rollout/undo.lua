-- SPDX-License-Identifier: Apache-2.0
-- rollout.undo: the operation `undo`: takes back the last change of a rollout or of the force switch, whoever made it,
-- the guards too. What it takes back is shown first, and whoever agrees says what was shown, so that nothing else is
-- taken back. Taking back is itself a change: undo twice, and it is as before.
--
-- What went back goes forward by the rules of `rollout start`: with a reason, and within a day only by force. So does
-- what would be no plan at all any more, where that sends more callers to OpenAI than now: without a plan it is all.
local agents = require "ringdown.rollout.agents"
local host = require "ringdown.host"
local json = require "ringdown.json"
local plan = require "ringdown.rollout.plan"
local states = require "ringdown.rollout.states"
local store = require "ringdown.rollout.store"
local words = require "ringdown.rollout.words"

local M = {}

local last_sql = [[select to_jsonb(l)::text from (
  select 'rollout' as kind, agent, version, updated_at as at, updated_by as who, reason, percent_bp, state,
      null as system from rollout_now where $1::text is null or agent = $1
  union all
  select 'force', null, version, at, who, reason, null, null, system from force_now where $1::text is null
  order by at desc limit 1) l]]

local before_sql = [[select to_jsonb(r)::text from rollouts r where agent = $1 and version = $2::integer]]
local force_before_sql = [[select to_jsonb(f)::text from forces f where version < $1::integer
  order by version desc limit 1]]

local function before(last)
  if last.kind == "force" then
    return store.must(force_before_sql, { tostring(last.version) }) or { system = "off" }
  end
  return last.version > 1 and store.must(before_sql, { last.agent, tostring(last.version - 1) }) or nil
end

-- What the next call would get.
local function next_call(record)
  local agent = agents.all()[record.agent]
  return words.next_call(record, { force = (store.force()), callers = store.callers(record.agent), agent = agent })
end

local function show(last, was, tell)
  local by = ("by %s, %s%s"):format(last.who, tostring(last.at):sub(1, 19):gsub("T", " "),
    last.reason and (": " .. last.reason) or "")
  if last.kind == "force" then
    tell { text = ("The last change: force %s, %s. Undone, it is: force %s."):format(last.system, by, was.system) }
  else
    tell { text = ("The last change: %s %s at %s (version %d), %s. Undone, it is: %s at %s."):format(last.agent,
      last.state, plan.show(last.percent_bp), last.version, by, was and was.state or "draft",
      plan.show(was and was.percent_bp or 0)) }
    tell { text = "Then: " .. next_call(was or states.new(last.agent)) }
  end
end

local function undo_force(last, was, tell, payload, reason)
  local made
  if not payload.dry_run then
    made = store.force_put_seen(was.system, host.who(), reason, last.version)
    if not made then
      error("somebody else was faster; look again", 0)
    end
  end
  tell { text = was.system == "off" and "Nothing is forced any more."
    or ("The next call of every agent that can goes to %s."):format(words.system(was.system)) }
  return { kind = "force", system = was.system, version = made, was = not made and last or nil }
end

-- Raises, after the audit has it. What was only asked for to be seen is in no audit.
local function refuse(payload, record, why)
  if not payload.dry_run then
    store.refused(record.agent, host.who(), "undo", why)
  end
  error(why, 0)
end

-- Raises where what went back would go forward too soon.
local function check_rest(e, record, payload)
  local is_back, was_back = states.unkilled(e.record) == "rolled_back", states.unkilled(record) == "rolled_back"
  local why = is_back and not was_back and states.rests { reason = payload.reason, since_s = e.since_s,
    force = payload.force }
  if why then
    refuse(payload, record, ("%s. Now: %s"):format(why, states.shown(e.record)))
  end
end

-- Raises where nothing would be in force any more and that is a leap: the guards look at no draft.
local function check_leap(e, record, payload)
  local now, bp = e.record, agents.share_without(agents.all()[record.agent])
  local is_draft = record.state == "draft" and record.mode == "split" and not record.kill
  if not is_draft or now.state == "draft" or not bp or bp <= (now.kill and 0 or now.percent_bp)
    or now.mode == "openai" or payload.force and payload.reason then
    return
  end
  local why = ("without a plan %s of the callers of %s meet OpenAI, and now %s; ringdown rollout rollback sends them "
    .. "to Vapi; or say --force --reason TEXT"):format(plan.show(bp), record.agent,
      plan.show(now.kill and 0 or now.percent_bp))
  refuse(payload, record, ("%s. Now: %s"):format(why, states.shown(now)))
end

local function undo_rollout(last, was, tell, payload, reason)
  local e = store.evidence(last.agent)
  local now = e.record
  local record = was and json.copy(was) or states.new(last.agent)
  check_rest(e, record, payload)
  check_leap(e, record, payload)
  if payload.dry_run then
    local text = next_call(record)
    tell { text = text }
    return { kind = "rollout", agent = last.agent, was = now, would_be = record, next_call = text }
  end
  record.since = now.percent_bp ~= record.percent_bp and "now" or now.since
  local before_kill = record.state == "killed" and states.unkilled(record) or nil
  record.previous = states.previous_of(now)
  record.previous.before_kill = before_kill or record.previous.before_kill
  local made = store.change(record, last.version, { who = host.who(), reason = reason, what = "undo",
    lists_of = was and was.version, changes = not was and record or nil })
  if not made then
    error("somebody else was faster; look again", 0)
  end
  record.version = made
  local text = next_call(record)
  tell { text = text }
  return { kind = "rollout", agent = last.agent, version = made, state = record.state, percent_bp = record.percent_bp,
    next_call = text }
end

local function is_same(a, b)
  return type(a) == "table" and a.kind == b.kind and a.agent == b.agent and a.version == b.version
end

---@class ringdown.rollout.undo
---@field agent string?
---@field show boolean? only that
---@field shown { kind: string, agent: string?, version: integer }? what was shown, and is agreed to
---@field reason string?
---@field force boolean?
---@field dry_run boolean? only tell what would be, and whether that is refused

---@param payload ringdown.rollout.undo
function M.run(payload, tell)
  local last = store.must(last_sql, { payload.agent or false })
  if not last then
    error("nobody has changed a rollout or the force switch", 0)
  end
  local was = before(last)
  if payload.shown and not is_same(payload.shown, last) then
    error("something was changed meanwhile; look again", 0)
  elseif not payload.shown then
    show(last, was, tell)
  end
  if payload.show then
    return { last = last }
  end
  payload.reason = payload.reason and payload.reason:match "%S" and payload.reason:sub(1, 1000) or nil
  local reason = ("undo of version %d%s"):format(last.version, payload.reason and (": " .. payload.reason) or "")
  if last.kind == "force" then
    return undo_force(last, was, tell, payload, reason)
  end
  return undo_rollout(last, was, tell, payload, reason)
end

return M
