-- SPDX-License-Identifier: Apache-2.0
-- routes/alarms: what nodes raise by themselves; the rules of alerts look at these, among other things.
local db = require "ringdown.api.db"
local page = require "ringdown.api.page"
local shape = require "ringdown.api.shape"

local sql = [[select coalesce(jsonb_agg(to_jsonb(a) || jsonb_build_object('id', a.id::text, 'open', a.closed_at is null)
  order by a.id desc), '[]')::text from (select * from alerts
  where ($1::bigint is null or id < $1::bigint) and ($2::boolean is null or $2 = (closed_at is null))
    and ($3::text is null or kind = $3) and ($4::text is null or severity = $4)
    and ($5::text is null or subject = $5) and ($6::timestamptz is null or opened_at >= $6)
  order by id desc limit $7::integer) a]]

local function list(r)
  local q = r.query
  local key = page.read(q.cursor, { "id" })
  local rows = db.ask(sql, { key and key[1] or false, q.open ~= nil and tostring(q.open), q.kind or false,
    q.severity or false, q.subject or false, q.since or false, q.limit + 1 })
  return 200, page.answer(rows, q.limit, function(row)
    return { row.id }
  end)
end

local moment = { type = "string", format = "time", required = true }

return {
  schemas = { Alarm = { type = "object", fields = {
    id = { type = "string", required = true },
    node = { type = "string", required = true },
    kind = { type = "string", required = true, about = "a code of docs/errors.md" },
    subject = { type = "string", required = true, personal = "text",
      about = "which call, agent, file; empty: the node" },
    severity = { type = "string", one_of = { "warning", "critical" }, required = true },
    text = { type = "string", required = true, personal = "text" },
    fix = { type = "string", nullable = true, personal = "text" },
    opened_at = moment, last_at = moment, closed_at = { type = "string", format = "time", nullable = true },
    closed_why = { type = "string", nullable = true, about = "nobody said that it is over: its node left" },
    count = { type = "integer", required = true }, open = { type = "boolean", required = true },
  } } },
  { method = "GET", path = "/alarms", role = "viewer", about = "what nodes raised, newest first",
    query = page.query_with {
      open = { type = "boolean", about = "only those that go on, or that are over" },
      kind = { type = "string", format = "label" },
      severity = { type = "string", one_of = { "warning", "critical" } },
      subject = { type = "string", personal = "text", max = 128 },
      since = { type = "string", format = "time" },
    },
    answers = { [200] = shape.page "Alarm" }, example = { query = "open=true" }, run = list },
}
