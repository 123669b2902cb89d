-- SPDX-License-Identifier: Apache-2.0
-- api.recordings: recorded calls. Here is decided who hears one, and written down who did; the bytes come from the disk
-- of the node that has them, sent by whoever posted the request (runtime/control/playback.c), never through here.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"
local read = require "ringdown.api.calls_read"
local tokens = require "ringdown.api.tokens"

local M = {}

-- The node that answers; nil: it cannot say now.
local function here()
  local text = host.node and host.node.status()
  return text and json.decode(text).node
end

local list_sql = [[select coalesce(jsonb_agg(to_jsonb(r) order by number), '[]') from (select node, path, state, bytes,
  duration_ms, at, due_at, gone_at, why, row_number() over (order by at, node, path) as number
  from recordings r where r.call = c.call) r]]

local function all(r)
  local list, node = read.of_call(r, list_sql), here()
  for _, one in ipairs(list) do
    one.here = one.node == node and one.gone_at == nil and one.state ~= "failed"
  end
  return list
end

function M.list(r)
  return 200, { items = all(r) }
end

-- A voice cannot be masked.
local function must_be_shown(r)
  if r.masked then
    problem(403, "masked", "This token sees no personal data", { detail = "a voice cannot be masked",
      fix = "use a token with `sees_personal`, or an operator's" })
  end
end

---Raises unless the asker may hear this call, and there is something to hear.
---@param r table
---@param call string
function M.must_hear(r, call)
  must_be_shown(r)
  if not read.state_of(r, call) then
    read.unknown(call)
  end
end

local function found(r)
  for _, one in ipairs(all(r)) do
    if one.number == r.query.number then
      return one
    end
  end
  return problem(404, "no-such-recording", "There is no such recording", {
    detail = ("%s has no recording %d"):format(r.params.call, r.query.number),
    fix = "GET /api/v1/calls/{call}/recordings lists them" })
end

local function must_be_here(one)
  if one.gone_at or one.state == "failed" then
    problem(410, "recording-gone", "The recording is not here any more", {
      detail = one.gone_at and "it was deleted at " .. one.gone_at or one.why or "it could not be made",
      fix = "agents say how long recordings are kept" })
  elseif not one.here then
    problem(409, "elsewhere", "Another node has this recording", {
      detail = ("it lies on the disk of %s"):format(one.node), fix = "ask there" })
  end
end

-- A player asks for many pieces: that is one listening.
local heard_sql = [[insert into audit (who, what, subject, after)
  select $1::text, 'recording.hear', $2::text, jsonb_build_object('number', $3::integer, 'node', $4::text)
  where not exists (select from audit where subject = $2::text and who = $1::text and what = 'recording.hear'
    and (after ->> 'number')::integer = $3::integer and at > now() - interval '15 minutes')
  returning 'true']]

function M.audio(r)
  must_be_shown(r)
  local one = found(r)
  must_be_here(one)
  local call = r.params.call
  db.ask(heard_sql, { r.who, call, tostring(one.number), one.node })
  return 200, { file = { path = one.path, name = ("%s-%d.wav"):format(call, one.number),
    holder = tokens.holder(r.token) } }
end

return M
