-- SPDX-License-Identifier: Apache-2.0
-- Rollouts: which share of an agent's callers meets OpenAI, stage by stage; the force switch; and taking the last
-- change back. Each change is made from the version that was looked at, by rollout/command.lua as on the command line.
local agents = require "ringdown.rollout.agents"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local owners = require "ringdown.api.owners"
local plan = require "ringdown.rollout.plan"
local problem = require "ringdown.api.problem"
local sorted = require "ringdown.sorted"
local states = require "ringdown.rollout.states"
local store = require "ringdown.rollout.store"
local words = require "ringdown.rollout.words"

local CALLERS_DAYS = 30

-- ---- what leaves ----

local text, whole = { type = "string" }, { type = "integer" }
local maybe = { type = "string", nullable = true }
local time = { type = "string", format = "time", nullable = true }
local open = { type = "object", open = true, ours = true, nullable = true }
local number = { type = "string", personal = "number" }
local reason = { type = "string", max = 1000, about = "for the audit" }
local typed = { type = "string", nullable = true, personal = "text", about = "as a person typed it" }
local said_line = { type = "string", personal = "text" }
local force_words = { "openai", "vapi", "off" }

local stage_out = { type = "object", fields = {
  name = { type = "string", required = true }, percent_bp = { type = "integer", required = true },
  percent = { type = "string", required = true }, bake_s = { type = "integer", nullable = true },
  min_canary = { type = "integer", nullable = true }, min_baseline = { type = "integer", nullable = true },
  is = { type = "string", one_of = { "past", "now", "next" }, required = true },
} }

local function rollout_fields(more)
  local fields = {
    agent = { type = "string", required = true },
    version = { type = "integer", required = true, about = "its etag: send it as If-Match" },
    state = { type = "string", required = true,
      one_of = { "draft", "pilot", "running", "paused", "rolled_back", "killed", "done" } },
    mode = text, kill = { type = "boolean" }, unit = text, salt = text,
    stage = maybe, percent_bp = { type = "integer", required = true },
    percent = { type = "string", required = true, about = "callers that meet OpenAI" },
    track = { type = "array", of = stage_out, required = true, about = "the stages" },
    auto_advance = { type = "boolean", nullable = true }, schedule = open, held_for = maybe,
    since = time, updated_at = time, updated_by = maybe, reason = typed,
    n_allow = { type = "integer", about = "numbers that always meet OpenAI" },
    n_deny = { type = "integer", about = "numbers that always meet Vapi" },
    next_call = { type = "string", required = true, about = "what happens to the next call" },
  }
  for name, field in pairs(more or {}) do
    fields[name] = field
  end
  return fields
end

local finding = { type = "object", fields = { guard = text, verdict = text, text = { type = "string",
  personal = "text" }, numbers = open } }

