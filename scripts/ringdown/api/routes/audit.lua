-- SPDX-License-Identifier: Apache-2.0
-- routes/audit: who changed what.
local db = require "ringdown.api.db"
local page = require "ringdown.api.page"
local shape = require "ringdown.api.shape"

local sql = [[select coalesce(jsonb_agg(to_jsonb(a) || jsonb_build_object('id', a.id::text) order by a.id desc),
  '[]')::text from (select * from audit
  where ($1::bigint is null or id < $1::bigint) and ($2::text is null or who = $2)
    and ($3::text is null or what = $3 or what like $3 || '.%') and ($4::text is null or subject = $4)
    and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
  order by id desc limit $7::integer) a]]

local function list(r)
  local q = r.query
  local key = page.read(q.cursor, { "id" })
  local rows = db.ask(sql, { key and key[1] or false, q.who or false, q.what or false, q.subject or false,
    q.since or false, q["until"] or false, q.limit + 1 })
  return 200, page.answer(rows, q.limit, function(row)
    return { row.id }
  end)
end

return {
  schemas = { Change = { type = "object", about = "one change; the audit is never edited", fields = {
    id = { type = "string", required = true },
    at = { type = "string", format = "time", required = true },
    who = { type = "string", required = true },
    what = { type = "string", required = true },
    subject = { type = "string", nullable = true, personal = "text" },
    before = { type = "object", open = true, nullable = true },
    after = { type = "object", open = true, nullable = true },
    node = { type = "string", nullable = true },
  } } },
  { method = "GET", path = "/audit", role = "operator", about = "who changed what, newest first",
    query = page.query_with {
      who = { type = "string", max = 128 },
      what = { type = "string", format = "label", about = "like tokens.create, or tokens for all of these" },
      subject = { type = "string", personal = "text" },
      since = { type = "string", format = "time" },
      ["until"] = { type = "string", format = "time", about = "before this moment" },
    },
    answers = { [200] = shape.page "Change" }, example = { query = "what=tokens&limit=2" }, run = list },
}
