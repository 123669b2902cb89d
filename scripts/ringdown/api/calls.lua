-- SPDX-License-Identifier: Apache-2.0
-- The calls: those in progress, the last that ended, one of them, and what can be wanted of one.
--   GET  /api/v1/calls                -> { live = [..], ended = [..] }
--   GET  /api/v1/calls/{sid}          -> one of these
--   POST /api/v1/calls/{sid}/hang-up  -> 202: it ends once what is being said was heard
--   POST /api/v1/calls/{sid}/transfer { to = "+1…" or one of the agent's people } -> 202: the carrier is
--     asked; events behind `after` tell the rest: "transfer" with state refused, "ended" by transferred
--   POST /api/v1/calls/{sid}/whisper { text = "…", now = true|nil } -> 202: the model knows, the caller
--     does not hear it; with `now` (or ?speak=1) the model answers at once
local json = require "cjson"
local list = require "ringdown.api.list"

local WHOM_MAX, WORDS_MAX = 64, 2000

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

-- What came of a wish: 202 with `answer`, or why not.
local function accepted(context, request, answer, done, why, code)
  if done then
    answer.call = request.id
    return 202, json.encode(answer)
  elseif code == "gone" then
    return context.failure(404, "no call " .. request.id .. " is in progress", "GET /api/v1/calls lists them")
  elseif code == "away" then
    return context.failure(409, "the caller of " .. request.id .. " is with somebody else",
      "wait until they are back with the agent, or end the call in Twilio's console")
  end
  return context.failure(503, why, "ask again")
end

local function hang_up(context, request)
  return accepted(context, request, { hanging_up = true }, context.host.hang_up(request.id, request.who))
end

-- The request's body as a table; an object is expected.
local function object_of(request)
  local ok, value = pcall(json.decode, request.body)
  return ok and type(value) == "table" and #value == 0 and value or nil
end

local function transfer(context, request)
  local body = object_of(request)
  local to = body and body.to
  if type(to) ~= "string" or not to:match "^%+?[%w_%-]+$" or #to > WHOM_MAX then
    return context.failure(400, "`to` must say whom: a number like +13125550142, or one of the agent's people",
      'send {"to":"office"}')
  end
  local after = context.host.events_last()
  return accepted(context, request, { transfer = to, after = after },
    context.host.transfer(request.id, to, request.who))
end

local function whisper(context, request)
  local body = object_of(request)
  local text = body and body.text
  if type(text) ~= "string" or not text:match "%S" or #text > WORDS_MAX or not utf8.len(text)
    or text:find("\0", 1, true) then
    return context.failure(400, "`text` must hold what the model shall know, at most " .. WORDS_MAX .. " bytes",
      'send {"text":"Offer a discount."}')
  end
  local now = body.now == true or request.query.speak == "1"
  return accepted(context, request, { whispered = true, now = now },
    context.host.whisper(request.id, text, now, request.who))
end

return {
  { "GET", "/api/v1/calls", all },
  { "GET", "/api/v1/calls/{sid}", one },
  { "POST", "/api/v1/calls/{sid}/hang-up", hang_up },
  { "POST", "/api/v1/calls/{sid}/transfer", transfer },
  { "POST", "/api/v1/calls/{sid}/whisper", whisper },
}