local schemas = {
  Rollout = { type = "object", about = "where an agent's calls go", fields = rollout_fields() },
  RolloutWithGuards = { type = "object", about = "the same, with what its guards say and what they say it by",
    fields = rollout_fields {
      allow = { type = "array", of = number, max = 10000 }, deny = { type = "array", of = number, max = 10000 },
      file = { type = "string", nullable = true, about = "the agent's file begins with another share" },
      loads = { type = "boolean", required = true }, has_both = { type = "boolean", required = true },
      verdict = { type = "string", nullable = true },
      said = { type = "array", of = said_line, about = "the same for people" },
      findings = { type = "array", of = finding }, evidence = open,
      baked_s = { type = "integer", nullable = true, about = "how long it was watched in this stage" },
      last_look = open,
    } },
  RolloutChanged = { type = "object", fields = {
    agent = { type = "string", required = true },
    version = { type = "integer", nullable = true, about = "none: it was written on this machine alone" },
    state = maybe, stage = maybe, percent_bp = { type = "integer", nullable = true },
    forced = { type = "string", one_of = force_words, nullable = true, about = "of a dry run: its agent's calls" },
    only_here = { type = "boolean", about = "the database is away: this node alone does so, until it is back" },
    said = { type = "array", of = said_line }, notes = { type = "array", of = said_line },
    dry_run = { type = "boolean", nullable = true, about = "nothing was written: this is what would be" },
    was = { type = "object", nullable = true, about = "of a dry run: what it is", fields = {
      version = whole, state = text, stage = maybe, percent_bp = whole, forced = { type = "string",
        one_of = force_words }, next_call = maybe } },
    moves = { ref = "RolloutMoves" },
    next_call = { type = "string", required = true },
  } },
  RolloutMoves = { type = "object", about = "callers that would change sides", fields = {
    from_bp = whole, to_bp = whole, from = text, to = text,
    days = { type = "integer", required = true, about = "of the callers of so many days" },
    callers = { type = "integer", required = true }, n_to_openai = { type = "integer", required = true },
    n_to_vapi = { type = "integer", required = true },
    to_openai = { type = "array", of = number, max = 200, about = "200 of them at most" },
    to_vapi = { type = "array", of = number, max = 200 } } },
  RolloutPast = { type = "object", fields = { items = { type = "array", required = true, of = { type = "object",
    fields = { id = text, at = time, who = text, what = text, before = open, after = open } } } } },
  RolloutPreview = { type = "object", about = "callers that would change sides; nothing is changed",
    fields = {
      days = whole, from_bp = whole, to_bp = whole, from = text, to = text, callers = whole, n_to_openai = whole,
      n_to_vapi = whole,
      to_openai = { type = "array", of = number, max = 200 }, to_vapi = { type = "array", of = number, max = 200 },
      next_call = { type = "string", required = true },
    } },
  Force = { type = "object", about = "the force switch: every new call to one system", fields = {
    system = { type = "string", one_of = force_words, required = true }, version = { type = "integer" },
    at = time, who = maybe, reason = typed, only_here = { type = "boolean" },
    dry_run = { type = "boolean", nullable = true, about = "nothing was written: this is what would be" },
    was = { type = "object", nullable = true, about = "of a dry run: what it is", fields = { version = whole,
      system = { type = "string", one_of = force_words }, who = maybe, at = time, reason = typed } },
    agents = { type = "array", max = 1000, about = "of a dry run: whose next call would go elsewhere", of = {
      type = "object", fields = { agent = text, now = said_line, after = said_line } } },
    notes = { type = "array", of = said_line },
    next_call = { type = "string", required = true } } },
  Undoable = { type = "object", about = "the last change, which may be taken back", fields = {
    kind = { type = "string", one_of = { "rollout", "force" }, required = true }, agent = maybe,
    version = { type = "integer", required = true }, at = time, who = maybe, reason = typed,
    said = { type = "array", of = said_line } } },
}

-- ---- one record ----

local function track_of(record)
  local at, list = plan.at(record), json.array {}
  for i, stage in ipairs(plan.stages(record)) do
    local is = (record.state == "draft" or i > (at or 0)) and "next" or i < at and "past" or "now"
    list[i] = { name = stage.name, percent_bp = stage.percent_bp, percent = plan.show(stage.percent_bp),
      bake_s = stage.bake_s, min_canary = stage.min_canary, min_baseline = stage.min_baseline, is = is }
  end
  return list
end

local function shown(record, agent, force, callers)
  local out = {}
  for name, value in pairs(record) do
    out[name] = value
  end
  out.n_allow, out.n_deny = #(record.allow or {}), #(record.deny or {})
  out.percent, out.track = plan.show(record.percent_bp), track_of(record)
  out.next_call = words.next_call(record, { force = force, callers = callers, own = agent and agent.own })
  return out
end

local function etag(version)
  return { etag = ('"%d"'):format(version) }
end

-- Raises 404 with what was probably meant. Without a plan: what it would be.
local function known(r)
  local name = r.params.agent
  owners.see(r, name)
  local all = agents.all()
  local record = owners.read(store.newest, name)
  if not all[name] and not record then
    owners.none("There is no such agent", nearest.hint(name, sorted.keys(all)), "GET /api/v1/agents lists them")
  end
  return record or states.new(name), all[name] or { name = name, loads = false, life = {} }
end

-- ---- looking ----

