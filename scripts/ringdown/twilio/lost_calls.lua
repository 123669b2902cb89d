-- SPDX-License-Identifier: Apache-2.0
-- lost_calls: a process died and left calls open in the database. What became of them the carrier knows: over, since
-- when; still going on (it asks somebody else how, or plays what comes next); or it never heard of them.
--
-- Failure modes: the carrier cannot be asked: nothing is closed, and the leader asks again in a minute.
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local rest = require "ringdown.twilio.rest"

local M = {}

local NOT_FOUND = 20404
local ANSWER_MS = 5000 -- for the database

local FIX = "nothing if it stops: they are asked about again in a minute; else see twilio.sid, its token and twilio.api"

-- The carrier's word about one call, as close_call() wants it. Nil and why: it said nothing.
local function word_of(sid)
  local call, why, code = rest.fetch_call(sid)
  if call then
    return { status = call.status, duration_s = tonumber(call.duration), ended_at = call.end_time }
  elseif code == NOT_FOUND then
    return { unknown = true }
  end
  return nil, why
end

local function close(sid, node, word)
  word.call, word.by = sid, node
  local rows = host.query("select close_call($1::jsonb)", { json.encode(word) }, ANSWER_MS)
  if rows and rows[1][1] == "closed" then
    log.fact("info", "call.closed", sid, { reason = log.known "node_lost",
      status = log.known(word.status or "unknown") })
  end
end

---@param p { node: string, calls: string[] } whose word it is; which calls
function M.run(p)
  if not rest.ready() then
    return
  end
  for _, sid in ipairs(p.calls) do
    local word, why = word_of(sid)
    if not word then
      log.fact("warn", "lost_calls.no_answer", sid, { why = log.known(why), fix = log.known(FIX) })
      return
    end
    close(sid, p.node, word)
  end
end

return M
