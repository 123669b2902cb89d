-- SPDX-License-Identifier: Apache-2.0
-- takes: 90 s
-- Attacks while two callers have their conversations: what each costs is bounded, the callers lose nothing, somebody
-- who calls meanwhile is answered, and a counter tells. docs/reliability.md has the table ("What bad input gets").
-- HOSTILE_SECONDS=60: each attack for so long.
local attack = require "spec.e2e.support.attack"
local json = require "cjson"
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local raw = require "spec.e2e.support.raw"

local FORM = "Content-Type: application/x-www-form-urlencoded"
local SANITIZED = proc.binary():find("/dev/", 1, true) ~= nil

-- What a sanitizer keeps of freed memory is not the node's.
local quiet = (os.getenv "ASAN_OPTIONS" or "") .. ":quarantine_size_mb=4:thread_local_quarantine_size_kb=64"

-- MiB more than before that an attack may make the node hold; a sanitizer puts walls around everything.
local function at_most_mb(n)
  return (SANITIZED and 3 * n or n) * 1024
end

local function ring(n, fields)
  local form = node.voice_form(fields)
  local answer = n:post_signed("/twilio/voice", form)
  return form, answer.body:match '<Stream url="ws://[^/]+(/twilio/media/[^"]+)"', answer
end

local function hang_up(n, form)
  form.CallStatus = "completed"
  assert.equal(200, n:post_signed("/twilio/status", form).status)
end

local function nobody_is_left(n)
  assert.is_true(proc.wait_for(function()
    local status = n:status()
    return status.calls == 0 and status.vms == 0
  end, 10))
end

-- Somebody who calls while it goes on is offered a stream.
local function is_answered(n)
  local form, path, answer = ring(n, { To = n.to })
  assert.is_truthy(path, answer.body .. answer.error)
  hang_up(n, form)
end

-- Who looks may be pushed out before their request is there, as they share the address; another try is not.
local function looks(n)
  for _ = 1, 5 do
    if n:admin("/livez").status == 200 then
      return true
    end
  end
end

local function lost_nothing(n)
  local good, reports = n.placed:wait()
  assert.is_true(good, json.encode(reports))
  for _, line in ipairs(n:log "call.ended") do
    assert.same({ "agent_hangup", "0", "0" }, { line.reason, line.gap_ms, line.errors })
  end
end

-- Where it takes long, others call when the first have hung up.
local function conversations(n)
  if os.getenv "HOSTILE_SECONDS" and n.placed and n.placed.child:ended() then
    lost_nothing(n)
    n.placed = n:place { scenarios = { "small-talk" }, calls = 2 }
  end
end

-- The most that was spent while it went on, and what the attacker got.
local function under(n, plan, meanwhile)
  local spent = attack.spent(n)
  local one = attack.start(n, plan)
  repeat
    meanwhile(n)
    spent()
    conversations(n)
  until one.child:ended()
  local got = one:wait()
  return spent(), got
end

local function refused(n, reason)
  return attack.metrics(n)[('ringdown_requests_refused_total{reason="%s"}'):format(reason)] or 0
end

local function grows(look, by)
  local before = look()
  return function()
    assert.is_true(proc.wait_for(function()
      return look() >= before + by
    end, 5), "the counter does not tell")
  end
end

