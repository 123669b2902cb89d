-- SPDX-License-Identifier: Apache-2.0
-- A year of made-up calls (seed.lua), and how long it takes to ask about them.
--
-- usage: lua5.4 spec/analytics/analytics.lua [CALLS]     (1000000)
--
-- What is asked is what the admin API asks: each request goes through its route, and the statements that came of it are
-- asked again in one session, where the server counts how long they took and how much of a processor. Fails when 95 of
-- 100 questions for statistics, or searches for words or several things at once, take longer than 200 ms, 99 of 100
-- single reads or lists longer than 20 ms, or 95 of 100 pages of a console longer than 1.5 s, with nothing else on the
-- machine. A search that looks through all calls and finds none may take the half second after which it is told how far
-- it came, and its last step. At last the Dashboard is opened in a browser, at a node on this database. Where they take
-- longer only because others have the processors, nothing was measured, which is no success: exit code 3. What
-- PostgreSQL does not answer within the time that the API gives it is told, and the rest is asked.
--
-- RINGDOWN_ANALYTICS_URL    a database of this kind that is there: seeded when it is empty, and left
-- RINGDOWN_BIN              the node whose Dashboard is opened; without it none is
package.path = "./?.lua;scripts/?.lua;scripts/?/init.lua;" .. package.path
package.preload["ringdown.host"] = function()
  return require "ringdown.fake.host"
end

local pg = require "spec.support.postgres"
local seed = require "spec.analytics.seed"
local world = require "spec.api.world"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"

local N = math.tointeger(tonumber(arg[1] or "1000000"))
local ONLY = arg[2] -- a part of the names of what is asked
local STATISTICS_MS, READ_MS, SEARCH_MS, PAGE_MS = 200, 20, 600, 1500
local ANSWER_MS = 3000 -- the API's own questions have no longer
local NOT_MEASURED = 3

local function clock()
  local pipe = assert(io.popen "date +%s.%N")
  local now = pipe:read "n"
  pipe:close()
  return now
end

local begun = clock()
local function say(text, ...)
  print(("%7.1f s  " .. text):format(clock() - begun, ...))
end

-- ── the calls ───────────────────────────────────────────────────────────────────────────────────

local function count_all(url)
  local rolled = clock()
  repeat
    local left = pg.query(url, "select statistics_roll(500) as said")[1].said.left
  until left == 0
  say("counted for the first time in %.1f s: %d rows", clock() - rolled,
    pg.query(url, "select count(*) as n from statistics_hourly")[1].n)
  os.execute(("vacuumdb -q --analyze -d '%s'"):format(url))
end

local url = os.getenv "RINGDOWN_ANALYTICS_URL"
if not url then
  pg.start { buffers = "128MB" } -- as PostgreSQL has it unless told otherwise
  url = pg.database()
end
if not pg.query(url, "select exists (select from calls) as there")[1].there then
  seed.make(url, N, function(text) say("%s", text) end)
  count_all(url)
end

-- ── asking ──────────────────────────────────────────────────────────────────────────────────────

world.begin { url = url .. "&options=-c%20statement_timeout%3D" .. ANSWER_MS }
host.known_agents = {}
rawset(host, "now_ms", function() -- searches look how long they took
  local file = assert(io.open "/proc/uptime")
  local seconds = file:read "n"
  file:close()
  return math.floor(seconds * 1000)
end)

-- The statements that a request comes to.
local recorded
local ask = host.query
rawset(host, "query", function(sql, params, ...)
  if recorded then
    recorded[#recorded + 1] = sql:gsub("%$(%d+)", function(i)
      local value = params and params[tonumber(i)]
      return (value == false or value == nil) and "null" or pg.literal(tostring(value))
    end)
  end
  return ask(sql, params, ...)
end)

local function statements_of(target)
  recorded = {}
  local status, _, answer = world.ask("GET", target)
  local list = recorded
  recorded = nil
  if status ~= 200 then
    error(("%s: %d %s"):format(target, status, answer.body))
  end
  return list
end

