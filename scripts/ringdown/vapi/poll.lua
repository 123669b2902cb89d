-- SPDX-License-Identifier: Apache-2.0
-- vapi.poll: the operation `vapi_poll`: each minute, and behind a call's end, what Vapi's webhooks did not tell of
-- calls that we sent there. The webhooks only make it faster. Nothing is asked while nothing is missing.
--
-- Each call has its own pace: it is asked for again when it has got a quarter older, and for words alone three times,
-- because an assistant may keep none. A few are asked for one by one; many, and those whose name at Vapi is not known,
-- by the list, newest first. What one look at the list does not reach, the next one begins with.
--
-- Failure modes: Vapi does not answer, or does not show a call: nothing is known then, and it is asked again. Without a
-- key nothing can be asked. What Vapi has not told in time is given up, which is an alarm.
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local pages = require "ringdown.vapi.pages"
local rest = require "ringdown.vapi.rest"
local time = require "ringdown.time"
local told = require "ringdown.vapi.told"

local M = {}

local ASK_MS = 10000
local OVERLAP_S, PAGES = 600, 20
local SINGLE, AT_ONCE = 20, 100 -- so many are asked for one by one; and in one look
local LISTED_S = 3600 -- what is older is not looked for in the list: it has a name by then, or never gets one
local WAIT_MIN_S, WAIT_MAX_S = 50, 3600
local WORDS_WAIT_S = { 180, 720 } -- after the first and the second time
local ASKED = "vapi/asked.json" -- how often what was asked for, and when next; where the list was left
local ALARM, ALARM_S = "vapi.given_up", 3600
local FIX = "is vapi.key of the organization that has these calls? `ringdown why CALL` shows what is known of one"
local ranks = { scheduled = 1, queued = 2, ringing = 3, ["in-progress"] = 4, forwarding = 5, ended = 6 }

local function query(sql, params)
  local rows, why = host.query(sql, params, ASK_MS)
  if not rows then
    error("the database does not say which calls went to Vapi: " .. tostring(why), 0)
  end
  return rows
end

-- ── what is owed, and what of it is due ─────────────────────────────────────────────────────────
local function owed()
  local list = {}
  for i, row in ipairs(query("select call, agent, status, costed::text, worded::text, vapi_id, age_s::text, "
    .. "extract(epoch from now())::bigint::text from vapi_owed()", {})) do
    list[i] = { sid = row[1], agent = row[2] or "", status = row[3] or nil, costed = row[4] == "true",
      worded = row[5] == "true", vapi_id = row[6] or nil, age_s = math.tointeger(tonumber(row[7])),
      now = math.tointeger(tonumber(row[8])) }
  end
  return list
end

-- What there is to wait for: each is asked for from the beginning.
local function stage(one)
  return one.status ~= "ended" and "end" or one.costed and "words" or "cost"
end