describe("while two callers have their conversations", function()
  local n

  setup(function()
    n = node.start { agents = "spec/e2e/agents", env = { RINGDOWN_MAX_CALLS_PER_CALLER = "0",
      RINGDOWN_MEDIA_THREADS = "1", RINGDOWN_MAX_CALLS = "100", ASAN_OPTIONS = quiet } }
    n.to = "+13125550201"
    n.placed = n:place { scenarios = { "small-talk" }, calls = 2 }
    assert.is_truthy(proc.wait_for(function()
      return #n:log "call.started" == 2
    end, 20))
  end)

  teardown(function()
    assert.equal(0, n:stop())
  end)

  it("whoever drips a head, a body or an upgrade is cut off by the whole of its time, not by the byte", function()
    local told = grows(function()
      return refused(n, "slow")
    end, 60)
    local head = "POST /twilio/voice HTTP/1.1\r\nHost: x\r\n"
    local spent, got = under(n, { kind = "slow", seconds = attack.seconds(6), parts = {
      { text = head .. ("X: y\r\n"):rep(50), every_ms = 100, times = 30 },
      { text = head .. FORM .. "\r\nContent-Length: 1000\r\n\r\n" .. ("a"):rep(1000), every_ms = 20, times = 30 },
      { text = raw.upgrade(n, "/twilio/media/" .. ("a"):rep(100)), every_ms = 50, times = 30 },
    } }, is_answered)
    told()
    local cut, left = (got.statuses["408"] or 0) + (got.statuses.none or 0), got.statuses.left or 0
    assert.equal(got.opened, cut + left, json.encode(got))
    assert.is_true((got.statuses["408"] or 0) >= 60, json.encode(got))
    assert.is_true(spent.rss_kb < at_most_mb(16), json.encode(spent))
    assert.is_true(spent.files < 200, json.encode(spent))
  end)

  it("ten thousand connections that say nothing push each other out", function()
    local told = grows(function()
      return refused(n, "displaced")
    end, 1000)
    local sources = {}
    for i = 2, 21 do
      sources[#sources + 1] = "127.0.0." .. i
    end
    local spent, got = under(n, { kind = "idle", seconds = attack.seconds(4), count = 10000, sources = sources },
      is_answered)
    told()
    assert.is_true(got.opened >= 9000, json.encode(got))
    assert.is_true(spent.files < 2 * 512 + 1024 + 300, json.encode(spent)) -- of one media thread
    assert.is_true(spent.rss_kb < at_most_mb(32), json.encode(spent))
  end)

  it("two thousand that say nothing to the admin port keep nobody from looking", function()
    local spent, got = under(n, { kind = "idle", port = n.admin_port, seconds = attack.seconds(2), count = 2000,
      sources = { "127.0.0.1" } }, function()
      assert.is_true(looks(n))
    end)
    assert.is_true(got.opened >= 1900, json.encode(got))
    assert.is_true(spent.files < 1700 and spent.rss_kb < at_most_mb(32), json.encode(spent))
    assert.is_true(attack.metrics(n)['ringdown_admin_requests_refused_total{reason="displaced"}'] > 1000)
  end)

  it("upgrades without a token, or with a forged one, cost a signature each and nothing that stays", function()
    local before, lines = refused(n, "signature") + refused(n, "token"), #n:log "stream.refused"
    local _, path = ring(n, { To = n.to })
    local forged = path:gsub("%x%x%x%x$", "0000")
    local queries = n:status().vms
    local seconds = attack.seconds(1)
    for _, text in ipairs { raw.upgrade(n, "/twilio/media/" .. ("a"):rep(80), { signature = false }),
      raw.upgrade(n, forged) } do
      local spent, got = under(n, { kind = "flood", seconds = seconds, text = text, workers = 4 }, is_answered)
      assert.equal(got.opened, got.statuses["403"], json.encode(got))
      assert.is_true(got.opened > 50, json.encode(got)) -- a few thousand on a quiet machine
      assert.is_true(spent.rss_kb < at_most_mb(16) and spent.files < 200, json.encode(spent))
      assert.is_true(spent.cpu_s / got.opened < 0.01, json.encode { spent, got }) -- calls and webhooks are in it
      before = before + got.opened
    end
    assert.is_true(proc.wait_for(function()
      return refused(n, "signature") + refused(n, "token") >= before
    end, 5))
    assert.is_true(#n:log "stream.refused" - lines < 40 * seconds + 200)
    assert.is_true(n:status().vms <= queries + 1)
    for _, call in ipairs(n:calls().live) do
      if call.state == "offered" then
        hang_up(n, { CallSid = call.call })
      end
    end
  end)

  it("and they notice nothing", function()
    lost_nothing(n)
    nobody_is_left(n)
  end)
end)

describe("a node with few files", function()
  it("serves fewer at once, and has some left for its calls", function()
    local n = node.start { agents = "spec/e2e/agents",
      env = { RINGDOWN_MEDIA_THREADS = "1", RINGDOWN_MAX_CALLS = "20", RINGDOWN_MAX_CALLS_PER_CALLER = "0" },
      child = function()
        return { "sh", "-c", 'ulimit -n 600 && exec "$@"', "sh", proc.binary(), "serve" }
      end }
    n.to = "+13125550201"
    assert.equal("600", n:log("node.few_files")[1].have)
    local placed = n:place { scenarios = { "hears-and-hangs-up" } }
    local spent = under(n, { kind = "idle", seconds = 3, count = 2000, sources = { "127.0.0.2" } }, is_answered)
    assert.same({}, n:log "accept.paused")
    assert.is_true(spent.files < 500, json.encode(spent))
    assert.is_true((placed:wait()))
    assert.equal(0, n:stop())
  end)
end)

describe("one number that calls and calls", function()
  it("hears the fallback a few times, then a busy tone; nothing is answered and nobody else notices", function()
    local n = node.start { agents = "spec/e2e/agents", sim = false,
      env = { RINGDOWN_MAX_CALLS_PER_CALLER = "2", RINGDOWN_CALLER_FLOOD = "3" } }
    local mine, heard = { From = "+13125550175", To = "+13125550201" }, {}
    local rang = { (ring(n, mine)), (ring(n, mine)) }
    for i = 1, 12 do
      local form, _, answer = ring(n, mine)
      heard[i] = answer.body:find('<Reject reason="busy"/>', 1, true) and "busy"
        or answer.body:find("<Dial", 1, true) and "fallback" or answer.body
      form.CallStatus = heard[i] == "busy" and "busy" or "completed"
      n:post_signed("/twilio/status", form)
    end
    assert.same({ "fallback", "fallback", "fallback", "busy", "busy", "busy" }, { table.unpack(heard, 1, 6) })
    assert.same({ "busy", "busy", "busy" }, { table.unpack(heard, 10, 12) })
    local other, path = ring(n, { From = "+13125550176", To = "+13125550201" })
    assert.is_truthy(path)
    local told = attack.metrics(n)
    assert.equal(9, told['ringdown_calls_refused_total{reason="caller_flood"}'])
    assert.equal(3, told['ringdown_calls_refused_total{reason="caller_full"}'])
    assert.equal(9, #n:log "call.flood")
    assert.same({}, n:log "call.missed") -- so nobody is texted either
    n:wait_shipped()
    for _, form in ipairs { rang[1], rang[2], other } do
      hang_up(n, form)
    end
    assert.equal(0, n:stop())
  end)
end)

-- The model is attack.py's: what it does, the agent's prompt says.
describe("a peer of a call that goes wrong", function()
  local n, model

  local function agent(name, number, prompt)
    return ([[
      return require "ringdown.agent" {
        name = "%s", numbers = { "%s" }, people = { office = "+13125550188" }, greeting = "Hello.", prompt = "%s",
      }
    ]]):format(name, number, prompt)
  end

  setup(function()
    model = attack.model { calm_ms = 4000 }
    n = node.start { sim = model, env = { RINGDOWN_MAX_CALLS_PER_CALLER = "0", RINGDOWN_MEDIA_THREADS = "1",
      ASAN_OPTIONS = quiet }, agents = { ["calm.lua"] = agent("calm", "+13125550101", "CALM"),
      ["loud.lua"] = agent("loud", "+13125550102", "LOUD"),
      ["huge.lua"] = agent("huge", "+13125550103", "HUGE CALM") } }
    n.to = "+13125550101"
  end)

  teardown(function()
    assert.equal(0, n:stop())
    model:stop()
  end)

  local function stream(to, o)
    local form, path = ring(n, { To = to })
    return form, attack.start(n, attack.stream(n, form, assert(path), o))
  end

  local function cut(reason)
    return attack.metrics(n)[('ringdown_streams_cut_total{reason="%s"}'):format(reason)] or 0
  end

  it("a carrier that does not read, a model ten times too fast, one with a message too long: each its own call",
    function()
      local seconds = math.max(attack.seconds(14), 14)
      local spent = attack.spent(n)
      local calm_form, calm = stream("+13125550101", { seconds = seconds })
      local loud_form, loud = stream("+13125550102", { seconds = seconds })
      local huge_form, huge = stream("+13125550103", { seconds = seconds })
      local deaf_form, deaf = stream("+13125550102", { seconds = seconds, deaf = true })
      local after_s
      assert.is_truthy(n:wait_log("call.ended", function(line)
        spent()
        return line.call == deaf_form.CallSid and line.reason == "carrier_lost"
      end, 40))
      assert.equal(1, cut "stalled")
      -- It has not hung up: the carrier asks what comes next, and the conversation goes on.
      deaf_form.CallStatus = "in-progress"
      local again = n:post_signed("/twilio/resume", deaf_form)
      assert.matches("<Stream url=", again.body, 1, true)
      is_answered(n)
      hang_up(n, deaf_form)
      after_s = spent().rss_kb
      local heard = { calm = calm:wait(), loud = loud:wait(), huge = huge:wait() }
      deaf:wait()
      assert.is_true(spent().rss_kb < at_most_mb(32), json.encode { spent(), after_s })
      assert.same({ json.null, json.null }, { heard.calm.closed_ms, heard.loud.closed_ms })
      assert.is_true(heard.calm.bytes >= 4000 * 8, json.encode(heard)) -- all of it
      assert.equal(1000, heard.huge.code) -- such a model is not asked again: the caller is put through
      huge_form.CallStatus = "in-progress"
      assert.matches("<Dial", n:post_signed("/twilio/resume", huge_form).body, 1, true)
      assert.is_true(heard.loud.bytes >= 4 * seconds * 8000, json.encode(heard)) -- ten times, on a quiet machine
      for _, form in ipairs { calm_form, loud_form, huge_form } do
        hang_up(n, form)
      end
      nobody_is_left(n)
    end)

  it("a message above 64 KiB from the carrier ends its stream, and the caller hears the fallback", function()
    local form, path = ring(n, { To = "+13125550101" })
    local plan = attack.stream(n, form, path)
    local long = plan.media:gsub('"payload":"[^"]*"', '"payload":"' .. ("/"):rep(70000) .. '"')
    local r = raw.talk(n, { { send = plan.upgrade .. raw.frame(plan.connected) .. raw.frame(plan.start)
      .. raw.frame(long) }, { close_within_ms = 8000 } })
    assert.is_true(r.closed)
    assert.is_true(proc.wait_for(function()
      return cut "too_big" == 1
    end, 5))
    form.CallStatus = "in-progress"
    assert.matches("<Dial", n:post_signed("/twilio/resume", form).body, 1, true)
    hang_up(n, form)
    nobody_is_left(n)
  end)
end)
