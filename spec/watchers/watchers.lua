-- SPDX-License-Identifier: Apache-2.0
-- What those who look on cost a call, in paired runs: fifty calls alone, and again beside each of
--
--   scrapes     /metrics each second
--   exports     tables of ninety days, one after the other without a pause
--   dashboard   twenty clients that ask for statistics as fast as they may
--
-- and two hundred calls alone, and again beside
--
--   consoles    ten open consoles in a browser
--
--   lua5.4 spec/watchers/watchers.lua [ROUNDS [NAME…]]        (scripts/test --only watchers)
--
-- What is judged is the node's own count of how long a frame is in its hands (ringdown_frame_delay_seconds): its 99th
-- percentile may move by less than 1 ms, the median over the rounds. The node has a processor of its own (--pin); the
-- callers, PostgreSQL with three months of calls, and those who look on have the other,
-- as they would have another machine. A
-- round in which the harness lagged without any of them is discarded and made again, a bounded number of times; with
-- too few left nothing was measured, which is no success: exit code 3.
package.path = "./?.lua;scripts/?.lua;scripts/?/init.lua;" .. package.path
local json = require "cjson"
local pg = require "spec.support.postgres"
local seed = require "spec.analytics.seed"

local BIN = os.getenv "RINGDOWN_BIN" or "build/ringdown"
local ROUNDS = tonumber(arg[1]) or 5
local TRIES = 2 * ROUNDS
local CALLS, MANY_CALLS, SECONDS, LONG_SECONDS = 50, 200, 15, 45
local KNOWN_CALLS, KNOWN_DAYS, CLIENTS, CONSOLES = 20000, 90, 20, 10
local PORT = tonumber(os.getenv "RINGDOWN_PORTS" or "18400") + 81
local MOVED_MAX_MS, LAG_MAX_US, MANY_LAG_MAX_US, NOT_MEASURED = 1, 500, 1000, 3
local ADMIN = ("http://127.0.0.1:%d"):format(PORT)