-- Seconds until the next time; nil: never.
local function pace(one, times)
  if stage(one) == "words" then
    return WORDS_WAIT_S[times]
  end
  return math.min(math.max(one.age_s // 4, WAIT_MIN_S), WAIT_MAX_S)
end

local function kept()
  local state = json.decode(host.kept(ASKED) or "")
  state = type(state) == "table" and state or {}
  return { calls = type(state.calls) == "table" and state.calls or {}, before = state.before, gave_up = state.gave_up }
end

local function standing(state, one)
  local known = state.calls[one.sid]
  if not known or known.waits_for ~= stage(one) then
    known = { times = 0, next = 0, waits_for = stage(one) }
    state.calls[one.sid] = known
  end
  return known
end

local function due_of(state, list)
  local due = {}
  for _, one in ipairs(list) do
    local known = standing(state, one)
    one.times = known.times
    if known.next and known.next <= one.now then
      due[#due + 1] = one
    end
  end
  table.sort(due, function(a, b)
    if a.times ~= b.times then
      return a.times < b.times
    end
    return a.age_s > b.age_s
  end)
  return due
end

local function was_asked(state, one)
  local known = state.calls[one.sid]
  local wait = pace(one, known.times + 1)
  known.times, known.next = known.times + 1, wait and one.now + wait or nil
  one.asked = true
end

-- ── what Vapi says ──────────────────────────────────────────────────────────────────────────────
-- Something that is not known yet?
local function is_news(one, call)
  return not one.vapi_id or call.id ~= one.vapi_id
    or (ranks[call.status] or 0) > (ranks[one.status] or 0)
    or not one.costed and tonumber(call.cost) ~= nil and call.status == "ended"
    or not one.worded and call.status == "ended" and #told.words_of(call) > 0
end

local function tell_of(state, one, call)
  was_asked(state, one)
  if is_news(one, call) then
    told.tell(one.sid, one.agent, call)
    return 1
  end
  return 0
end

-- By the carrier's id: the calls of a page that may be ours. A call whose beginning was late or lost has two there.
local function by_sid(page)
  local calls = {}
  for _, call in ipairs(page) do
    local sid = type(call) == "table" and told.sid_of(call)
    if sid and type(call.id) == "string" then
      calls[sid] = calls[sid] or {}
      table.insert(calls[sid], call)
    end
  end
  return calls
end

-- Which of them it is: the carrier's own, of several the one that we know it by; else that one without the carrier. One
-- that nobody took is it only then.
local function the_call(list, vapi_id)
  local own, best, known = nil, nil, nil
  for _, call in ipairs(list) do
    local is_own = type(call.phoneCallProviderId) == "string" and call.phoneCallProviderId ~= ""
    own = is_own and (not own or call.id == vapi_id) and call or own
    known = known or call.id == vapi_id and call or nil
    best = best or not vapi_id and not told.is_orphan(call) and call or nil
  end
  return own or known or best
end

-- A list may show less than the call itself.
local function whole(call, one)
  if call.status == "ended" and not one.worded and #told.words_of(call) == 0 then
    return rest.call(call.id) or call
  end
  return call
end

-- ── by the list ─────────────────────────────────────────────────────────────────────────────────
-- 2026-11-25T09:46:40.000Z
local function iso(unix)
  return os.date("!%Y-%m-%dT%H:%M:%S.000Z", unix)
end

---@return table? listed those to look for; nil: they are asked for one by one
---@return string? since
local function to_list(due)
  local listed, named = {}, true
  for _, one in ipairs(due) do
    if one.age_s <= LISTED_S + OVERLAP_S then
      listed[#listed + 1] = one
      named = named and one.vapi_id ~= nil
    end
  end
  if #listed == 0 or named and #due <= SINGLE then
    return nil
  end
  local oldest = 0
  for _, one in ipairs(listed) do
    oldest = (#due > SINGLE or not one.vapi_id) and math.max(oldest, one.age_s) or oldest
  end
  return listed, iso(due[1].now - oldest - OVERLAP_S)
end

-- What nobody has a name for was asked for as well, once all of the list was seen.
local function missed(state, listed)
  for _, one in ipairs(listed) do
    if not one.asked and not one.vapi_id then
      was_asked(state, one)
    end
  end
end

local function by_list(state, listed, since)
  local left, n = #listed, 0
  local done, why = pages.walk({ since = since, before = state.before, pages = PAGES }, function(page, oldest)
    local calls = by_sid(page)
    for _, one in ipairs(listed) do
      local call = not one.asked and not host.stopping() and calls[one.sid] and the_call(calls[one.sid], one.vapi_id)
      if call then
        left = left - 1
        n = n + tell_of(state, one, whole(call, one))
      end
    end
    state.reached = oldest
    return left == 0 or host.stopping()
  end)
  if done and not state.before and left > 0 and not host.stopping() then
    missed(state, listed)
  end
  state.before = done == false and state.reached or nil
  return n, done == nil and why or nil
end

-- ── one by one ──────────────────────────────────────────────────────────────────────────────────
local function one_by_one(state, due)
  local n, asked = 0, 0
  for _, one in ipairs(due) do
    if not one.asked and one.vapi_id and asked < AT_ONCE and not host.stopping() then
      local call, why, code = rest.call(one.vapi_id)
      if not call and code ~= "absent" then
        return n, why
      end
      asked = asked + 1
      if call then
        n = n + tell_of(state, one, call)
      else
        was_asked(state, one)
      end
    end
  end
  return n
end

local function ask(state, due)
  local listed, since = to_list(due)
  local n, why = 0, nil
  if listed then
    n, why = by_list(state, listed, since)
  else
    state.before = nil
  end
  if why then
    return n, why
  end
  local more
  more, why = one_by_one(state, due)
  return n + more, why
end

-- ── what is given up ────────────────────────────────────────────────────────────────────────────
-- Calls that nobody asks for any more, though their end or their cost is missing: how many, the database knows.
local function given_up(state, list)
  local is_owed, sids = {}, {}
  for _, one in ipairs(list) do
    is_owed[one.sid] = true
  end
  for sid in pairs(state.calls) do
    sids[#sids + 1] = not is_owed[sid] and sid or nil
  end
  local rows = #sids > 0 and query("select vapi_given_up($1::text[])::text", { "{" .. table.concat(sids, ",") .. "}" })
  for _, sid in ipairs(sids) do
    state.calls[sid] = nil
  end
  return rows and math.tointeger(tonumber(rows[1][1])) or 0
end

local function alarm(state, n, now)
  if n > 0 then
    state.gave_up = now
    host.alarm("warning", ALARM, "",
      ("%d calls that went to Vapi: how they ended or what they cost was not told in time"):format(n))
    log.fact("warn", ALARM, nil, { calls = n, fix = log.known(FIX) })
  elseif state.gave_up and now - state.gave_up > ALARM_S then
    state.gave_up = nil
    host.alarm_over(ALARM, "")
  end
end

-- Told by webhook, unless Vapi's word came before that of the node that had decided the call.
local function tell_fell()
  for _, row in ipairs(query("select vapi_fell()", {})) do
    local agent = row[1]:sub(1, 60)
    host.alarm("critical", "routing.failover", agent .. "/openai",
      ("calls of %s for openai went to the other system: not_answered"):format(agent))
  end
end

local function keep(state)
  local empty = not next(state.calls) and not state.before and not state.gave_up
  if not empty or host.kept(ASKED) then
    host.keep(ASKED, not empty and json.encode { calls = next(state.calls) and state.calls or nil,
      before = state.before, gave_up = state.gave_up } or nil)
  end
end

function M.run(_, tell)
  if not host.vapi_ready() then
    return { told = 0 }
  end
  tell_fell()
  local state, list = kept(), owed()
  alarm(state, given_up(state, list), time.unix())
  local n, why = ask(state, due_of(state, list))
  keep(state)
  if why then
    error("Vapi could not be asked what became of its calls: " .. tostring(why), 0)
  elseif n > 0 then
    tell { text = ("%d calls on Vapi were completed by asking"):format(n) }
  end
  return { told = n }
end

return M
