-- SPDX-License-Identifier: Apache-2.0
-- Emergencies: what was said, which rule it was, what was done step by step, who took it; and what only sounded like
-- one.
local emergencies = require "ringdown.emergency.list"
local owners = require "ringdown.api.owners"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local shape = require "ringdown.api.shape"

local maybe = { type = "string", nullable = true }
local words = { type = "string", nullable = true, personal = "words", about = "what the caller said" }
local time = { type = "string", format = "time", required = true }
local number = { type = "string", nullable = true, personal = "number" }
local verdicts = { "was", "was_not", "none" }
local states = { "open", "recorded", "handled", "abandoned" }

local spec_text = { type = "string", personal = "words", about = "Lua, to copy" }

local step = { type = "object", fields = {
  step = { type = "integer", required = true }, kind = { type = "string", required = true },
  target = number, state = { type = "string", required = true }, at = time,
  detail = { type = "string", nullable = true, personal = "text" } } }

local schemas = {
  Emergency = { type = "object", about = "a rule matched, or the model reported", fields = {
    call = { type = "string", required = true }, rule = { type = "string", required = true }, agent = maybe,
    severity = maybe, source = { type = "string", one_of = { "rule", "model", "provider" }, required = true },
    words = words, state = { type = "string", one_of = states, required = true,
      about = "recorded: not about life, and nobody was told" },
    matched_at = time, handled_at = { type = "string", format = "time", nullable = true },
    handled_by = { type = "string", nullable = true, personal = "text" },
    at_desk = { type = "boolean", required = true, about = "confirmed by this API, which may be taken back" },
    reopened_at = { type = "string", format = "time", nullable = true, about = "a confirmation was taken back then" },
    seconds = { type = "integer", nullable = true, about = "until somebody took it" },
    from = number, to = { type = "string", nullable = true }, steps = { type = "array", of = step, required = true },
  } },
  EmergencyConfirmed = { type = "object", fields = {
    changed = { type = "boolean", required = true, about = "false: somebody had taken it before" },
    handled_by = { type = "string", required = true, personal = "text" }, handled_at = time,
    next_call = { type = "string", required = true } } },
  EmergencyReopened = { type = "object", fields = {
    changed = { type = "boolean", required = true, about = "false: nobody had taken it" },
    state = { type = "string", one_of = states, required = true },
    next_call = { type = "string", required = true } } },
  NearMiss = { type = "object", about = "what sounded like an emergency, and was not acted on", fields = {
    call = { type = "string", required = true }, rule = { type = "string", required = true },
    why = { type = "string", one_of = { "unless", "negated", "unclear", "model" }, required = true },
    words = words, at = time, agent = maybe, from = number,
    verdict = { type = "string", one_of = { "was", "was_not" }, nullable = true, about = "a person's" },
    spec = { type = "object", nullable = true, about = "what to put into the agent's spec, so that it stays so",
      fields = { was = spec_text, was_not = spec_text } } } },
  NearMissMarked = { type = "object", fields = {
    changed = { type = "boolean", required = true },
    verdict = { type = "string", one_of = verdicts, required = true },
    next_call = { type = "string", required = true } } },
}

local function list(r)
  local q = r.query
  return owners.page(r, { "time", "text", "text" }, function(row) return { row.matched_at, row.call, row.rule } end,
    function(after, limit)
      return emergencies.page { agents = owners.agents(r), state = q.state, severity = q.severity, since = q.since,
        after = after, limit = limit }
    end)
end

local function none(r)
  owners.none("There is no such emergency", ("call %s has no emergency %s"):format(r.params.call, r.params.rule),
    "GET /api/v1/emergencies lists them")
end

local function known(r)
  local one = owners.read(emergencies.one, r.params.call, r.params.rule)
  if not one or not r.sees(one.agent) then
    none(r)
  end
  return one
end

local function one(r)
  return 200, known(r)
end

local function confirm(r)
  known(r)
  local said = owners.read(emergencies.confirm, r.params.call, r.params.rule)
  if not said then
    none(r)
  end
  said.next_call = "Nobody is asked about this one any more; those who were asked are told within seconds. The next "
    .. "caller who says such words is an emergency of their own."
  return 200, said
end

