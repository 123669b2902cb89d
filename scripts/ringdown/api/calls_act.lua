-- SPDX-License-Identifier: Apache-2.0
-- api.calls_act: calls in progress, and what is wanted of them. They are the memory of the node that answers, so that
-- this works, from the control socket, with the database away. What was wanted is a fact of the call, durable before
-- it is done, and a row of the audit.
local host = require "ringdown.host"
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"
local read = require "ringdown.api.calls_read"

local M = {}

local function starting(why)
  problem(503, "starting", "The node cannot say now", { detail = why or "this is no node",
    fix = "it starts or ends; ask again", headers = { ["retry-after"] = "2" } })
end

-- How the node's memory calls what records and this API call so.
local means = { opening = "connecting", offered = "connecting", taken = "live", away = "leaving" }

---Those of this node that the asker may see.
---@param r table request
---@return table[]
local function here(r)
  if not host.node then
    starting()
  end
  local text, why = host.node.calls()
  if not text then
    starting(why)
  end
  local list = json.array {}
  for _, call in ipairs(json.decode(text)) do
    if call.state ~= "over" and r.sees(call.agent) then
      call.state = means[call.state] or call.state
      list[#list + 1] = call
    end
  end
  return list
end

M.here = here

function M.live(r)
  local items, sids = here(r), {}
  for i, call in ipairs(items) do
    sids[i] = call.call
  end
  local known, given = pcall(read.elsewhere, r, sids)
  if known then
    return 200, { items = items, elsewhere = given }
  elseif problem.is(given) and given.status == 503 then
    return 200, { items = items, elsewhere_reason = given.detail or given.title }
  end
  error(given, 0)
end

local function over(call)
  problem(409, "call-over", "The call is over", { detail = call .. " is not in progress any more" })
end

-- Raises unless this node has the call.
local function must_be_here(r, call)
  for _, one in ipairs(here(r)) do
    if one.call == call then
      return one
    end
  end
  local known = read.state_of(r, call)
  if not known then
    read.unknown(call)
  elseif known.state == "ended" then
    over(call)
  end
  return problem(409, "elsewhere", "Another node has this call", {
    detail = ("%s is at %s"):format(call, known.node or "a node that did not say its name"),
    fix = "ask there, or end the call in Twilio's console" })
end

local function act(r, what, after, f)
  local call = r.params.call
  must_be_here(r, call)
  local done, why, code = f(call)
  if not done then
    if code == "gone" then
      over(call)
    elseif code == "away" then
      problem(409, "caller-away", "The caller is with somebody else", {
        detail = "of " .. call .. " the agent has nobody to speak to now",
        fix = "wait until they are back, or end the call in Twilio's console" })
    end
    starting(why)
  end
  r.note("calls." .. what, call, nil, after)
  return 202, { call = call, asked = what }
end

function M.hang_up(r)
  return act(r, "hang_up", nil, function(call)
    return host.node.hang_up(call, r.who)
  end)
end

function M.transfer(r)
  return act(r, "transfer", { to = r.body.to }, function(call)
    return host.node.transfer(call, r.body.to, r.who)
  end)
end

function M.whisper(r)
  return act(r, "whisper", { characters = utf8.len(r.body.text), now = r.body.now }, function(call)
    return host.node.whisper(call, r.body.text, r.body.now, r.who)
  end)
end

return M