local function sh(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

local function read(path)
  local file = io.open(path)
  local text = file and file:read "a" or ""
  if file then
    file:close()
  end
  return text
end

-- ── what they ask, and where ────────────────────────────────────────────────────────────────────

pg.start()
local url = os.getenv "RINGDOWN_ANALYTICS_URL" or pg.database()
if not pg.query(url, "select exists (select from calls) as there")[1].there then
  seed.make(url, KNOWN_CALLS, nil, KNOWN_DAYS)
  repeat until pg.query(url, "select statistics_roll(500) as said")[1].said.left == 0
  pg.try(url, "analyze")
end
local us = math.tointeger(tonumber(read "/proc/self/stat":match "^%d+")) -- who watches ends with us
local folder = sh "mktemp -d":gsub("%s", "")
local last_processor = math.tointeger(tonumber(sh "nproc")) - 1
local server = read(pg.query(url,
  "select current_setting('data_directory') as d")[1].d .. "/postmaster.pid"):match "%d+"
sh(("taskset -cp %d %s; for p in $(pgrep -P %s); do taskset -cp %d $p; done"):format(last_processor, server, server,
  last_processor))
local token = json.decode(sh(("DATABASE_URL='%s' RINGDOWN_DATA=%s %s tokens create watcher-%d --role viewer --json "
  .. "2>/dev/null"):format(url, folder, BIN, os.time()))).token

local get = ("curl -s -m 20 -o /dev/null -w '%%{http_code}\\n' -H 'Authorization: Bearer %s' "):format(token)
-- `beside`: the run without it that it is compared with. A browser takes a while to open ten consoles on what the
-- callers leave of a processor.
local watchers = {
  { name = "alone", least = 0 },
  { name = "scrapes", beside = "alone", least = SECONDS - 2, clients = 1,
    does = get .. ADMIN .. "/metrics; sleep 1" },
  { name = "exports", beside = "alone", least = 5, clients = 1,
    does = get .. ("'%s/api/v1/statistics?format=csv&by={day,hour,site,reason}&since=[88-90]d'"):format(ADMIN) },
  { name = "dashboard", beside = "alone", least = 5 * CLIENTS, clients = CLIENTS,
    does = get .. ("'%s/api/v1/statistics?by={hour,weekday,day,site,reason,agent}&since=[1-90:40]d'"):format(ADMIN) },
  { name = "many alone", calls = MANY_CALLS, seconds = LONG_SECONDS, least = 0 },
  { name = "consoles", beside = "many alone", calls = MANY_CALLS, seconds = LONG_SECONDS, least = 2 * CONSOLES,
    clients = 1, nice = 3,
    does = ("node spec/watchers/consoles.mjs %s %s %d %s/go"):format(ADMIN, token, CONSOLES, folder) },
}
if arg[2] then -- these alone, and what they are compared with
  local wanted, left = {}, {}
  for i = 2, #arg do
    wanted[arg[i]] = true
  end
  for _, watcher in ipairs(watchers) do
    wanted[wanted[watcher.name] and watcher.beside or false] = true
  end
  for _, watcher in ipairs(watchers) do
    left[#left + 1] = wanted[watcher.name] and watcher or nil
  end
  watchers = left
end

-- So many clients that do it again and again until the file `go` is gone; what they were answered is in a file.
local function begin(watcher)
  if not watcher.does then
    return
  end
  local script = folder .. "/watch"
  local file = assert(io.open(script, "w"))
  file:write(([[
goes_on() { [ -e %s/go ] && kill -0 %d 2>/dev/null; }
until curl -s -m 1 -o /dev/null %s/livez; do goes_on || exit; sleep 0.2; done
while goes_on; do %s; done >>%s/answers.$1
]]):format(folder, us, ADMIN, watcher.does, folder))
  file:close()
  for i = 1, watcher.clients do
    os.execute(("taskset -c %d nice -n %d sh %s %d </dev/null >/dev/null 2>&1 &"):format(last_processor,
      watcher.nice or 10, script, i))
  end
end

-- ── one run ─────────────────────────────────────────────────────────────────────────────────────

-- The 99th percentile of a histogram as Prometheus tells it, in ms: between the bounds of its bucket by proportion.
local function p99_of(text)
  local counts, bounds = {}, {}
  for labels, n in text:gmatch 'ringdown_frame_delay_seconds_bucket(%b{}) (%d+)' do
    local le = tonumber(labels:match 'le="([%d.e+-]+)"') or math.huge
    if not counts[le] then
      bounds[#bounds + 1] = le
    end
    counts[le] = (counts[le] or 0) + tonumber(n)
  end
  table.sort(bounds)
  local all = counts[math.huge] or 0
  if all == 0 then
    return nil, 0
  end
  local rank, before, low = 0.99 * all, 0, 0
  for _, bound in ipairs(bounds) do
    if counts[bound] >= rank then
      local high = bound == math.huge and low or bound
      return 1000 * (low + (high - low) * (rank - before) / math.max(counts[bound] - before, 1)), all
    end
    before, low = counts[bound], bound
  end
end

local function run(watcher)
  os.execute(("rm -f %s/answers.*; touch %s/go"):format(folder, folder))
  begin(watcher)
  -- The node's own numbers, last looked at shortly before it ends.
  os.execute(("(while [ -e %s/go ] && kill -0 %d; do curl -s -m 2 -o %s/new %s/metrics && mv %s/new %s/metrics; "
    .. "sleep 2; done) "
    .. "</dev/null >/dev/null 2>&1 &"):format(folder, us, folder, ADMIN, folder, folder))
  local text = sh(("DATABASE_URL='%s' RINGDOWN_ADMIN_LISTEN=127.0.0.1:%d %s load --calls %d --seconds %d --pin --json "
    .. "2>/dev/null"):format(url, PORT, BIN, watcher.calls or CALLS, watcher.seconds or SECONDS))
  os.remove(folder .. "/go")
  local report = json.decode(text)
  local calls, lag_us = watcher.calls or CALLS, report.harness_lag_p99_us
  local lags = lag_us > (watcher.calls and MANY_LAG_MAX_US or LAG_MAX_US)
  if report.established ~= calls or report.dropped ~= 0 or report.lost_ms ~= 0 then
    assert(lags, "a call was hurt: " .. text)
    print(("  %-10s a call was hurt, and the harness lagged by %.1f ms"):format(watcher.name, lag_us / 1000))
    return nil
  end
  local p99_ms, turns = p99_of(read(folder .. "/metrics"))
  assert(p99_ms, "the node told nothing of its frames")
  local answers = sh(("sleep 2; cat %s/answers.* 2>/dev/null | sort | uniq -c"):format(folder))
  local good = tonumber(answers:match "(%d+) 200") or 0
  assert(good >= watcher.least, ("%s: only %d answers; %s"):format(watcher.name, good, answers))
  print(("  %-10s p99 %.3f ms in the node (%d turns); up %.2f, down %.2f ms; %d answers, %d refused; lag %.2f ms")
    :format(watcher.name, p99_ms, turns, report.up.p99_us / 1000, report.down.p99_us / 1000, good,
      tonumber(answers:match "(%d+) 429") or 0, report.harness_lag_p99_us / 1000))
  return { p99_ms = p99_ms, lags = lags }
end

local function median(values)
  table.sort(values)
  return (values[(#values + 1) // 2] + values[#values // 2 + 1]) / 2
end

-- ── the rounds ──────────────────────────────────────────────────────────────────────────────────

local moved, rounds, tries = {}, 0, 0
while rounds < ROUNDS and tries < TRIES do
  tries = tries + 1
  print(("round %d, load %s"):format(tries, read "/proc/loadavg":match "%S+"))
  local seen, quiet = {}, true
  for _, watcher in ipairs(watchers) do
    local told = run(watcher)
    seen[watcher.name] = told
    quiet = quiet and told and (watcher.does ~= nil or not told.lags)
    if not quiet then
      break
    end
  end
  if quiet then
    rounds = rounds + 1
    for _, watcher in ipairs(watchers) do
      if watcher.does then
        local list = moved[watcher.name] or {}
        moved[watcher.name] = list
        list[#list + 1] = seen[watcher.name].p99_ms - seen[watcher.beside].p99_ms
      end
    end
  else
    print "  discarded: the harness lagged"
  end
end
os.execute("rm -rf " .. folder)
pg.stop()

if rounds < ROUNDS then
  print(("NOT MEASURED: %d of %d rounds were quiet enough in %d tries; run it again on a quiet machine"):format(rounds,
    ROUNDS, tries))
  os.exit(NOT_MEASURED)
end
local failed = false
for _, watcher in ipairs(watchers) do
  if watcher.does then
    local ms = median(moved[watcher.name])
    failed = failed or ms >= MOVED_MAX_MS
    print(("%-10s p99 of a frame moved by %.3f ms (median), allowed %d ms%s"):format(watcher.name, ms, MOVED_MAX_MS,
      ms >= MOVED_MAX_MS and "   FAILED" or ""))
  end
end
os.exit(not failed)
