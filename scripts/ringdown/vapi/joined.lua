-- SPDX-License-Identifier: Apache-2.0
-- vapi.joined: the operation `vapi_joined`: a call was sent to Vapi ten seconds ago, and no webhook says that Vapi has
-- it. One look: it has, and only the webhook is missing; or it has not, which counts against it as a failed call.
--
-- Failure modes: Vapi refuses the key, wants us to wait, or does not answer: what became of the call is unknown then.
-- That is an alarm, and says nothing about its calls. But when Vapi's API does not answer at all, for three calls in a
-- row, and its webhooks, which came until then, have stopped for every call: two witnesses are silent, so that each
-- such call counts as one that was not taken. Where webhooks never came, only the alarm. The caller hung up in time:
-- nobody's fault.
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local pages = require "ringdown.vapi.pages"
local rest = require "ringdown.twilio.rest"
local time = require "ringdown.time"
local told = require "ringdown.vapi.told"

local M = {}

local TARGET = "vapi"
local BACK_S, PAGE, PAGES = 120, 20, 20
local JOIN_S, ASK_MS = 10, 3000 -- after so long a call is looked for
local NO_SUCH = "Vapi shows no such call"
local SILENT = "vapi/silent.json" -- since when the API does not answer, and for how many calls
local SILENT_MIN, SILENT_S, WITNESSES = 3, 3600, 3
local no_answer = { unknown = true, failed = true, not_sent = true, given_up = true }
local has_it = { ["in-progress"] = true, forwarding = true, ended = true }
local going = { queued = true, ringing = true, ["in-progress"] = true }

-- Of the last two minutes, in small pages: a call's words may be long. Whose assistant has it, its number at Vapi says.
---@return table? call
---@return string? why
---@return any code nil: Vapi was asked, and this is what it said
local function look(sid)
  local since, found = os.date("!%Y-%m-%dT%H:%M:%S.000Z", time.unix() - BACK_S), nil
  local done, why, code = pages.walk({ since = since, limit = PAGE, pages = PAGES }, function(page)
    for _, call in ipairs(page) do
      local ours = type(call) == "table" and told.sid_of(call) == sid and not told.is_orphan(call)
      found = ours and (not found or call.phoneCallProviderId == sid) and call or found
    end
    return found ~= nil
  end)
  if done then
    return found, not found and NO_SUCH or nil
  end
  return nil, why or "more calls than can be looked through", code or "unknown"
end

local function tell_breaker(how, why)
  local ticket = host.breaker_ask(TARGET)
  if ticket then
    host.breaker_tell(TARGET, ticket, how, why)
  end
end

local function caller_is_gone(sid)
  local call = rest.ready() and rest.fetch_call(sid)
  return call and not going[call.status]
end

-- A word of Vapi's, never a number: phone numbers are in no log.
local function word(value)
  return tostring(value):match "^[%a][%w._-]*$" or "something else"
end

local function failed(p, why)
  tell_breaker("failed", "a call was not taken")
  host.alarm("critical", "vapi.not_joined", "", "a call that was sent to Vapi was not taken there")
  log.fact("error", "vapi.not_joined", p.call, { agent = log.known(p.agent or ""), why = log.known(why),
    fix = log.known "see status.vapi.ai; is the number imported there, and is there an assistant?" })
  return { joined = false, why = why }
end

-- ── when the API says nothing ──────────────────────────────────────────────────────────────────
-- How many webhooks' calls there were in the day before that time, and since.
local function webhooks(since)
  local asked, rows = pcall(host.query, "select count(*) filter (where told_at <= to_timestamp($1::bigint))::text, "
    .. "count(*) filter (where told_at > to_timestamp($1::bigint))::text from calls c join vapi_calls v using (call) "
    .. "where c.started_at > to_timestamp($1::bigint) - interval '1 day' and v.seen_by <> 'poll'", { since }, ASK_MS)
  local row = asked and rows and rows[1]
  return tonumber(row and row[1] or nil), tonumber(row and row[2] or nil)
end

-- True: neither the API nor any webhook has said anything for some calls now, and webhooks did come before.
local function is_silent(code)
  local now, known = time.unix(), json.decode(host.kept(SILENT) or "")
  if not no_answer[code] then
    return false
  elseif type(known) ~= "table" or not known.since or now - (known.at or 0) > SILENT_S then
    known = { since = now - JOIN_S, calls = 0 }
  end
  known.calls, known.at = known.calls + 1, now
  host.keep(SILENT, json.encode(known))
  if known.calls < SILENT_MIN then
    return false
  end
  local before, since = webhooks(known.since)
  return since == 0 and before >= WITNESSES
end

local function it_answers()
  if host.kept(SILENT) then
    host.keep(SILENT, nil)
  end
  host.alarm_over("vapi.key_refused", "")
  host.alarm_over("vapi.not_told", "")
end

-- Nobody knows. `why` may have words of Vapi's: the code says enough.
local function unknown(p, code)
  local refused = code == "refused"
  local event = refused and "vapi.key_refused" or "vapi.not_told"
  host.alarm("critical", event, "", refused and "Vapi refuses our key"
    or "Vapi does not say whether it has the calls that were sent there")
  log.fact("error", event, p.call, { code = log.known(code), fix = log.known(refused
    and "set vapi.key (VAPI_API_KEY) to the private key of this account" or "see status.vapi.ai") })
  return { joined = "unknown", why = code }
end

---@param p { call: string, agent: string? }
function M.run(p)
  if not host.vapi_ready() then
    return { joined = false, why = "there is no key for Vapi" }
  end
  local call, why, code = look(p.call)
  if code then
    local silent = is_silent(code)
    local result = unknown(p, code)
    if silent and not caller_is_gone(p.call) then
      return failed(p, "neither its API nor its webhooks say anything")
    end
    return result
  end
  it_answers()
  if call then
    told.tell(p.call, p.agent or "", call)
  end
  if call and has_it[call.status] and (call.status ~= "ended" or call.startedAt) then
    tell_breaker "worked"
    host.alarm_over("vapi.not_joined", "")
    return { joined = true }
  elseif caller_is_gone(p.call) then
    return { joined = false, why = "the caller has hung up" }
  end
  return failed(p, call and ("for Vapi the call is %s, %s"):format(word(call.status),
    call.endedReason and word(call.endedReason) or "and not answered") or why)
end

return M