local function list(r)
  local all, items, force = agents.all(), json.array {}, store.force()
  for _, record in ipairs(owners.read(store.summaries)) do
    if r.sees(record.agent) then
      items[#items + 1] = shown(record, all[record.agent], force)
    end
  end
  return 200, { items = items }
end

local function is_watched(record)
  return record.percent_bp > 0 and record.state ~= "draft" and record.state ~= "done" and not record.kill
end

local function one(r)
  local record, agent = known(r)
  local e = record.version > 0 and owners.read(store.evidence, record.agent) or nil
  record = e and e.record or record
  local out = shown(record, agent, (store.force()), store.callers(record.agent))
  out.loads, out.has_both = agent.loads, agent.openai and agent.vapi or false
  out.file = words.differs(record, agent.file_bp)
  out.allow, out.deny = json.array(record.allow or {}), json.array(record.deny or {})
  if e then
    out.said = json.array(words.progress(e))
    out.evidence, out.baked_s, out.last_look = e.arms, e.baked_s, e.last
  end
  if e and is_watched(record) then
    local verdict = require("ringdown.rollout.watch").judge(e)
    out.verdict, out.findings = verdict.verdict, json.array(verdict.findings)
    for _, line in ipairs(words.verdict(verdict)) do
      table.insert(out.said, line)
    end
  end
  return 200, out, etag(record.version)
end

local function history(r)
  known(r)
  local command = require "ringdown.rollout.command"
  local past = owners.read(command.run, { verb = "history", agent = r.params.agent }, function() end)
  for _, row in ipairs(past.history) do
    owners.as_text(row, "id")
  end
  return 200, { items = past.history }
end

local function first(callers)
  return json.array(table.move(callers, 1, math.min(#callers, 200), 1, {}))
end

local function moved(moves, days)
  return { days = days, from_bp = moves.from_bp, to_bp = moves.to_bp, from = plan.show(moves.from_bp),
    to = plan.show(moves.to_bp), callers = moves.callers, n_to_openai = #moves.to_openai, n_to_vapi = #moves.to_vapi,
    to_openai = first(moves.to_openai), to_vapi = first(moves.to_vapi) }
end

-- Who changes sides from what is to what would be; nil: nobody can be named.
local function moves_of(r, was, record)
  if record.unit == "call" then
    return nil
  end
  local days = r.body and r.body.days or CALLERS_DAYS
  local moves = require("ringdown.rollout.preview").moves(was, owners.read(store.callers_of, was.agent, days),
    ("%.2f"):format(record.percent_bp / 100), record.salt, { force = store.force(), agent = agents.all()[was.agent] })
  return moves and moved(moves, days)
end

local function preview(r)
  local record, agent = known(r)
  local force = store.force()
  if (r.query.unit or record.unit) == "call" then
    problem(409, "refused", "Nobody can be named", {
      detail = "by the unit \"call\" each call is drawn anew, so no caller has a side" })
  end
  local moves, why = require("ringdown.rollout.preview").moves(record, owners.read(store.callers_of,
    record.agent, r.query.days), r.query.to or "", r.query.salt, { force = force, agent = agent })
  if not moves then
    problem(422, "fields", "The request is not what this route takes", { detail = "to: " .. why })
  end
  local answer = moved(moves, r.query.days)
  answer.next_call = words.next_call(record, { force = force, agent = agent })
  return 200, answer
end

-- ---- changing ----

local function changed_since(r, detail)
  local record, agent = known(r)
  problem(412, "changed", "It has changed since", { detail = detail, fix = "look at `current` and decide anew",
    current = json.decode(assert(json.encode(shown(record, agent, (store.force()))))),
    headers = etag(record.version) })
end

local function begins_like(why, format)
  return why:find("^" .. format:gsub("%%s.*$", ""):gsub("[%-%.]", "%%%0")) ~= nil
end

local function forced_to(record)
  return (record.kill or record.state == "killed") and "vapi" or (record.mode == "openai" or record.mode == "vapi")
    and record.mode or "off"
end

local function told_answer(result, told, r)
  local w = result.would_be
  if w then -- nothing was written
    return 200, { agent = result.agent, state = result.state, stage = result.stage, percent_bp = result.percent_bp,
      forced = forced_to(w.record), dry_run = true, said = told.lines, notes = told.notes,
      next_call = result.next_call, moves = moves_of(r, w.was, w.record),
      was = { version = w.was.version, state = w.was.state, stage = w.was.stage, percent_bp = w.was.percent_bp,
        forced = forced_to(w.was), next_call = result.was_next_call } },
      etag(w.was.version)
  end
  return 200, { agent = result.agent, version = result.version, state = result.state, stage = result.stage,
    percent_bp = result.percent_bp, only_here = result.override, said = told.lines, notes = told.notes,
    next_call = result.next_call or told.lines[#told.lines] }, result.version and etag(result.version) or nil
end

-- Going back works without a database, at this node.
local function goes_back_alone(r, wish)
  local _, _, code = store.record(r.params.agent)
  return code == "down" and wish.verb == "rollback" and r.sees(r.params.agent)
end

local function seen_version(r)
  return r.if_match and r.if_match ~= "*" and (math.tointeger(tonumber(r.if_match)) or -1) or nil
end

local function command(r, wish)
  local module = require "ringdown.rollout.command"
  local told = owners.told()
  if not goes_back_alone(r, wish) then
    known(r)
  end
  wish.agent = r.params.agent
  wish.if_version = seen_version(r)
  local result = owners.change("The rollout is as it was", function(why)
    if begins_like(why, module.STALE) or begins_like(why, module.FASTER) then
      changed_since(r, why)
    end
  end, module.run, wish, told.tell)
  if result.usage then
    problem(422, "fields", "The request is not what this route takes", { detail = owners.plain(result.why) })
  end
  return told_answer(result, told, r)
end

local function joined(named)
  return named and (named[1] and table.concat(named, ",") or "none") or nil
end

local function put(r)
  local b = r.body
  return command(r, { verb = "plan", stages = b.stages, unit = b.unit, salt = b.salt, schedule = b.schedule,
    auto_advance = b.auto_advance, allow = joined(b.allow), deny = joined(b.deny), reshuffle = b.reshuffle,
    reason = b.reason, force = b.force, dry_run = b.dry_run })
end

local function verb(name)
  return function(r)
    return command(r, { verb = name, reason = r.body and r.body.reason, force = r.body and r.body.force,
      to = r.body and r.body.to, dry_run = r.body and r.body.dry_run })
  end
end

-- ---- force ----

local function force_answer(system)
  return system == "off" and "Nothing is forced: the next call goes where its agent's rollout says."
    or ("The next call of every agent that can goes to %s."):format(words.system(system))
end

local function force_shown(r)
  local force = owners.read(store.must, "select to_jsonb(f)::text from force_now f") or { system = "off", version = 0 }
  force.next_call = force_answer(force.system)
  r.force = force
  return 200, force, etag(force.version)
end

-- `stale` raises 412 with how it is now.
local function forced(r, wish, stale)
  local told, force = owners.told(), require "ringdown.rollout.force"
  wish.system, wish.reason, wish.yes, wish.dry_run = r.body.system, r.body.reason, r.body.yes, r.body.dry_run
  wish.seen = seen_version(r)
  local result = owners.change("Nothing was forced", function(why)
    if why == force.FASTER then
      stale(why)
    elseif why:sub(-#force.OR_YES) == force.OR_YES then
      problem(409, "unwatched", "Nobody would watch for emergencies", { detail = why:sub(1, -#force.OR_YES - 1),
        fix = "in an outage say `yes`: that this is known; the audit has it" })
    end
  end, force.run, wish, told.tell)
  return result, told
end

local function force_all(r)
  local result, told = forced(r, {}, function(why)
    local _, force = force_shown(r)
    problem(412, "changed", "It has changed since", { detail = why, current = force,
      fix = "look at `current` and decide anew", headers = etag(force.version) })
  end)
  if result.dry_run then
    local line = table.remove(told.lines)
    return 200, { system = result.system, version = result.was.version, dry_run = true, was = result.was,
      agents = result.agents, notes = told.lines, next_call = line }, etag(result.was.version)
  end
  return 200, { system = result.system, version = result.version, only_here = result.override, notes = told.notes,
    next_call = told.lines[#told.lines] }, result.version and etag(result.version) or nil
end

local function force_one(r)
  known(r)
  local result, told = forced(r, { agent = r.params.agent }, function(why)
    changed_since(r, why)
  end)
  return told_answer(result, told, r)
end

-- ---- taking back ----

local function may_undo(r, agent)
  if r.agents and not agent then
    problem(403, "scope", "This is about all agents", { detail = "this token is for some: say which agent" })
  elseif agent then
    owners.see(r, agent)
  end
end

local function undo(wish)
  local told = owners.told()
  return owners.change("Nothing was taken back", function(why)
    if why:match "^nobody has changed" then
      owners.none("There is nothing to take back", why)
    end
  end, require("ringdown.rollout.undo").run, wish, told.tell), told
end

local function undoable(r)
  may_undo(r, r.query.agent)
  local result, told = undo { agent = r.query.agent, show = true }
  local last = result.last
  last.said = told.lines
  return 200, last
end

local function take_back(r)
  local b = r.body
  if (b.kind == "rollout") ~= (b.agent ~= nil) then
    problem(422, "fields", "The request is not what this route takes", {
      detail = "agent: a rollout is an agent's, the force switch is of all" })
  end
  may_undo(r, b.agent)
  local result, told = undo { agent = b.agent, reason = b.reason, force = b.force,
    shown = { kind = b.kind, agent = b.agent, version = b.version }, dry_run = b.dry_run }
  local was, would_be = result.was, result.would_be
  if was then -- nothing was written
    return 200, { kind = result.kind, agent = result.agent, dry_run = true, system = result.system,
      state = would_be and would_be.state, stage = would_be and would_be.stage,
      percent_bp = would_be and would_be.percent_bp, forced = would_be and forced_to(would_be),
      moves = would_be and moves_of(r, was, would_be), was = { version = was.version, state = was.state,
        stage = was.stage, percent_bp = was.percent_bp, system = was.system, forced = would_be and forced_to(was) },
      next_call = result.next_call or told.lines[#told.lines] }
  end
  return 200, { kind = result.kind, agent = result.agent, version = result.version, state = result.state,
    percent_bp = result.percent_bp, system = result.system, next_call = result.next_call or told.lines[#told.lines] }
end

schemas.Undone = { type = "object", fields = { kind = text, agent = maybe, version = whole, state = maybe,
  stage = maybe, percent_bp = { type = "integer", nullable = true }, system = maybe,
  forced = { type = "string", one_of = force_words, nullable = true, about = "of a dry run: its agent's calls" },
  dry_run = { type = "boolean", nullable = true, about = "nothing was written: this is what would be" },
  was = { type = "object", nullable = true, about = "of a dry run: what it is", fields = { version = whole,
    state = maybe, stage = maybe, percent_bp = { type = "integer", nullable = true }, system = maybe,
    forced = maybe } },
  moves = { ref = "RolloutMoves" },
  next_call = { type = "string", required = true } } }

-- ---- what comes in ----

local numbers = { type = "array", of = { type = "string", format = "phone" }, max = 10000 }
local stage_in = { type = "object", fields = {
  name = { type = "string", max = 32, required = true },
  percent_bp = { type = "integer", min = 0, max = 10000, required = true, about = "hundredths of a percent" },
  bake_s = { type = "integer", min = 0, max = 7776000 }, min_canary = { type = "integer", min = 0, max = 100000 },
  min_baseline = { type = "integer", min = 0, max = 100000 } } }
local go_on = { type = "boolean", about = "although its guards, or a day's rest, say otherwise; needs a reason" }
local to = { type = "string", max = 32, about = "a stage, or a share like 12.5" }
local force_body = { system = { type = "string", one_of = force_words, required = true }, reason = reason,
  yes = { type = "boolean",
    about = "although nobody watches for emergencies about life on Vapi: who says so knows it" },
  dry_run = { type = "boolean", about = "only tell what would be written, and whose calls would go elsewhere" } }

local dry_run = { type = "boolean", about = "only tell what would be written, and who would change sides" }
local days_body = { type = "integer", min = 1, max = 90, default = CALLERS_DAYS,
  about = "of a dry run: of the callers of so many days" }

local A = "/rollouts/northside-plumbing"
local any = { ["if-match"] = "*" }

local function change_route(name, about, body, example)
  body.dry_run, body.days = dry_run, days_body
  return { method = "POST", path = "/rollouts/{agent}/" .. name, role = "operator", scoped = true, if_match = true,
    about = about, body = body, body_optional = true, answers = { [200] = "RolloutChanged" },
    example = { path = A .. "/" .. name, headers = any, body = example }, run = verb(name) }
end

return {
  schemas = schemas,
  { method = "GET", path = "/rollouts", role = "viewer", scoped = true, about = "all rollouts, without their lists",
    answers = { [200] = { type = "object", fields = { items = { type = "array", of = { ref = "Rollout" },
      required = true } } } }, example = { path = "/rollouts" }, run = list },
  { method = "GET", path = "/rollouts/{agent}", role = "viewer", scoped = true,
    about = "one with its stages, its guards and their evidence", answers = { [200] = "RolloutWithGuards" },
    example = { path = A }, run = one },
  { method = "GET", path = "/rollouts/{agent}/history", role = "viewer", scoped = true,
    about = "who changed it, and what was refused: the last hundred", answers = { [200] = "RolloutPast" },
    example = { path = A .. "/history" }, run = history },
  { method = "GET", path = "/rollouts/{agent}/preview", role = "viewer", scoped = true,
    about = "which callers would change sides", query = { to = to,
      days = { type = "integer", min = 1, max = 90, default = CALLERS_DAYS, about = "of the callers of so many days" },
      salt = { type = "string", format = "label", max = 64 },
      unit = { type = "string", one_of = { "caller", "call" } } },
    answers = { [200] = "RolloutPreview" }, example = { path = A .. "/preview", query = "to=50" }, run = preview },
  { method = "PUT", path = "/rollouts/{agent}", role = "operator", scoped = true, if_match = true,
    about = "write its plan: what is left out stays as it is",
    body = { stages = { type = "array", of = stage_in, min = 2, max = 20 },
      unit = { type = "string", one_of = { "caller", "call" } }, salt = { type = "string", format = "label", max = 64 },
      schedule = { type = "string", about = "open, closed, none, or hours" }, auto_advance = { type = "boolean" },
      allow = numbers, deny = numbers, reason = reason, force = go_on,
      reshuffle = { type = "boolean", about = "callers may change sides" }, dry_run = dry_run, days = days_body },
    answers = { [200] = "RolloutChanged" }, example = { path = A, headers = any,
      body = { stages = { { name = "pilot", percent_bp = 0 }, { name = "20", percent_bp = 2000, bake_s = 86400,
        min_canary = 50, min_baseline = 50 }, { name = "100", percent_bp = 10000, bake_s = 1209600,
        min_canary = 200 } } } }, run = put },
  change_route("start", "begin it, or go on with one that is held", { reason = reason, force = go_on },
    { reason = "the new prompt is published", force = true }),
  change_route("hold", "no further", { reason = reason }, { reason = "the office is closed" }),
  change_route("advance", "the next stage", { reason = reason, force = go_on, to = to },
    { reason = "seen enough", force = true }),
  change_route("rollback", "to a smaller share; to nobody, if none is named", { reason = reason, to = to },
    { reason = "callers complain" }),
  { method = "POST", path = "/rollouts/{agent}/force", role = "operator", scoped = true, if_match = true,
    about = "every new call of this agent to one system", body = force_body, answers = { [200] = "RolloutChanged" },
    example = { path = A .. "/force", headers = any, body = { system = "openai", reason = "Vapi is down" } },
    run = force_one },
  { method = "GET", path = "/force", role = "viewer", scoped = true, about = "the force switch of all agents",
    answers = { [200] = "Force" }, example = { path = "/force" }, run = force_shown },
  { method = "PUT", path = "/force", role = "operator", if_match = "optional",
    about = "every new call of every agent that can to one system; for the worst moment",
    body = force_body, answers = { [200] = "Force" },
    example = { path = "/force", body = { system = "openai", reason = "Vapi is down" } }, run = force_all },
  { method = "GET", path = "/undo", role = "viewer", scoped = true, about = "what would be taken back",
    query = { agent = { type = "string", format = "agent" } }, answers = { [200] = "Undoable" },
    example = { path = "/undo", query = "agent=northside-plumbing" }, run = undoable },
  { method = "POST", path = "/undo", role = "operator", scoped = true,
    about = "take the last change of a rollout or of the force switch back: the one that was shown, or none",
    body = { agent = { type = "string", format = "agent", about = "of a rollout" },
      kind = { type = "string", one_of = { "rollout", "force" }, required = true },
      version = { type = "integer", min = 1, required = true }, reason = reason, force = go_on, dry_run = dry_run,
      days = days_body },
    answers = { [200] = "Undone" }, example = { path = "/undo", body = { agent = "northside-plumbing", kind = "rollout",
      version = 2, reason = "a mistake", force = true } }, run = take_back },
}
