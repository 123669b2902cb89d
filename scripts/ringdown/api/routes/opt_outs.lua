-- SPDX-License-Identifier: Apache-2.0
-- Who must not be texted. What is kept of a number is its keyed hash, which outlives "erase this caller": so the list
-- does not say whose rows these are, and whoever has a number can look for it.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local owners = require "ringdown.api.owners"
local page = require "ringdown.api.page"
local shape = require "ringdown.api.shape"

local sender = { type = "string", format = "sender", about = "our number that they answered; *: all of ours" }
local number = { type = "string", format = "phone", personal = "number", about = "whose" }

local schemas = {
  OptOut = { type = "object", about = "somebody who asked not to be texted", fields = {
    hash = { type = "string", required = true, about = "of the number, keyed: the number itself is not kept" },
    sender = { type = "string", required = true, about = "our number that they answered; *: all of ours" },
    state = { type = "string", one_of = { "out", "in" }, required = true, about = "in: they may be texted again" },
    opted_out_at = { type = "string", format = "time", required = true },
    opted_in_at = { type = "string", format = "time", nullable = true },
    source = { type = "string", one_of = { "stop", "operator", "import", "carrier" }, required = true },
  } },
  OptOuts = { type = "object", about = "of one number, by sender", fields = {
    items = { type = "array", of = { ref = "OptOut" }, required = true },
    next_text = { type = "string", required = true },
  } },
}

local function list(r)
  local q = r.query
  local after = page.read(q.cursor, { "time", "text", "text" }) or {}
  local rows = db.ask([[select coalesce(jsonb_agg(opt_out_shown(o) order by o.opted_out_at desc, o.number_hash desc,
      o.sender desc), '[]')::text
    from (select * from opt_outs where ($1::text is null or number_hash = decode($1, 'hex'))
        and ($2::text is null or (opted_in_at is null) = ($2 = 'out'))
        and ($3::timestamptz is null or (opted_out_at, number_hash, sender::text)
          < ($3::timestamptz, decode($4, 'hex'), $5::text))
      order by opted_out_at desc, number_hash desc, sender desc limit $6::integer) o]],
    { q.number and host.number_hash(q.number) or false, q.state or false, after[1] or false,
      after[2] and after[2]:match "^%x+$" and #after[2] == 64 and after[2] or false, after[3] or false, q.limit + 1 })
  return 200, page.answer(rows, q.limit, function(row)
    return { row.opted_out_at, row.hash, row.sender }
  end)
end

local function change(r, whom, from, said)
  return db.ask("select opt_change($1, $2, $3, $4)::text", { host.number_hash(whom), from or false, said, r.who })
end

local function out(r)
  local from = r.body.sender or "*"
  return 200, { items = change(r, r.body.number, from, "out"),
    next_text = ("This number gets no text any more from %s."):format(from == "*" and "any number of ours" or from) }
end

local function back(r)
  local rows = change(r, r.params.number, r.query.sender, "in")
  if not rows then
    owners.none("Nobody is out", "this number may be texted already", "GET /api/v1/opt-outs?number= looks it up")
  end
  return 200, { items = rows,
    next_text = "This number may be texted again, unless the carrier has a STOP of it: then only their START helps." }
end

return {
  schemas = schemas,
  { method = "GET", path = "/opt-outs", role = "viewer", about = "who must not be texted, the last first",
    query = page.query_with { number = number, state = { type = "string", one_of = { "out", "in" } } },
    answers = { [200] = shape.page "OptOut" }, example = { query = "state=out" }, run = list },
  { method = "POST", path = "/opt-outs", role = "operator", idempotent = true,
    about = "this number is not texted any more",
    body = { number = { type = "string", format = "phone", required = true, personal = "number" }, sender = sender },
    answers = { [200] = "OptOuts" }, example = { body = { number = "+13125550142" } }, run = out },
  { method = "DELETE", path = "/opt-outs/{number}", role = "operator", params = { number = number },
    about = "they may be texted again: only when they asked for it",
    query = { sender = sender }, answers = { [200] = "OptOuts" }, example = { path = "/opt-outs/+13125550143" },
    run = back },
}
