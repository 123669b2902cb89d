-- SPDX-License-Identifier: Apache-2.0
-- rollout.states: what each command makes of a rollout. Pure: a record in, the next one out, or why not.
--
--   draft ──start──▶ pilot ──advance──▶ running 25 ──▶ running 50 ──▶ running 100 ──advance──▶ done
--                      │                    │  ▲ start (again)
--                      └──hold──▶ paused ◀──┘──┘           any ──rollback──▶ rolled_back ──start──▶ pilot
--                                                          any ──kill──▶ killed ──release──▶ what it was
--
-- Forward goes one stage at a time, from `ready` or with force and a reason; back goes at once, from anywhere, to any
-- smaller share. Nothing but a person goes on after a rollback, and nothing but a person goes to 100 %.
local json = require "ringdown.json"
local plan = require "ringdown.rollout.plan"

local M = {}

local NONE = {} -- a member that goes
local COOLDOWN_S = 86400
local WHOLE = 10000
M.GUARDS = "auto:guards"

---@class ringdown.rollout.order
---@field command string plan, start, advance, hold, rollback, kill, fix, release
---@field who string
---@field reason string?
---@field force boolean? advance without being ready; start within a day of a rollback
---@field to string? a stage, or a share
---@field ready boolean? what the guards said last
---@field since_s integer? how long it has been in its stage, or rolled back
---@field changes table? of `plan`: stages, unit, salt, allow, deny, auto_advance, schedule (false: none)
---@field reshuffle boolean? callers may change sides
---@field system string? of `fix`: which one all calls go to
---@field file_bp integer? the share that the agent's file asks for; nil: none, so everybody meets OpenAI

local function shown(record)
  local _, stage = plan.at(record)
  return ("%s is %s%s at %s, version %d"):format(record.agent, record.state,
    stage and (" in stage '%s'"):format(stage.name) or "", plan.show(record.percent_bp), record.version)
end
M.shown = shown

local function is_automatic(order)
  return order.who:match "^auto:" ~= nil
end

-- The state that it has when it is killed no more. Went back meanwhile: that is what it is.
local function unkilled(record)
  if record.state ~= "killed" then
    return record.state
  end
  local was = record.previous or {}
  local state = was.before_kill or was.state
  if state and state ~= "killed" then
    return state
  end
  return record.percent_bp > 0 and "paused" or "pilot"
end
M.unkilled = unkilled

---What a record was, for the one that follows it. What is killed keeps the state that it goes back to, whatever is
---changed of it meanwhile.
---@param record table
---@return table
function M.previous_of(record)
  return { version = record.version, percent_bp = record.percent_bp, stage = record.stage, state = record.state,
    mode = record.mode, kill = record.kill, before_kill = record.state == "killed" and unkilled(record) or nil }
end

local function copy_with(record, changes)
  local next_one = json.copy(record)
  for key, value in pairs(changes) do
    if value == NONE then
      value = nil
    end
    next_one[key] = value
  end
  next_one.previous = M.previous_of(record)
  return next_one
end

local function stage_named(record, to)
  local stages = plan.stages(record)
  for i, stage in ipairs(stages) do
    if stage.name == to then
      return i, stage
    end
  end
end

local function names_of(record)
  local names = {}
  for i, stage in ipairs(plan.stages(record)) do
    names[i] = stage.name
  end
  return table.concat(names, ", ")
end

local commands = {}

-- ---- plan ----

local function check_changes(record, order)
  local c = order.changes or {}
  local complaints = c.stages and plan.check(c.stages) or {}
  if complaints[1] then
    return table.concat(complaints, "; ")
  end
  local moves = c.salt and c.salt ~= record.salt or c.unit and c.unit ~= record.unit
  if moves and record.percent_bp > 0 and not order.reshuffle then
    return ("another salt or unit makes callers change sides, and %s of them meet OpenAI; do that at 0 %%, or say "
      .. "--reshuffle"):format(plan.show(record.percent_bp))
  end
  if c.stages and record.percent_bp > 0 and record.stage and not stage_named({ stages = c.stages }, record.stage) then
    return ("the stage it is in, '%s', must be in the plan"):format(record.stage)
  end
end

function commands.plan(record, order)
  local why = check_changes(record, order)
  if why then
    return nil, why
  end
  local changes = json.copy(order.changes or {})
  if changes.schedule == false then
    changes.schedule = NONE
  end
  if changes.salt and changes.salt ~= record.salt or changes.unit and changes.unit ~= record.unit then
    changes.since = "now" -- others meet OpenAI now
  end
  if changes.stages and record.stage then
    local _, stage = stage_named(changes, record.stage)
    changes.stage = not stage and NONE or nil
    if stage and stage.percent_bp ~= record.percent_bp then
      return nil, ("the stage it is in, '%s', has %s now; a plan does not change that, advance and rollback do")
        :format(record.stage, plan.show(record.percent_bp))
    end
  end
  return copy_with(record, changes)
end

-- ---- forward ----

local function begin(record, i, order)
  local stage = plan.stages(record)[i]
  return copy_with(record, { percent_bp = stage.percent_bp, stage = stage.name, since = "now", held_for = NONE,
    state = stage.percent_bp == 0 and "pilot" or "running", mode = order.command == "start" and "split" or nil })
end

local function start_again(record)
  local _, stage = plan.at(record)
  local back = copy_with(record, { state = record.percent_bp == 0 and "pilot" or "running", held_for = NONE,
    mode = "split", stage = stage and stage.name or record.stage })
  local held_by_guard = record.held_for and record.held_for ~= "samples" and record.held_for ~= "person"
  if held_by_guard or record.state == "rolled_back" then
    back.since = "now" -- what it was held for is not held against it again
  end
  return back
