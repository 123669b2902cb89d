-- SPDX-License-Identifier: Apache-2.0
-- vapi.poll: the operation `vapi_poll`: each minute, what Vapi's webhooks did not tell of calls that we sent there. The
-- webhooks only make it faster. Nothing is asked while nothing is missing.
--
-- Failure modes: Vapi does not answer, or does not show a call: nothing is known then, and it is asked again. Without a
-- key nothing can be asked. A call that has no words, because its assistant keeps none: it is asked for a few times.
local host = require "ringdown.host"
local json = require "ringdown.json"
local pages = require "ringdown.vapi.pages"
local rest = require "ringdown.vapi.rest"
local told = require "ringdown.vapi.told"

local M = {}

local ASK_MS = 10000
local OVERLAP_S, PAGES = 600, 20
local ASKED = "vapi/asked.json" -- how often the words of which calls were missing
local ASK_AT = { [1] = true, [4] = true, [16] = true } -- minutes
local ASK_LAST = 16
local KNOWN = "select k.call, k.agent, k.status, k.costed::text, k.worded::text, v.vapi_id "
  .. "from vapi_calls_known($1::text[]) k left join vapi_calls v using (call)"

local function query(sql, params)
  local rows, why = host.query(sql, params, ASK_MS)
  if not rows then
    error("the database does not say which calls went to Vapi: " .. tostring(why), 0)
  end
  return rows
end

-- 2026-11-25T09:46:40.000Z
local function iso(unix)
  local rows = query("select to_char(to_timestamp($1::bigint) at time zone 'UTC', "
    .. "'YYYY-MM-DD\"T\"HH24:MI:SS\".000Z\"')", { unix })
  return rows[1][1]
end

local function owed_since()
  local rows = query("select vapi_owes_since(), extract(epoch from now())::bigint", {})
  local seconds = rows[1] and tonumber(rows[1][1] or nil)
  return seconds and math.tointeger(tonumber(rows[1][2])) - math.tointeger(seconds) - OVERLAP_S or nil
end

-- By the carrier's id: the calls of a page that may be ours. A call whose beginning was late or lost has two there.
local function by_sid(page)
  local calls, sids = {}, {}
  for _, call in ipairs(page) do
    local sid = type(call) == "table" and told.sid_of(call)
    if sid and type(call.id) == "string" then
      if not calls[sid] then
        sids[#sids + 1], calls[sid] = sid, {}
      end
      table.insert(calls[sid], call)
    end
  end
  return calls, sids
end

-- Which of them it is: the carrier's own, else the one that we know it by. One that nobody took is it only then.
local function the_call(list, vapi_id)
  local best, known = nil, nil
  for _, call in ipairs(list) do
    if type(call.phoneCallProviderId) == "string" and call.phoneCallProviderId ~= "" then
      return call
    end
    known = known or call.id == vapi_id and call or nil
    best = best or not vapi_id and not told.is_orphan(call) and call or nil
  end
  return known or best
end

local function is_complete(row)
  return row[3] == "ended" and row[4] == "true" and row[5] == "true"
end

-- A list may show less than the call itself.
local function whole(call, worded)
  if call.status == "ended" and not worded and #told.words_of(call) == 0 then
    return rest.call(call.id) or call
  end
  return call
end

-- Of a call that misses its words only: the call if it has some now. It is asked for less and less, and then no more.
local function with_words(call, row, asked)
  local sid = row[1]
  local times = math.min((asked.before[sid] or 0) + 1, ASK_LAST + 1)
  asked.now[sid] = times
  if #told.words_of(call) == 0 and not ASK_AT[times] then
    return nil
  end
  call = whole(call, false)
  return #told.words_of(call) > 0 and call or nil
end

local function missing_of(call, row, asked)
  if row[3] == "ended" and row[4] == "true" then
    return with_words(call, row, asked)
  end
  return whole(call, row[5] == "true")
end

-- What is missing of a page's calls is told.
local function take(page, asked)
  local calls, sids = by_sid(page)
  if #sids == 0 then
    return 0
  end
  local n = 0
  for _, row in ipairs(query(KNOWN, { "{" .. table.concat(sids, ",") .. "}" })) do
    local call = not is_complete(row) and not host.stopping() and the_call(calls[row[1]], row[6] or nil)
    call = call and missing_of(call, row, asked)
    if call then
      told.tell(row[1], row[2] or "", call)
      n = n + 1
    end
  end
  return n
end

-- Who was not seen is too old, or complete; unless it ended early.
local function keep_asked(asked, all_seen)
  for sid, times in pairs(all_seen and {} or asked.before) do
    asked.now[sid] = asked.now[sid] or times
  end
  local text = next(asked.now) and json.encode(asked.now) or nil
  if text or next(asked.before) then
    host.keep(ASKED, text)
  end
end

function M.run(_, tell)
  local since = host.vapi_ready() and owed_since()
  if not since then
    return { told = 0 }
  end
  local n, asked = 0, { before = json.decode(host.kept(ASKED) or "") or {}, now = {} }
  local done, why = pages.walk({ since = iso(since), pages = PAGES }, function(page)
    n = n + take(page, asked)
    return host.stopping()
  end)
  keep_asked(asked, done ~= nil and not host.stopping())
  if done == nil then
    error("Vapi could not be asked what became of its calls: " .. tostring(why), 0)
  elseif n > 0 then
    tell { text = ("%d calls on Vapi were completed by asking"):format(n) }
  end
  return { told = n }
end

return M
