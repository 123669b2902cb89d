-- SPDX-License-Identifier: Apache-2.0
-- vapi.bypass: the errand `vapi_bypass`: a call that rings is begun at Vapi, whose document then answers the carrier.
-- So its id is known before it rings there, and a refusal while somebody else can still answer.
--
-- A call that we had answered and cannot go on with goes the same way: its assistant is told what was said so far.
--
-- Failure modes: no document in the answer: this account has no bypass, and is not asked for ten minutes; any refusal
-- or silence: the carrier is redirected, as without bypass. It is late: whoever asked has gone on without it, so Vapi
-- is not asked any more, or what it began is ended. Vapi takes no more calls: that is said, for the other system to
-- take it.
local assistant = require "ringdown.vapi.assistant"
local control = require "ringdown.vapi.control"
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local pages = require "ringdown.vapi.pages"
local rest = require "ringdown.vapi.rest"
local sessions = require "ringdown.session"
local told = require "ringdown.vapi.told"

local M = {}

local TIMEOUT_MS, QUERY_MS, WITHOUT_MS = 3500, 500, 600000
local NUMBER_MS, SPARE_MS, LEAST_MS = 500, 200, 500
local LATE = "it was late"
local WITHOUT = "vapi without bypass"

-- Vapi's id of our number: as the last look at all numbers told, else Vapi is asked.
local function number_id(number)
  local asked, rows = pcall(host.query, "select vapi_id from numbers_seen where number = $1 and gone_at is null",
    { number }, QUERY_MS)
  local id = asked and rows and rows[1] and rows[1][1]
  if id then
    return id
  end
  for _, one in ipairs(pages.phone_numbers(M.once, NUMBER_MS) or {}) do
    if type(one) == "table" and one.number == number then
      return one.id
    end
  end
end

---One attempt, while a caller waits.
M.once = { first_ms = 1, max_ms = 1, attempts = 1 }

local function redirect(why)
  host.reply(json.encode { redirect = why })
end

local function document_of(call)
  local details = type(call.phoneCallProviderDetails) == "table" and call.phoneCallProviderDetails or {}
  local twiml = details.twiml
  return type(twiml) == "string" and twiml:find("<Response", 1, true) and twiml or nil
end

-- What was said so far, for an assistant that goes on with a caller whom we had: {{so_far}} in its prompt.
local function go_on(p, def, overrides)
  local words = require "ringdown.words"
  local asked, rows = pcall(host.query, "select call_history($1)", { p.call }, QUERY_MS)
  local lines = {}
  for _, item in ipairs(asked and rows and rows[1] and json.decode(rows[1][1] or "") or {}) do
    if item.text and item.text ~= "" then
      lines[#lines + 1] = (item.role == "agent" and "You: " or "Caller: ") .. item.text
    end
  end
  overrides.variableValues.so_far = table.concat(lines, "\n")
  overrides.firstMessage = words.of(def, "resumed")
end

-- How long Vapi may take for the answer to be in time.
local function left_ms(p)
  return p.by_ms and math.min(p.by_ms - host.now_ms() - SPARE_MS, TIMEOUT_MS) or TIMEOUT_MS
end

-- Vapi began a call that nobody will take.
local function end_orphan(call)
  local monitor = type(call.monitor) == "table" and call.monitor or {}
  local url = type(monitor.controlUrl) == "string" and monitor.controlUrl or nil
  if url then
    control.send({ call = "", vapi_id = "", control = url }, { type = "end-call" })
  end
end

local function begin(p, def, id)
  local session = sessions.new(def, { CallSid = p.call, From = p.from, To = p.to })
  local overrides = { variableValues = assistant.values(def, session, p.call) }
  if p.answered then
    go_on(p, def, overrides)
  end
  local ms = left_ms(p)
  if ms < LEAST_MS then
    return nil, LATE
  end
  return rest.create_call({
    phoneCallProviderBypassEnabled = true, phoneNumberId = id, assistantId = def.vapi.assistant,
    customer = { number = p.from }, name = p.call, assistantOverrides = overrides,
  }, ms)
end

---@param p { call: string, from: string, to: string, answered: boolean?, by_ms: integer? }
---@param def table the agent
function M.run(p, def)
  if host.was_first(WITHOUT) or not host.vapi_ready() then
    return redirect "this account has no bypass, or there is no key"
  end
  local id = number_id(p.to)
  if not id then
    return redirect "Vapi does not have this number"
  end
  local call, why, code = begin(p, def, id)
  local twiml = call and document_of(call)
  if call and p.by_ms and host.now_ms() >= p.by_ms then
    end_orphan(call)
    twiml, why = nil, LATE
    redirect(why)
  elseif twiml then
    host.fact("vapi", json.encode(told.fact_of(call, { route = "bypass" })))
    host.reply(json.encode { twiml = twiml })
  elseif call then
    host.first(WITHOUT, WITHOUT_MS)
    redirect "Vapi's answer has no document"
  elseif code == "full" then
    host.reply(json.encode { full = true })
  else
    redirect(why)
  end
  if not twiml then
    why = why and rest.plain(why, code) or "no document in the answer"
    log.fact("warn", "vapi.no_bypass", p.call, { why = log.known(why),
      fix = log.known "calls go by redirect meanwhile; where that is meant, vapi.route in the agent can say so" })
  end
end

return M
