-- SPDX-License-Identifier: Apache-2.0
-- routes/alerts: what the rules found, who looks after it, and what nobody wants to hear. The modules of
-- scripts/ringdown/alerts/ own the data; times come from there in milliseconds.
local formats = require "ringdown.alerts.formats"
local json = require "ringdown.json"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local rules_of = require "ringdown.alerts.rules"
local shape = require "ringdown.api.shape"
local store = require "ringdown.alerts.store"
local time = require "ringdown.time"

local function asked(f, ...)
  return problem.of(409, "refused", "It was not done", f, ...)
end

local function moment(ms)
  return ms and os.date("!%Y-%m-%dT%H:%M:%SZ", ms // 1000)
end

local function shown(s)
  local out = {}
  for name, value in pairs(s) do
    out[name:gsub("_ms$", "_at")] = name:match "_ms$" and moment(value) or value
  end
  out.id = tostring(s.id)
  return out
end

local function all(list)
  local out = json.array {}
  for i, s in ipairs(list) do
    out[i] = shown(s)
  end
  return out
end

local function list(r)
  local q = r.query
  local key = page.read(q.cursor, { "id" })
  local rows = asked(store.list, { state = q.state, rule = q.rule, agents = r.agents, before = key and key[1],
    limit = q.limit + 1 })
  table.sort(rows, function(a, b)
    return a.id > b.id
  end)
  return 200, page.answer(all(rows), q.limit, function(row)
    return { row.id }
  end)
end

local function none(what, id)
  problem(404, "no-such-thing", "There is no such " .. what, { detail = ("none has the id %s"):format(id) })
end

local function one(r)
  local s = asked(store.show, r.params.id)
  if not s or r.agents and not r.sees(s.labels and s.labels.agent) then
    none("alert", r.params.id)
  end
  local out = shown(s)
  out.notices = all(s.notices or {})
  return 200, out
end

local function changed(r, s, why)
  if not s then
    none("alert", r.params.id)
  elseif why then
    problem(409, "refused", "It was not done", { detail = why })
  end
  return 200, shown(s)
end

local function acknowledge(r)
  one(r) -- 404 where it is none of theirs
  return changed(r, asked(store.ack, r.params.id, r.who, r.body.note))
end

local function unacknowledge(r)
  one(r)
  return changed(r, asked(store.unack, r.params.id, r.who))
end

local function silences()
  return 200, { items = all(asked(store.silences)) }
end

local function silence(r)
  local for_ms = time.duration(r.body["for"])
  if not for_ms then
    problem(422, "fields", "The request is not what this route takes", { detail = 'for: write it like "4h"' })
  end
  local s, why = asked(store.silence, { labels = r.body.labels, for_ms = for_ms, reason = r.body.reason }, r.who)
  if not s then
    problem(422, "fields", "The request is not what this route takes", { detail = why })
  end
  return 201, shown(s)
end

local function unsilence(r)
  local s = asked(store.unsilence, r.params.id, r.who)
  if not s then
    none("silence", r.params.id)
  end
  return 200, shown(s)
end

-- Of a token of some agents: those that look at all agents, and at one of theirs.
local function seen(r, rule)
  for _, agent in ipairs(rule.agents or {}) do
    if r.sees(agent) then
      return true
    end
  end
  return not rule.agents
end

local function rules(r)
  local list_of, mistakes = rules_of.load()
  local out = json.array {}
  for _, rule in ipairs(list_of) do
    if not r.agents or seen(r, rule) then
      out[#out + 1] = { name = rule.name, severity = rule.severity, about = rule.about, unit = rule.unit,
        condition = formats.condition(rule), for_s = rule.for_ms // 1000, runbook = rule.runbook }
    end
  end
  return 200, { items = out, mistakes = json.array(r.agents and {} or mistakes) }
end

local at = { type = "string", format = "time", nullable = true }
local text = { type = "string", nullable = true }
local sentence = { type = "string", nullable = true, personal = "text" }
local labels = { type = "object", of = { type = "string" }, required = true }

local alert = {
  id = { type = "string", required = true }, rule = { type = "string", required = true }, labels = labels,
  severity = { type = "string", one_of = { "page", "ticket", "info" }, required = true },
  state = { type = "string", one_of = { "pending", "firing", "resolved" }, required = true },
  value = { type = "number", nullable = true }, threshold = { type = "number", nullable = true },
  text = sentence, fix = sentence, call = { type = "string", nullable = true, about = "one that shows it" },
  began_at = at, fired_at = at, resolved_at = at, told_at = at,
  muted_by = { type = "string", nullable = true, about = "a silence, another alert, the limit of notices" },
  acked_at = at, acked_by = text, ack_note = sentence,
}

local function with(fields, more)
  local out = {}
  for _, part in ipairs { fields, more } do
    for name, field in pairs(part) do
      out[name] = field
    end
  end
  return { type = "object", fields = out }
end

return {
  schemas = {
    Alert = { type = "object", fields = alert },
    AlertWithNotices = with(alert, { notices = { type = "array", required = true, of = { type = "object", fields = {
      channel = { type = "string", required = true }, status = { type = "string", required = true }, made_at = at,
      sent_at = at, given_up_at = at, attempts = { type = "integer", required = true }, why = sentence } } } }),
    Silence = { type = "object", fields = {
      id = { type = "string", required = true }, labels = labels, from_at = at, until_at = at,
      who = { type = "string", required = true }, reason = sentence, ended_at = at, ended_by = text } },
    AlertRules = { type = "object", fields = {
      items = { type = "array", required = true, of = { type = "object", fields = {
        name = { type = "string", required = true }, about = { type = "string", required = true },
        severity = alert.severity, condition = { type = "string", required = true, about = "when it fires" },
        for_s = { type = "integer", required = true, about = "how long that must be so" },
        unit = { type = "string", about = "of the value" },
        runbook = { type = "string", required = true, about = "where it stands what to do" } } } },
      mistakes = { type = "array", of = { type = "string" }, required = true,
        about = "in the file of one's own rules, which counts as if it were not there" } } },
    Silences = { type = "object", fields = { items = { type = "array", of = { ref = "Silence" }, required = true } } },
  },
  { method = "GET", path = "/alerts", role = "viewer", scoped = true,
    about = "what the rules found; without `state`, what is open; newest first",
    query = page.query_with {
      state = { type = "string", one_of = { "pending", "firing", "resolved", "all" } },
      rule = { type = "string", format = "label" },
    },
    answers = { [200] = shape.page "Alert" }, example = { query = "state=all" }, run = list },
  { method = "GET", path = "/alerts/{id}", role = "viewer", scoped = true, about = "one, and whom it was told",
    answers = { [200] = "AlertWithNotices" }, example = { path = "/alerts/1" }, run = one },
  { method = "POST", path = "/alerts/{id}/acknowledge", role = "operator", scoped = true,
    about = "somebody looks after it: it is not told again until it is over",
    body = { note = { type = "string", max = 500 } }, body_optional = true, answers = { [200] = "Alert" },
    example = { path = "/alerts/1/acknowledge", body = { note = "on my way" } }, run = acknowledge },
  { method = "DELETE", path = "/alerts/{id}/acknowledge", role = "operator", scoped = true,
    about = "nobody looks after it after all: it is told again",
    answers = { [200] = "Alert" }, example = { path = "/alerts/1/acknowledge" }, run = unacknowledge },
  { method = "GET", path = "/alerts/rules", role = "viewer", scoped = true,
    about = "which rules there are, when they fire, and where it stands what to do", answers = { [200] = "AlertRules" },
    example = {}, run = rules },
  { method = "GET", path = "/alerts/silences", role = "viewer", about = "what nobody wants to hear now",
    answers = { [200] = "Silences" }, example = {}, run = silences },
  { method = "POST", path = "/alerts/silences", role = "operator", idempotent = true,
    about = "nobody hears of alerts like these until then",
    body = {
      labels = { type = "object", of = { type = "string" }, max = 20, required = true,
        about = "rule, severity, agent and others; * stands for anything" },
      ["for"] = { type = "string", max = 8, required = true, about = 'from 1m to 30d, like "4h"' },
      reason = { type = "string", max = 500, required = true },
    },
    answers = { [201] = "Silence" },
    example = { body = { labels = { rule = "failed_calls" }, ["for"] = "4h", reason = "a change of numbers" } },
    run = silence },
  { method = "DELETE", path = "/alerts/silences/{id}", role = "operator", about = "ends a silence",
    answers = { [200] = "Silence" }, example = { path = "/alerts/silences/1" }, run = unsilence },
}
