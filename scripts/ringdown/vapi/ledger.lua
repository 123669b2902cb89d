-- SPDX-License-Identifier: Apache-2.0
-- vapi.ledger: a call over our line whose tools Vapi may ask for by webhook, before or after its own script runs them
-- for OpenAI. Each webhook is a VM of its own, so that what all of them know is in the database: there a write is
-- claimed by whoever does it, and there lies what webhooks left behind.
--
-- Failure modes: the database does not answer. A call that Vapi had does not write then, because perhaps it was
-- written; one that OpenAI had from the beginning does, because no webhook ran.
local adopted = require "ringdown.adopted"
local host = require "ringdown.host"
local json = require "ringdown.json"
local tool_run = require "ringdown.tool_run"

local M = {}

local ASK_MS, SOON_MS = 2000, 500

---May webhooks run tools of this call as well?
---@param session ringdown.session of a call of our own
---@return boolean
function M.has(session)
  local vapi = session.def.vapi
  if not vapi or vapi.tools == "line" then
    return false
  end
  local goes_on = vapi.route == "bridge" or vapi.route == "bypass"
  return session.system == "vapi" or goes_on and require("ringdown.routing_call").may_fail_over(session.def) or false
end

local function ask(sql, params, timeout_ms)
  local asked, rows, why = pcall(host.query, sql, params, timeout_ms)
  if not asked then
    return nil, rows
  end
  return rows and rows[1], why
end

---Before a write.
---@param session ringdown.session
---@param key string of tool_run.key()
---@return string? known what it came to, where another one did it
---@return boolean claimed it is ours, and settle() is owed
function M.claim(session, key)
  local had = session.system == "vapi"
  local row, why = ask("select mine, known from vapi_write_begin($1, $2)", { session.call.id, host.digest(key) },
    had and ASK_MS or SOON_MS)
  if not row then
    if had then
      error("nothing was done, because perhaps it was done at Vapi already: " .. tostring(why), 0)
    end
    return nil, false
  elseif row[1] == "t" then
    return nil, true
  end
  return row[2] or tool_run.unknown_outcome, false
end

---What a webhook's write came to, where the records that were read had no answer to it yet.
---@param session ringdown.session
---@param key string
---@return string? output
function M.known(session, key)
  local row = ask("select output from vapi_writes where call = $1 and key = $2", { session.call.id, host.digest(key) },
    SOON_MS)
  return row and row[1] or nil
end

---After it.
---@param session ringdown.session
---@param key string
---@param output string? nil: nothing was done
function M.settle(session, key, output)
  ask("select vapi_write_end($1, $2, $3)", { session.call.id, host.digest(key), output or false }, SOON_MS)
end

---What webhooks did before is known to the call's own script from then on. Before its first tool.
---@param session ringdown.session
function M.catch_up(session)
  if session.system ~= "vapi" or session.caught_up then
    return
  end
  session.caught_up = true
  local row = ask("select vapi_call_memory($1)::text", { session.call.id }, ASK_MS)
  local known = row and row[1] and json.decode(row[1])
  if type(known) ~= "table" then
    session.caught_up = nil -- the next tool tries again
    return
  end
  adopted.tools_of_others(session, known)
end

return M
