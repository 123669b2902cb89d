-- SPDX-License-Identifier: Apache-2.0
-- adopted: a call that another process had goes on in this VM, with what was kept of it: its vars, what was said (as
-- heard, and redacted like everything that is kept), and its tools. A write that was asked for is not done again: its
-- answer is what it was, or that nobody knows.
local args_of = require "ringdown.tool_args"
local host = require "ringdown.host"
local json = require "ringdown.json"
local memory = require "ringdown.memory"
local tool_run = require "ringdown.tool_run"

local M = {}

local UNKNOWN = '{"unknown":true}'

-- What agents declare now; an older version may have remembered other things.
local function restore_vars(session, kept)
  for name in pairs(session.def.vars or {}) do
    if type(kept) == "table" and kept[name] ~= nil then
      session.call.vars[name] = kept[name]
    end
  end
  session.check_vars()
  session:vars_kept()
end

-- A refusal may be tried again; whatever else was answered stands.
local function restore_write(session, item)
  local t = tool_run.named(session.def, item.tool)
  local given = t and t.effect == "write" and json.decode(item.arguments or "")
  local args = type(given) == "table" and args_of.check(t, given)
  if not args then
    return
  end
  local output = type(item.output) == "string" and json.decode(item.output) or nil
  if type(output) == "table" and output.refused then
    return
  elseif type(output) == "table" and not output.failed then
    session.writes[tool_run.key(t, args)] = item.output
  else
    session.writes[tool_run.key(t, args)] = tool_run.unknown_outcome
  end
end

local function restore(session, item)
  if item.tool then
    memory.did(session.memory, item.tool, type(item.output) == "string" and item.output or UNKNOWN)
    restore_write(session, item)
  elseif item.text then
    memory.heard(session.memory, item.role == "agent" and "you" or "caller", item.text)
  end
end

---The session is as it was, as far as that was kept.
---@param session ringdown.session
---@param known table what adopt_call() says
function M.restore(session, known)
  restore_vars(session, known.vars)
  for _, item in ipairs(known.history or {}) do
    restore(session, item)
  end
  session.began_ms = host.now_ms() - (tonumber(known.elapsed_ms) or 0)
end

---Webhooks ran tools of a call that is here: what those changed, and nothing else.
---@param session ringdown.session
---@param known table what vapi_call_memory() says
function M.tools_of_others(session, known)
  local call, state = session.call, type(known.state) == "table" and known.state or {}
  for name in pairs(session.def.vars or {}) do
    if type(state.vars) == "table" and state.vars[name] ~= nil then
      call.vars[name] = state.vars[name]
    end
  end
  session.check_vars()
  call.verified = call.verified or state.verified == true
  call.verify_attempts = math.max(call.verify_attempts or 0, math.tointeger(state.verify_attempts) or 0)
  call.transfers = math.max(call.transfers or 0, math.tointeger(state.transfers) or 0)
  for _, item in ipairs(known.history or {}) do
    if item.tool then
      restore(session, item)
    end
  end
end

---@param session ringdown.session
---@param known table
---@return table brief
function M.take_over(session, known)
  M.restore(session, known)
  return require("ringdown.comeback").after_a_break(session, known.noticed == true)
end

return M
