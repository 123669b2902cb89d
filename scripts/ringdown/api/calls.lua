-- SPDX-License-Identifier: Apache-2.0
-- The calls: those in progress, the last that ended, one of them, and asking one to end.
--   GET  /api/v1/calls               -> { live = [..], ended = [..] }
--   GET  /api/v1/calls/{sid}         -> one of these
--   POST /api/v1/calls/{sid}/hang-up -> 202: it ends once what is being said was heard
local json = require "cjson"
local list = require "ringdown.api.list"

-- The calls in the directory, each with what its records amount to so far. The directory knows
-- better who and where; the summary adds what was said and done.
local function live_calls(context)
  local text, why = context.host.calls()
  if not text then return nil, why end
  local calls = {}
  for _, call in ipairs(json.decode(text)) do
    if call.state ~= "over" then
      local summary = context.live:call(call.call)
      for key, value in pairs(summary or {}) do
        if call[key] == nil and key ~= "number" then call[key] = value end
      end
      calls[#calls + 1] = call
    end
  end
  return calls
end

local function without_number(call)
  local copy = {}
  for key, value in pairs(call) do
    if key ~= "number" then copy[key] = value end
  end
  return copy
end

local function ended_calls(context)
  local calls = {}
  for i, call in ipairs(context.live:ended_calls()) do calls[i] = without_number(call) end
  return calls
end

local function starting(context, why)
  return context.failure(503, why, "the node is starting or ending; ask again")
end

local function all(context)
  local live, why = live_calls(context)
  if not live then return starting(context, why) end
  return 200, ('{"live":%s,"ended":%s}'):format(list(live), list(ended_calls(context)))
end

local function one(context, request)
  local live, why = live_calls(context)
  if not live then return starting(context, why) end
  for _, call in ipairs(live) do
    if call.call == request.id then return 200, json.encode(call) end
  end
  local ended = context.live:call(request.id)
  if ended and ended.state == "ended" then return 200, json.encode(without_number(ended)) end
  return context.failure(404, "no call " .. request.id .. " is in progress or ended lately",
    "GET /api/v1/calls lists them")
end

local function hang_up(context, request)
  local done, why, code = context.host.hang_up(request.id)
  if done then return 202, json.encode { call = request.id, hanging_up = true } end
  if code == "gone" then
    return context.failure(404, "no call " .. request.id .. " is in progress", "GET /api/v1/calls lists them")
  end
  return context.failure(503, why, "ask again")
end

return {
  { "GET", "/api/v1/calls", all },
  { "GET", "/api/v1/calls/{sid}", one },
  { "POST", "/api/v1/calls/{sid}/hang-up", hang_up },
}
