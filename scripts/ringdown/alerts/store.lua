-- SPDX-License-Identifier: Apache-2.0
-- alerts.store: alerts, silences and notices in the database, for whoever shows and changes them: the commands, the
-- admin API, the engine. Who changes something is in the audit with the change.
local host = require "ringdown.host"
local json = require "ringdown.json"
local sqlstate = require "ringdown.sqlstate"

local M = {}

local DAY_MS = 86400000
M.SILENCE_MAX_MS = 30 * DAY_MS

-- The first column of the first row, as a value; raises with the database's words.
local function ask(sql, params)
  local rows, why, code = host.query(sql, params or {})
  if rows then
    local text = rows[1] and rows[1][1]
    return json.decode(text or "null") -- null: nil
  end
  error(sqlstate.complaint(why, code), 0)
end
M.ask = ask

---What f returns; nil, why when the database went away on its way: that is the shipper's to tell, and comes again.
---@param f fun(...): any
function M.unless_away(f, ...)
  local done = table.pack(pcall(f, ...))
  if done[1] then
    return table.unpack(done, 2, done.n)
  elseif type(done[2]) == "string" and done[2]:find "^the database is away" then
    return nil, done[2]
  end
  error(done[2], 0)
end

local function id_of(id)
  local text = tostring(id)
  return text:match "^[1-9]%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?$"
end

-- ── people ──────────────────────────────────────────────────────────────────────────────────────

---@class ringdown.alerts.filter
---@field state "pending"|"firing"|"resolved"|"all"|nil nil: all that are open
---@field rule string?
---@field agents string[]? alerts of these alone
---@field before string? an id: older ones
---@field limit integer?

---Open alerts, newest first; with a filter, others too.
---@param filter ringdown.alerts.filter?
---@return table[]
function M.list(filter)
  filter = filter or {}
  local ask_for = { state = filter.state, rule = filter.rule, before = filter.before and id_of(filter.before),
    limit = filter.limit, agents = filter.agents and json.array(filter.agents) or nil }
  local list = ask("select alerts_listed($1::jsonb)::text", { json.encode(ask_for) })
  table.sort(list, function(a, b)
    return a.id > b.id
  end)
  return list
end

---One alert with what was told of it; nil: there is none.
---@return table?
function M.show(id)
  id = id_of(id)
  return id and ask("select alert_one($1::bigint)::text", { id }) or nil
end

---Somebody looks after it: it is not told again until it is over.
---@param id string|integer
---@param who string
---@param note string?
---@return table? alert nil: there is none
---@return string? why it was not done: it does not fire, somebody else did it
function M.ack(id, who, note)
  id = id_of(id)
  local alert = id and ask("select alert_ack($1::bigint, $2, $3)::text", { id, who, note or false })
  if not alert then
    return nil, "there is no such alert"
  elseif alert.state ~= "firing" then
    return alert, alert.state == "resolved" and "it is over" or "it does not fire yet"
  elseif alert.acked_by ~= who then
    return alert, ("%s acknowledged it"):format(alert.acked_by)
  end
  return alert
end

---Nobody looks after it after all: it is told again. Anybody may say so, also of what another one took.
---@param id string|integer
---@param who string
---@return table? alert nil: there is none
---@return string? why it was not done: it is over, nobody looked after it
function M.unack(id, who)
  id = id_of(id)
  local alert = id and ask("select alert_unack($1::bigint, $2)::text", { id, who })
  if not alert then
    return nil, "there is no such alert"
  elseif not alert.was then
    return alert, alert.state == "firing" and "nobody looks after it" or "it is over"
  end
  alert.was = nil
  return alert
end

---Nobody hears of alerts like these until then.
---@param o { labels: table<string, string>, for_ms: integer, reason: string } also rule, severity; * is anything
---@param who string
---@return table? silence
---@return string? why not
function M.silence(o, who)
  if type(o.labels) ~= "table" or not next(o.labels) then
    return nil, "which alerts? name a rule, an agent or another label"
  elseif math.type(o.for_ms) ~= "integer" or o.for_ms < 60000 or o.for_ms > M.SILENCE_MAX_MS then
    return nil, "a silence lasts from 1m to 30d"
  elseif type(o.reason) ~= "string" or o.reason == "" then
    return nil, "why? the next one on duty wants to know"
  end
  for key, value in pairs(o.labels) do
    if type(key) ~= "string" or not key:match "^[%a_][%w_]*$" or type(value) ~= "string" or #value > 200 then
      return nil, ("'%s' is no label"):format(tostring(key))
    end
  end
  return ask("select silence_put($1::jsonb, $2)::text",
    { json.encode { labels = o.labels, for_ms = o.for_ms, reason = o.reason }, who })
end

---@return table? silence nil: there is none, or it is over
function M.unsilence(id, who)
  id = id_of(id)
  return id and ask("select silence_end($1::bigint, $2)::text", { id, who }) or nil
end

---Those that count now.
---@return table[]
function M.silences()
  return ask [[select coalesce(jsonb_agg(silence_shown(s) order by s.id), '[]')::text from alert_silences s
    where s.ended_at is null and s.until_at > now()]]
end

-- ── the engine ──────────────────────────────────────────────────────────────────────────────────

---What evaluations before left.
function M.before(limit_ms, flap_ms)
  return ask("select alerts_before($1::bigint, $2::bigint)::text", { tostring(limit_ms), tostring(flap_ms) })
end

---What is wrong on nodes that are there; alarms of those that left are closed.
---@param led string[] kinds that only who leads raises
---@param urgent string[] kinds that come first when there is no place for all
---@return { alarms: table[], left_out: integer, gone: table<string, string> }
function M.alarms(led, urgent)
  return ask("select alarms_look(array(select jsonb_array_elements_text($1::jsonb)), "
    .. "array(select jsonb_array_elements_text($2::jsonb)))::text", { json.encode(json.array(led)),
    json.encode(json.array(urgent)) })
end

---What one came to; false: somebody was faster.
---@return boolean
function M.after(version, said)
  return ask("select alerts_after($1::bigint, $2::jsonb)::text", { tostring(version), json.encode(said) }) == true
end

---Told by a node itself.
function M.told(list)
  ask("select alerts_told($1::jsonb)::text", { json.encode(json.array(list)) })
end

-- ── the queue ───────────────────────────────────────────────────────────────────────────────────

---@return table? notice
function M.take(kind, lease, lease_s)
  return ask("select notice_take($1, $2, $3::integer)::text", { kind, lease, tostring(lease_s) })
end

---A page that was given up goes to another channel, when nobody else has it.
---@param others { name: string, kind: string }[] in the order in which they are tried
---@return string? channel
function M.elsewhere(id, others)
  return ask("select to_json(notice_elsewhere($1::bigint, $2::jsonb))::text", { tostring(id),
    json.encode(json.array(others)) })
end

---@param again_s integer? nil: never
function M.done(id, lease, went, why, again_s)
  return ask("select notice_done($1::bigint, $2, $3::boolean, $4, $5::integer)::text", { tostring(id), lease,
    went and "true" or "false", why or false, again_s and tostring(again_s) or false })
end

return M