local function take_back(r)
  known(r)
  local said = owners.read(emergencies.unconfirm, r.params.call, r.params.rule)
  if not said then
    none(r)
  elseif said.at_desk == false then
    problem(409, "refused", "It was not confirmed at a desk", {
      detail = ("%s took it by answering, and was told so"):format(said.handled_by or "somebody"),
      fix = "call them, if they are not on it" })
  end
  said.next_call = not said.changed and "Nobody had taken it: there is nothing to take back."
    or said.asked_anew and "It is open again: within a minute its people are asked anew, from the first one on."
    or "It is as it was before. Nobody is asked about it by itself: call whoever has to know."
  return 200, said
end

local function quoted(text)
  return (("%q"):format(text):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("\0", ""))
end

-- As agents' specs are written (docs/agents.md): `call` is a call of this agent there.
local function spec_of(row, was)
  local rule = row.rule ~= "reported" and was and quoted(row.rule) or nil
  return ("it(%s, function()\n  call:hears %s\n  assert.same({%s}, call.emergencies)\nend)"):format(
    quoted(("%s: %s"):format(was and "is an emergency" or "is none", row.words:sub(1, 60):gsub("[\128-\255]+$", ""))),
    quoted(row.words), rule and (" %s "):format(rule) or "")
end

local function with_specs(rows)
  for _, row in ipairs(rows) do
    row.spec = row.words and { was = spec_of(row, true), was_not = spec_of(row, false) } or nil
  end
  return rows
end

local function near_misses(r)
  local q = r.query
  return owners.page(r, { "time", "text", "text", "text" },
    function(row) return { row.at, row.call, row.rule, row.why } end, function(after, limit)
      return with_specs(emergencies.near_misses { agents = owners.agents(r), verdict = q.verdict, after = after,
        limit = limit })
    end)
end

local function mark(r)
  local p = r.params
  local verdict = r.body.verdict ~= "none" and r.body.verdict or nil
  local changed
  if r.sees(owners.read(emergencies.agent_of, p.call)) then
    changed = owners.read(emergencies.mark, p.call, p.rule, p.why, verdict)
  end
  if changed == nil then
    owners.none("There is no such near miss", ("call %s has none of %s by %s"):format(p.call, p.rule, p.why),
      "GET /api/v1/emergencies/near-misses lists them")
  end
  return 200, { changed = changed, verdict = r.body.verdict,
    next_call = "As before: a rule is changed in the agent's file, and `ringdown test` shows what that changes." }
end

local C = "/emergencies/CA00000000000000000000000000000001/gas-leak"
local call = { type = "string", format = "label", max = 64 }
local of_agent = { type = "string", format = "agent" }

return {
  schemas = schemas,
  { method = "GET", path = "/emergencies", role = "viewer", scoped = true, about = "emergencies, newest first",
    query = page.query_with { agent = of_agent, state = { type = "string", one_of = states },
      severity = { type = "string", format = "label", max = 32 }, since = { type = "string", format = "time" } },
    answers = { [200] = shape.page "Emergency" },
    example = { path = "/emergencies", query = "state=open" }, run = list },
  { method = "GET", path = "/emergencies/{call}/{rule}", role = "viewer", scoped = true, params = { call = call },
    about = "one of them", answers = { [200] = "Emergency" }, example = { path = C }, run = one },
  { method = "POST", path = "/emergencies/{call}/{rule}/confirm", role = "operator", scoped = true,
    params = { call = call }, about = "say that you have taken it", answers = { [200] = "EmergencyConfirmed" },
    example = { path = C .. "/confirm" }, run = confirm },
  { method = "DELETE", path = "/emergencies/{call}/{rule}/confirm", role = "operator", scoped = true,
    params = { call = call }, about = "it was confirmed here by mistake: it is open again, and people are asked anew",
    answers = { [200] = "EmergencyReopened" }, example = { path = C .. "/confirm" }, run = take_back },
  { method = "GET", path = "/emergencies/near-misses", role = "viewer", scoped = true,
    about = "what only sounded like an emergency, newest first",
    query = page.query_with { agent = of_agent,
      verdict = { type = "string", one_of = { "was", "was_not", "none" }, about = "none: nobody has read it yet" } },
    answers = { [200] = shape.page "NearMiss" },
    example = { path = "/emergencies/near-misses", query = "verdict=none" },
    run = near_misses },
  { method = "PUT", path = "/emergencies/near-misses/{call}/{rule}/{why}", role = "operator", scoped = true,
    params = { call = call }, about = "say whether it was one; none: take back what was said",
    body = { verdict = { type = "string", one_of = verdicts, required = true } },
    answers = { [200] = "NearMissMarked" }, example = {
      path = "/emergencies/near-misses/CA00000000000000000000000000000001/gas-leak/negated",
      body = { verdict = "was_not" } }, run = mark },
}