-- Each list of statements in one session: what the server says of them together, { ms, cpu_ms }.
local function timed(lists)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("set log_statement_stats = on; set client_min_messages = log; set statement_timeout = ", ANSWER_MS, ";\n")
  for i, list in ipairs(lists) do
    for _, sql in ipairs(list) do
      file:write("\\warn ITEM ", i, "\n", sql, ";\n")
    end
  end
  file:close()
  local pipe = assert(io.popen(("psql -X -q -A -t -d '%s' -f %s 2>&1 >/dev/null"):format(url, path)))
  local times, at, why = {}, nil, nil
  for line in pipe:lines() do
    at = math.tointeger(tonumber(line:match "^ITEM (%d+)")) or at
    local user, system, elapsed = line:match "!%s+([%d.]+) s user, ([%d.]+) s system, ([%d.]+) s elapsed"
    if user and at then
      local one = times[at] or { ms = 0, cpu_ms = 0 }
      times[at] = one
      one.ms, one.cpu_ms = one.ms + elapsed * 1000, one.cpu_ms + (user + system) * 1000
    else
      why = why or line:match "ERROR:%s*(.*)"
    end
  end
  pipe:close()
  os.remove(path)
  return times, why
end

local function quantile(times, what, share)
  local values = {}
  for i, one in ipairs(times) do
    values[i] = one[what]
  end
  table.sort(values)
  return values[math.ceil(share * #values)]
end

local failed, busy = false, false
local function judge(name, lists, share, limit_ms)
  if ONLY and not name:find(ONLY, 1, true) then
    return
  end
  local made, why = pcall(function()
    lists = type(lists) == "function" and lists() or lists
    timed { table.unpack(lists, 1, math.min(#lists, 40)) } -- from now on it is in memory
  end)
  local times
  if made then
    times, why = timed(lists)
  end
  if why then
    failed = true
    return say("%-44s NOT ANSWERED: %s", name, (tostring(why):gsub("\n.*", "")))
  end
  local ms, cpu_ms = quantile(times, "ms", share), quantile(times, "cpu_ms", share)
  local note = ""
  if limit_ms and cpu_ms > limit_ms then
    failed, note = true, ("  MORE THAN %d ms"):format(limit_ms)
  elseif limit_ms and ms > limit_ms then
    busy, note = true, "  OTHERS HAD THE PROCESSOR"
  end
  say("%-44s n=%-4d p50 %6.1f ms  p%d %7.1f ms, of the processor %7.1f ms%s", name, #lists,
    quantile(times, "ms", 0.5), math.floor(share * 100), ms, cpu_ms, note)
end

-- What is asked only once it is wanted.
local function of(n, make_one)
  return function()
    local list = {}
    for i = 1, n do
      list[i] = statements_of(make_one(i))
    end
    return list
  end
end

local function one_of(list, i)
  return list[i % #list + 1]
end

local AGENTS = { "northside-plumbing", "dental", "night-desk" }
local BY = { "hour", "weekday", "day", "site", "reason", "agent", "system", "outcome" }
local WHO = { "", "&agent=dental", "&agent=northside-plumbing&site=site-3", "&system=vapi", "&agent=night-desk" }

-- ── statistics and costs ────────────────────────────────────────────────────────────────────────

local hour = pg.query(url, "select max(hour)::text as h from statistics_hourly")[1].h
local recount = {}
for i = 1, 20 do
  recount[i] = { ("select mark_hour('%s')"):format(hour), "select statistics_roll()" }
end
judge("one hour is counted again", recount, 0.95)

for _, days in ipairs { 1, 7, 30, 90, 395 } do
  for _, what in ipairs { "statistics", "costs" } do
    judge(("%s of %d days"):format(what, days), of(#BY * #WHO, function(i)
      return ("/%s?since=%dd&by=%s%s"):format(what, days, one_of(BY, i), one_of(WHO, i // #BY))
    end), 0.95, STATISTICS_MS)
  end
end
judge("statistics of 48 hours", of(#BY * #WHO, function(i)
  return ("/statistics?since=48h&by=%s%s"):format(one_of(BY, i), one_of(WHO, i // #BY))
end), 0.95, STATISTICS_MS)
for _, days in ipairs { 7, 30, 90, 395 } do
  judge(("both systems compared, %d days"):format(days), of(9, function(i)
    return ("/costs/compare?since=%dd&agent=%s"):format(days, one_of(AGENTS, i))
  end), 0.95, STATISTICS_MS)
  judge(("calls behind the dollars of %d days"):format(days), of(#WHO * 2, function(i)
    return ("/costs/calls?since=%dd%s%s"):format(days, one_of(WHO, i), i % 2 == 0 and "&unknown=true" or "")
  end), 0.95, STATISTICS_MS)
end

judge("today", of(20, function(i)
  return i % 2 == 0 and "/today" or "/today?agent=dental"
end), 0.95, STATISTICS_MS)

-- ── reads ───────────────────────────────────────────────────────────────────────────────────────

local function sid(i)
  return seed.call(i * 7919 % (N // 10) + 1)
end

for _, part in ipairs { "", "/timeline", "/transcript", "/tools", "/cost", "/recordings", "/why" } do
  judge("one call" .. part, of(100, function(i)
    return ("/calls/%s%s"):format(sid(i), part)
  end), 0.99, READ_MS)
end
local known = { {}, {} }
for i = 1, 100 do
  known[1][i] = { ("select why('+1312%d')"):format(5550000 + i * 131 % (N // 11)) }
  known[2][i] = { ("select why('+1312%d')"):format(6660000 + i % 60) }
end
judge("why a caller", known[1], 0.99, READ_MS)
judge("why a number of ours", known[2], 0.99, READ_MS)

local function moment(days)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - days * 86400)
end

-- Each with what it is searched by; %d is another number each time.
local lists = {
  { "calls", "/calls?limit=50" }, { "calls, one agent", "/calls?agent=dental" },
  { "calls, one caller", function(i) return ("/calls?number=%%2B1312%d"):format(5550000 + i * 131 % (N // 11)) end },
  { "calls, a number of ours", function(i) return ("/calls?number=%%2B1312%d"):format(6660000 + i % 60) end },
  { "calls, one system", "/calls?system=vapi&limit=200" },
  { "calls, an outcome", "/calls?outcome=provider_failed" },
  { "calls, an outcome that none has", "/calls?outcome=shutdown" },
  { "calls, an agent's outcome", "/calls?agent=dental&outcome=provider_failed" },
  { "calls, one caller's outcome", function(i)
    return ("/calls?outcome=silence&number=%%2B1312%d"):format(5550000 + i * 131 % (N // 11))
  end },
  { "calls that go on", "/calls?state=live" }, { "calls that go on, one agent", "/calls?state=live&agent=night-desk" },
  { "calls with errors", "/calls?failed=true" }, { "calls with errors, one agent", "/calls?failed=true&agent=dental" },
  { "calls with emergencies", "/calls?emergency=true" },
  { "calls with emergencies, one agent", "/calls?emergency=true&agent=dental" },
  { "calls of a day", function(i) return ("/calls?since=%s&until=%s"):format(moment(i * 3 + 1), moment(i * 3)) end },
  { "calls of an agent's day", function(i)
    return ("/calls?agent=dental&since=%s&until=%s"):format(moment(i * 3 + 1), moment(i * 3))
  end },
  { "calls, rare words", function(i) return "/calls?text=Name" .. i * 37 % 5000 end },
  { "calls, common words", "/calls?text=water" },
  { "calls, a phrase", "/calls?text=%22boiler+ref7%22" }, { "calls, words nobody said", "/calls?text=zebra" },
  { "calls, an agent's rare words", function(i) return "/calls?agent=dental&text=ref" .. i * 37 % 20000 end },
  { "calls, an agent's common words", "/calls?agent=dental&text=goodbye" },
  { "calls, common words of a day", function(i)
    return ("/calls?text=person&since=%s&until=%s"):format(moment(i % 30 + 1), moment(i % 30))
  end },
  { "calls, missed ones", "/calls?kind=real&result=missed" }, { "calls, answered ones", "/calls?result=answered" },
  { "calls, failed ones of a day", function(i)
    return ("/calls?result=failed&local_from=%s&local_to=%s"):format(moment(i * 3 + 1):sub(1, 10),
      moment(i * 3):sub(1, 10))
  end },
  { "calls, missed ones of a day", function(i)
    return ("/calls?kind=real&result=missed&local_from=%s&local_to=%s"):format(moment(i * 3 + 1):sub(1, 10),
      moment(i * 3):sub(1, 10))
  end },
  { "calls, nobody's fallback", "/calls?result=fallback" }, { "calls that booked", "/calls?booked=true" },
  { "calls that booked, of an agent's day", function(i)
    return ("/calls?agent=dental&booked=true&local_from=%s&local_to=%s"):format(moment(i * 3 + 1):sub(1, 10),
      moment(i * 3):sub(1, 10))
  end },
  { "calls of a site", "/calls?agent=dental&site=site-7" }, { "calls, our own tests", "/calls?kind=test" },
  { "texts", "/texts" }, { "texts, one agent", "/texts?agent=dental" },
  { "texts with a number", function(i) return ("/texts/+1312%d"):format(5550000 + i * 131 % (N // 11)) end },
  { "customers", "/customers" }, { "customers by name", function(i) return "/customers?q=Name" .. i * 37 % 5000 end },
  { "customers by the beginning of a name", "/customers?q=mar" },
  { "customers by number", function(i) return ("/customers?q=%%2B1312%d"):format(5550000 + i * 131 % (N // 11)) end },
  { "visits", "/appointments" }, { "visits of a day", function(i)
    return ("/appointments?since=%s&until=%s"):format(moment(i * 3 + 1), moment(i * 3))
  end },
  { "visits of a site's day", function(i)
    return ("/appointments?agent=dental&site=site-2&since=%s&until=%s"):format(moment(i * 3 + 1), moment(i * 3))
  end },
  { "emergencies", "/emergencies" }, { "emergencies, one agent", "/emergencies?agent=dental" },
  { "emergencies that are open", "/emergencies?state=open" },
  { "emergencies about life", "/emergencies?severity=life" },
  { "near misses", "/emergencies/near-misses" }, { "near misses to read", "/emergencies/near-misses?verdict=none" },
  { "near misses, read", "/emergencies/near-misses?verdict=was" },
  { "audit", "/audit" }, { "audit, who", "/audit?who=token3" }, { "audit, nobody", "/audit?who=nobody" },
  { "audit, what", "/audit?what=rate" }, { "audit, of what", "/audit?subject=subject+12" },
  { "alerts", "/alerts" }, { "alerts, all", "/alerts?state=all" }, { "alerts, a rule", "/alerts?state=all&rule=none" },
  { "numbers", "/numbers" }, { "jobs", "/jobs" }, { "nodes", "/nodes" }, { "prices", "/costs/rates" },
}
for _, one in ipairs(lists) do
  local function target(i)
    return type(one[2]) == "function" and one[2](i) or one[2]
  end
  local has_words = target(1):find("text=", 1, true)
  judge(one[1], of(type(one[2]) == "function" and 60 or 20, target), has_words and 0.95 or 0.99,
    has_words and STATISTICS_MS or READ_MS)
end

-- What is common each and never together, what nobody has, and all else there is to ask for, by two to four things.
for _, one in ipairs { { "common words and none", "/calls?text=kitchen+-water" },
  { "a phrase of common words and none", "/calls?text=%22water+hello%22" }, { "no words", "/calls?text=-water+-slot" },
  { "a system that took none", "/calls?system=fallback" },
  { "an outcome that the system never has", "/calls?system=vapi&outcome=provider_failed" } } do
  judge("calls, " .. one[1], of(10, function() return one[2] end), 0.95, SEARCH_MS)
end
local filters = {
  { "agent=dental", "agent=nobody" }, { "number=%2B13126660007", "number=%2B13125550131" },
  { "system=vapi", "system=openai", "system=fallback" },
  { "outcome=provider_failed", "outcome=caller_hangup", "outcome=shutdown" }, { "state=live", "state=ended" },
  { "emergency=true", "emergency=false" }, { "failed=true", "failed=false" }, { "booked=true", "booked=false" },
  { "result=answered", "result=missed", "result=emergency", "result=fallback" }, { "kind=real", "kind=test" },
  { "site=site-7", "site=default" }, { "since=" .. moment(20) }, { "until=" .. moment(5), "until=" .. moment(250) },
  { "local_from=" .. moment(60):sub(1, 10) }, { "local_to=" .. moment(50):sub(1, 10) },
  { "text=water", "text=ref77", "text=kitchen+-water", "text=zebra", "text=%22water+hello%22", "text=Name77" },
}
math.randomseed(N, 7)
local function at_random(with_words)
  return function()
    local parts, used = {}, {}
    for _ = 1, math.random(2, 4) do
      local j = math.random(#filters - 1)
      if not used[j] then
        used[j], parts[#parts + 1] = true, one_of(filters[j], math.random(100))
      end
    end
    parts[#parts + 1] = with_words and one_of(filters[#filters], math.random(100)) or nil
    return "/calls?" .. table.concat(parts, "&")
  end
end
judge("calls, any two to four filters", of(200, at_random(false)), 0.95, STATISTICS_MS)
judge("calls, words and any two to four filters", of(200, at_random(true)), 0.95, STATISTICS_MS)

-- Ten pages on: what follows the first fifty, five hundred later.
local function deep(target)
  local pages, cursor = {}, nil
  for i = 1, 12 do
    local full = target .. (cursor and "&cursor=" .. cursor or "")
    pages[i] = statements_of(full)
    local _, answer = world.ask("GET", full)
    cursor = answer.next
    if not cursor then
      break
    end
  end
  return pages
end
for _, target in ipairs { "/calls?limit=50", "/calls?agent=dental&limit=50", "/calls?outcome=silence&limit=50",
  "/calls?text=water&limit=50", "/texts?limit=50", "/customers?limit=50", "/appointments?limit=50", "/audit?limit=50",
  "/emergencies?limit=50" } do
  judge("page by page " .. target, function() return deep(target) end, 0.99, READ_MS)
end

-- ── a page of the console ───────────────────────────────────────────────────────────────────────

-- All that a page asks, as one.
local function page(targets)
  return function(i)
    local list = {}
    for _, target in ipairs(targets) do
      for _, sql in ipairs(statements_of(type(target) == "function" and target(i) or target)) do
        list[#list + 1] = sql
      end
    end
    return list
  end
end

local function pages(name, n, make)
  judge(name, function()
    local sets = {}
    for i = 1, n do
      sets[i] = make(i)
    end
    return sets
  end, 0.95, PAGE_MS)
end

local function dashboard(since)
  local targets = {}
  for _, by in ipairs { "day", "hour", "weekday", "reason", "outcome", "system", "site", "agent" } do
    targets[#targets + 1] = ("/statistics?since=%s&by=%s"):format(since, by)
  end
  for _, more in ipairs { ("/costs?since=%s&by=day"):format(since), ("/costs/calls?since=%s"):format(since),
    ("/costs/compare?agent=dental&since=%s"):format(since), "/alerts", "/emergencies?state=open", "/calls?limit=50",
    "/calls?state=live" } do
    targets[#targets + 1] = more
  end
  return page(targets)
end
for _, since in ipairs { "7d", "30d", "90d" } do
  pages("the dashboard of " .. since, 10, dashboard(since))
end
pages("a call with all there is of it", 20, page { function(i) return "/calls/" .. sid(i) end,
  function(i) return "/calls/" .. sid(i) .. "/timeline?limit=200" end,
  function(i) return "/calls/" .. sid(i) .. "/transcript?limit=200" end,
  function(i) return "/calls/" .. sid(i) .. "/tools" end, function(i) return "/calls/" .. sid(i) .. "/cost" end,
  function(i) return "/calls/" .. sid(i) .. "/recordings" end, function(i) return "/calls/" .. sid(i) .. "/why" end })

-- ── the Dashboard in a browser ──────────────────────────────────────────────────────────────────

-- Ours is about two: a browser, and PostgreSQL beside it.
local QUIET_LOAD = 3.5

local function load_now()
  local file = assert(io.open "/proc/loadavg")
  local load = file:read "n"
  file:close()
  return load
end

local function paint(n, path)
  local token = n:ringdown("tokens", "create", "painter" .. os.time() .. #path, "--role", "viewer"):match "rd_%x+"
  local pipe = assert(io.popen(("RINGDOWN_TOKEN=%s node spec/analytics/paint.mjs http://127.0.0.1:%d '%s'"):format(
    token, n.admin_port, path)))
  local told = json.decode(pipe:read "a")
  pipe:close()
  assert(told and #told.ms > 0, "the browser did not come to an end")
  table.sort(told.ms)
  local ms = told.ms[(#told.ms + 1) // 2]
  local late = ms > PAGE_MS or told.first_ms > PAGE_MS
  if late and load_now() < QUIET_LOAD then
    failed = true
  end
  busy = busy or late
  say("%-44s n=%-4d p50 %6.0f ms, worst %5.0f ms, the first %5.0f ms (%d charts, %s calls)%s", "painted: " .. path,
    #told.ms, ms, told.ms[#told.ms], told.first_ms, told.shown.charts, told.shown.calls,
    late and ("  MORE THAN %d ms"):format(PAGE_MS) or "")
  for _, request in ipairs(told.requests) do
    say("    %5d ms  %s", request[2], request[1])
  end
end

if os.getenv "RINGDOWN_BIN" and (not ONLY or ("painted"):find(ONLY, 1, true)) then
  local n = require "spec.e2e.support.node".start { database = url, sim = false }
  for _, path in ipairs { "/dashboard", "/dashboard?since=90d", "/dashboard?since=395d" } do
    local painted, why = pcall(paint, n, path)
    if not painted then
      failed = true
      say("painted: %s NOT MEASURED: %s", path, tostring(why))
    end
  end
  n:stop()
end

say("load average at the end: %.2f", load_now())
world.finish()
pg.stop()
if busy and not failed then
  print "NOT MEASURED: others had the processor; run it again on a quiet machine"
end
os.exit(failed and 1 or busy and NOT_MEASURED or 0)