end

-- After it went back, whoever wants it forward says why, and waits.
local function rests(order)
  if not order.reason then
    return "it was rolled back; say by --reason what is different now"
  elseif (order.since_s or 0) < COOLDOWN_S and not order.force then
    return ("it was rolled back %.1f hours ago; wait for 24, or say --force"):format((order.since_s or 0) / 3600)
  end
end
M.rests = rests

function commands.start(record, order)
  if record.kill then
    return nil, ("all its calls are forced to Vapi; ringdown force off --agent %s ends that"):format(record.agent)
  elseif record.state == "draft" then
    return begin(record, 1, order)
  elseif record.state == "paused" then
    if record.held_for and record.held_for ~= "person" and not order.reason then
      return nil, ("it was held for '%s'; say by --reason what makes it good to go on"):format(record.held_for)
    end
    return start_again(record)
  elseif record.state == "rolled_back" then
    local why = rests(order)
    if why then
      return nil, why
    end
    return record.percent_bp > 0 and start_again(record) or begin(record, 1, order)
  end
  return nil, record.state == "done" and "it is done" or "it runs already"
end

local function advance_to(record, order)
  local i = plan.at(record) or 0
  local stages = plan.stages(record)
  local stage = stages[i + 1]
  if order.to then
    local wanted = stage_named(record, order.to)
    if not wanted then
      return nil, ("it has no stage '%s': %s"):format(order.to, names_of(record))
    elseif wanted <= i then
      return nil, ("'%s' is not after the stage it is in; ringdown rollout rollback --to %s goes back")
        :format(order.to, order.to)
    elseif wanted > i + 1 then
      return nil, ("stages are not skipped: '%s' comes before '%s'"):format(stage.name, order.to)
    end
  end
  return i + 1, stage
end

function commands.advance(record, order)
  if record.state == "draft" then
    return nil, "it has not begun: ringdown rollout start"
  elseif record.state ~= "pilot" and record.state ~= "running" then
    return nil, ("it is %s: ringdown rollout start goes on with it"):format(record.state)
  end
  local i, stage = advance_to(record, order)
  if not i then
    return nil, stage
  elseif is_automatic(order) and (not record.auto_advance or not stage or stage.percent_bp >= WHOLE) then
    return nil, "only a person goes on from here"
  elseif record.state == "running" and not order.ready and not (order.force and order.reason) then
    return nil, ("its guards do not say ready (%s); wait, or go on all the same with --force and --reason"):format(
      order.verdict or "no verdict yet")
  elseif not stage then
    return copy_with(record, { state = "done" })
  end
  return begin(record, i, order)
end

-- ---- standing still, and back ----

function commands.hold(record, order)
  if record.state == "paused" then
    return nil, "it is held already"
  elseif record.state ~= "running" and record.state ~= "pilot" then
    return nil, ("there is nothing to hold: it is %s"):format(record.state)
  end
  return copy_with(record, { state = "paused", held_for = order.guard or "person" })
end

-- A stage, a share, or nobody.
local function target(record, to)
  if not to then
    return 0
  end
  local _, stage = stage_named(record, to)
  if stage then
    return stage.percent_bp
  end
  local bp, why = plan.percent(to)
  if not bp then
    return nil, ("%s; or a stage: %s"):format(why, names_of(record))
  end
  return bp
end

-- A draft holds nobody back: until it begins, calls go where the agent's file says.
local function share_now(record, order)
  if record.state ~= "draft" then
    return record.percent_bp
  end
  return record.mode == "openai" and WHOLE or order.file_bp or WHOLE
end

-- To nobody it goes from anywhere but where it is so already.
function commands.rollback(record, order)
  local bp, why = target(record, order.to)
  if not bp then
    return nil, why
  end
  local now = share_now(record, order)
  local is_so = bp == now and record.mode ~= "openai" and (bp > 0 or record.state == "rolled_back")
  if bp > now or is_so then
    return nil, ("%s is not less than the %s it has"):format(plan.show(bp), plan.show(now))
  end
  local _, stage = plan.at { stages = record.stages, percent_bp = bp }
  return copy_with(record, { percent_bp = bp, stage = stage and stage.name or NONE, state = "rolled_back",
    since = "now", mode = "split", held_for = NONE })
end

-- ---- the switch of one agent ----

function commands.kill(record)
  if record.kill then
    return nil, "all its calls go to Vapi already"
  end
  return copy_with(record, { kill = true, state = "killed" })
end

function commands.fix(record, order)
  if record.mode == order.system and not record.kill then
    return nil, ("all its calls go to %s already"):format(order.system == "openai" and "OpenAI" or "Vapi")
  end
  return copy_with(record, { mode = order.system, kill = false, state = unkilled(record) })
end

function commands.release(record)
  if not record.kill and record.mode == "split" then
    return nil, "it is not forced"
  end
  return copy_with(record, { kill = false, mode = "split", state = unkilled(record) })
end

---What a plan is that nobody has written yet.
---@param agent string
---@return table record version 0
function M.new(agent)
  return { agent = agent, version = 0, salt = "v1", unit = "caller", mode = "split", percent_bp = 0, state = "draft",
    allow = json.array {}, deny = json.array {}, kill = false, stages = json.array(json.copy(plan.default)) }
end

---@param record table
---@param order ringdown.rollout.order
---@return table? next the record as it shall be; its version is the database's business
---@return string? why not
function M.apply(record, order)
  local command = commands[order.command]
  if not command then
    return nil, ("there is no command '%s'"):format(tostring(order.command))
  end
  local next_one, why = command(record, order)
  if not next_one then
    return nil, ("%s. Now: %s"):format(why, shown(record))
  end
  return next_one
end

return M
