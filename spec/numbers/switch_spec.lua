-- SPDX-License-Identifier: Apache-2.0
-- Numbers are switched to us and back: what is checked, what is written, and what goes wrong on the way.
local host = require "ringdown.fake.host"
local twilio = require "ringdown.twilio.numbers"
local world = require "spec.numbers.world"

local A, B, C, D = "+13125550100", "+13125550101", "+13125550102", "+13125550103"
local VAPI = "https://api.vapi.ai/twilio/inbound_call"
local OURS = "https://calls.example.com/twilio/voice"

local function rows(sql)
  local list = {}
  for i, row in ipairs(assert(world.sql(sql, {}))) do
    list[i] = row[1]
  end
  return table.concat(list, " ")
end

local function states()
  return rows "select number || ' ' || state from bulk_items order by run, place"
end

describe("switching a number", function()
  before_each(function() world.begin { A, B, C, D } end)
  teardown(world.finish)

  it("sends its calls to us, with Vapi for when we do not answer, and leaves the rest as it was", function()
    local before = world.fields(A)
    local result = world.run("switch", { to = "ringdown", numbers = { A } })
    assert.is_false(result.failed)
    local now = world.fields(A)
    assert.equal(OURS, now.voice_url)
    assert.equal(VAPI, now.voice_fallback_url)
    assert.equal(before.sms_url, now.sms_url)
    assert.equal(before.status_callback, now.status_callback)
    assert.same({ "GET " .. A, "POST " .. A, "GET " .. A }, world.requests)
    assert.matches("goes to ringdown, verified", world.text())
    assert.matches("our agents hear no texts to it and send none from it", world.text())
    assert.matches("keeps its status_callback", world.text())
    assert.matches("The next call to this number is answered here", world.text())
    assert.equal("number_switch +13125550100 the spec", rows "select what || ' ' || subject || ' ' || who from audit")
    assert.equal(VAPI, world.fields(B).voice_url)
  end)

  it("keeps how it was in the database and on the disk, all twelve fields as they were", function()
    local before = world.fields(A)
    world.run("switch", { to = "ringdown", numbers = { A } })
    local kept = require("ringdown.numbers.snapshot").kept(A)
    assert.same(before, kept.fields)
    assert.equal("PN00000000000000000000000000000001", kept.sid)
    assert.same(before, require("ringdown.numbers.snapshot").stored(A, true).fields)
    assert.equal("t", rows "select verified_at is not null from number_snapshots")
  end)

  it("has no safety net where Vapi does not have it, and the net that it had stays", function()
    local _, one = world.fields(A)
    world.vapi, one.voice_fallback_url = {}, "https://old.example/net"
    world.agents[1].shown = "{}"
    assert.is_false(world.run("switch", { to = "ringdown", numbers = { A } }).failed)
    assert.equal("https://old.example/net", world.fields(A).voice_fallback_url)
    assert.matches("has no safety net", world.text())
    world.vapi = "there is no key"
    world.run("switch", { to = "ringdown", numbers = { B } }) -- it leads there, so it is there
    assert.equal(VAPI, world.fields(B).voice_fallback_url)
    world.run("switch", { to = "ringdown", numbers = { B }, texts = true }) -- its net leads there
    assert.is_nil(world.text():find("no safety net", 1, true))
    assert.equal(VAPI, world.fields(B).voice_fallback_url)
  end)

  it("moves its texts as well when it is told to", function()
    world.run("switch", { to = "ringdown", numbers = { A }, texts = true })
    assert.equal("https://calls.example.com/twilio/sms", world.fields(A).sms_url)
    assert.equal("ringdown", rows("select texts_to from numbers_seen where number = '" .. A .. "'"))
  end)

  it("changes nothing in a dry run, and shows before and after", function()
    local result = world.run("switch", { to = "ringdown", all = true, dry_run = true })
    assert.same({ numbers = 4, refused = 0, failed = false }, result)
    assert.equal(VAPI, world.fields(A).voice_url)
    assert.matches("voice_url .*" .. VAPI .. " %-> " .. OURS, world.text())
    assert.equal("", states())
  end)

  it("does nothing to a number that is so already", function()
    world.run("switch", { to = "ringdown", numbers = { A } })
    world.requests = {}
    assert.is_false(world.run("switch", { to = "ringdown", numbers = { A } }).failed)
    assert.same({ "GET " .. A }, world.requests)
    assert.equal("1", rows "select count(*) from number_snapshots")
  end)

  it("goes back to Vapi as it was there", function()
    local _, one = world.fields(A)
    one.voice_method, one.voice_fallback_url = "GET", "https://old.example/net"
    local before = world.fields(A)
    world.run("switch", { to = "ringdown", numbers = { A } })
    local result = world.run("switch", { to = "vapi", numbers = { A } })
    assert.is_false(result.failed)
    assert.same(before, world.fields(A))
    assert.matches("answered by Vapi, without us", world.text())
  end)

  it("does all numbers of an agent, page after page", function()
    local result = world.run("switch", { to = "ringdown", agent = "plumber", wave = 2 })
    assert.same({ verified = 4 }, result.counts)
    assert.matches("wave done: 2 of 4", world.text())
  end)
end)

describe("what is refused before anything is changed", function()
  before_each(function() world.begin { A, B } end)
  teardown(world.finish)

  local function refused(words, payload)
    payload = payload or { to = "ringdown", numbers = { A } }
    local before = world.fields(A)
    local result, why = world.run("switch", payload)
    assert.is_true(why ~= nil or result.failed)
    assert.matches(words, why or world.text())
    assert.same(before, world.fields(A))
    assert.equal("", states())
  end

  it("a number of nobody, or whose agent does not load", function()
    refused("is not among the account's numbers", { to = "ringdown", numbers = { "+14155550199" } })
    world.agents[1].numbers = {}
    world.broken = { { module = "plumber", lines = "agents/plumber.lua:12: 'promt' is unknown\n" } }
    refused("has no agent; ringdown numbers assign gives it one")
    world.sql("insert into phone_numbers (number, agent) values ($1, 'plumber')", { A })
    refused("agent plumber, which does not pass ringdown check: agents/plumber.lua:12: 'promt' is unknown")
    world.sql("update phone_numbers set agent = 'painter'", {})
    refused("is assigned to painter, and no such agent loads here")
  end)

  it("what goes before a voice URL", function()
    local _, one = world.fields(A)
    one.voice_application_sid = "AP00000000000000000000000000000001"
    refused("voice_application_sid AP00000000000000000000000000000001")
    one.voice_application_sid, one.trunk_sid = "", "TK00000000000000000000000000000001"
    refused("SIP trunk TK00000000000000000000000000000001")
  end)

  it("another assistant at Vapi, no such number there, and a Vapi that does not answer", function()
    world.vapi[1].assistantId = "other"
    refused("has assistant other at Vapi, and agent plumber says vapi.assistant = 5f0c")
    world.vapi = { world.vapi[2] }
    refused("is not imported at Vapi")
    world.vapi = "Vapi answered 500: no"
    refused("cannot be compared with Vapi: Vapi answered 500")
  end)

  it("an agent with rules about life goes to Vapi only when it accepts that they do not run there", function()
    world.agents[1].shown = ('{"emergencies":[{"id":"gas","severity":"life"}],"vapi":{"assistant":"%s"}}')
      :format(world.assistant)
    assert.is_false(world.run("switch", { to = "ringdown", numbers = { A } }).failed)
    assert.matches("falls back to Vapi when we do not answer, where the rules", world.text())
    local result = world.run("switch", { to = "vapi", numbers = { A } })
    assert.is_true(result.failed)
    assert.matches("rules about life would not run at Vapi", world.text())
    world.agents[1].shown = world.agents[1].shown:gsub('"vapi":{', '"vapi":{"no_triage":"accepted",')
    assert.is_false(world.run("switch", { to = "vapi", numbers = { A } }).failed)
  end)

  it("an agent of both systems without a plan: nobody wants every caller on OpenAI at once", function()
    local both = ('{"openai":true,"vapi":{"assistant":"%s"}}'):format(world.assistant)
    world.agents[1].shown = both
    refused("would send every caller to OpenAI at once: agent plumber runs on both systems and no rollout")
    world.sql("delete from rollouts", {})
    local function rollout(n, plan)
      world.sql("select rollout_put('plumber', $1::integer, $2::jsonb, 'the spec')", { n, plan })
    end
    rollout(0, '{"state":"draft"}')
    refused("no rollout of it is in force")
    rollout(1, '{"state":"pilot"}')
    assert.is_false(world.run("switch", { to = "ringdown", numbers = { A } }).failed)
    world.sql("delete from rollouts", {})
    assert.is_false(world.run("switch", { to = "ringdown", numbers = { A } }).failed) -- it is here already
    world.agents[1].shown = both:gsub('"openai":true', '%0,"routing":"openai"')
    assert.is_false(world.run("switch", { to = "ringdown", numbers = { B } }).failed)
  end)

  it("an address that Twilio cannot reach", function()
    local ours = { public_url = "http://127.0.0.1:8080", vapi_api = "https://api.vapi.ai",
      twilio_api = "https://api.twilio.com" }
    refused("must begin with https://", { to = "ringdown", numbers = { A }, ours = ours })
    ours.public_url = ""
    refused("public.url %(RINGDOWN_PUBLIC_URL%) is not set", { to = "ringdown", numbers = { A }, ours = ours })
  end)

  it("a database that is away: no change without a snapshot in it", function()
    host.database_down = "connection refused"
    local before = world.fields(A)
    local _, why = world.run("switch", { to = "ringdown", numbers = { A } })
    assert.matches("the database is away", why)
    assert.same(before, world.fields(A))
  end)
end)

-- The process that switches A ends right after its snapshot was taken.
local function die_with_a_snapshot()
  local n = 0
  repeat
    world.begin { A }
    n = n + 1
    assert.is_true(world.run_until(n, true, "switch", { to = "ringdown", numbers = { A } }))
  until states() == A .. " snapshotted"
end

describe("when Twilio does not do as it should", function()
  before_each(function() world.begin { A, B, C } end)
  teardown(world.finish)

  local function switch(more)
    local payload = { to = "ringdown", all = true }
    for key, value in pairs(more or {}) do
      payload[key] = value
    end
    return world.run("switch", payload)
  end

  it("a refused write: that number stays as it was, the others go on, and it is told", function()
    world.faults["POST " .. B] = { "400" }
    local result = switch()
    assert.is_true(result.failed)
    assert.same({ verified = 2, failed = 1 }, result.counts)
    assert.equal(VAPI, world.fields(B).voice_url)
    assert.matches("%+13125550101 +not changed: Twilio answered 400: no; it is as it was", world.text())
    assert.matches("numbers switch %-%-resume %d+ goes on", world.text())
  end)

  it("too many requests, a broken connection and an answer that is lost are got over", function()
    world.faults["POST " .. A] = { "429", "not-sent" }
    world.faults["POST " .. B] = { "lost" }
    world.faults["POST " .. C] = { "500-after" }
    world.faults["GET " .. C] = { "500" }
    assert.same({ verified = 3 }, switch().counts)
    assert.equal(OURS, world.fields(B).voice_url)
    local posts = 0
    for _, request in ipairs(world.requests) do
      posts = posts + (request == "POST " .. B and 1 or 0)
    end
    assert.equal(1, posts) -- reading back said that it had happened
  end)

  it("a yes that was not meant: read back, and as it was", function()
    world.faults["POST " .. A] = { "ignored" }
    local result = switch { all = false, numbers = { A } }
    assert.same({ failed = 1 }, result.counts)
    assert.equal(VAPI, world.fields(A).voice_url)
    assert.matches("Twilio said yes and did not do it", world.text())
  end)

  it("something else than was written is put back", function()
    world.faults["POST " .. A] = { "other" }
    local before = world.fields(A)
    assert.same({ failed = 1 }, switch { all = false, numbers = { A } }.counts)
    assert.same(before, world.fields(A))
  end)

  it("nobody knows: it is told so, and the run says later how it is", function()
    world.faults["POST " .. A] = { "lost" }
    world.faults["GET " .. A] = { nil, "500", "500", "500", "500", "500", "500", "500", "500" }
    world.faults["GET " .. A][1] = "ok"
    local result = switch { all = false, numbers = { A } }
    assert.same({ snapshotted = 1 }, result.counts)
    assert.matches("NOT KNOWN", world.text())
    local _, why = switch { all = false, numbers = { A, B } }
    assert.matches("run %d+ was cut off in the middle of %+13125550100: finish it first", why)
    world.faults = {}
    assert.same({ verified = 1 }, world.run("switch", { resume = result.run }).counts)
    assert.equal(OURS, world.fields(A).voice_url)
  end)

  it("enough failures end it, and the rest is not touched", function()
    world.faults["POST " .. A] = { "400" }
    local result = switch { max_failures = 1 }
    assert.same({ failed = 1, planned = 2 }, result.counts)
    assert.equal(VAPI, world.fields(C).voice_url)
    assert.same({ verified = 3 }, world.run("switch", { resume = result.run }).counts)
  end)

  it("whoever wants it to end is heard after a number, not in the middle of one", function()
    world.stops = 1
    local result = switch()
    world.stops = nil
    assert.equal(1, result.counts.verified)
    assert.equal(2, result.counts.planned)
  end)

  it("a full disk: nothing is changed whose snapshot is not on it", function()
    world.disk_full = true
    local result = switch { all = false, numbers = { A } }
    assert.same({ failed = 1 }, result.counts)
    assert.equal(VAPI, world.fields(A).voice_url)
  end)

  it("somebody else changes it while the run lies still: theirs stays", function()
    die_with_a_snapshot()
    local _, one = world.fields(A)
    one.voice_url = "https://somebody.example/new"
    local result = world.run("switch", { resume = tonumber(rows "select run from bulk_runs") })
    assert.same({ failed = 1 }, result.counts)
    assert.equal("https://somebody.example/new", world.fields(A).voice_url)
    assert.matches("somebody else changed it meanwhile", world.text())
  end)

  it("two runs at once: a number that one of them is changing is not touched by the other", function()
    local n = 0
    repeat
      world.begin { A }
      n = n + 1
      assert.is_true(world.run_until(n, true, "switch", { to = "ringdown", numbers = { A } }))
    until states() == A .. " planned"
    local first = tonumber(rows "select run from bulk_runs")
    n = 0
    repeat
      n = n + 1
      world.run_until(n, true, "switch", { to = "ringdown", numbers = { A } })
    until states():find "snapshotted"
    assert.same({ failed = 1 }, world.run("switch", { resume = first }).counts)
    assert.matches("another run is changing it at this moment", world.text())
    assert.equal(VAPI, world.fields(A).voice_url)
  end)

  it("two processes: the one that was there before ends at its next step", function()
    die_with_a_snapshot()
    local run = tonumber(rows "select run from bulk_runs")
    local old = rows "select held_by from bulk_runs"
    world.sql("select bulk_take($1)", { run })
    assert.is_false(world.sql("select bulk_step($1, $2, $3, 'written', '{}')::text", { run, old, A })[1][1])
  end)
end)

describe("a process that dies", function()
  teardown(world.finish)

  -- After each step of a switch of two numbers (which is before the next one): whatever was reached, each number is as
  -- it was or as wished, and going on makes both as wished, with how they were before still known.
  it("anywhere leaves each number untouched or verified, and going on finishes it", function()
    local n, lives, resumed = 1, false, 0
    while not lives do
      world.begin { A, B }
      local before = { [A] = world.fields(A), [B] = world.fields(B) }
      lives = not world.run_until(n, true, "switch", { to = "ringdown", numbers = { A, B } })
      for _, number in ipairs { A, B } do
        local now = world.fields(number)
        if now.voice_url ~= OURS then
          assert.same(before[number], now)
        else
          assert.same(before[number], require("ringdown.numbers.snapshot").kept(number).fields)
          assert.same(before[number], require("ringdown.numbers.snapshot").stored(number, true).fields)
        end
      end
      local run = tonumber(rows "select run from bulk_runs")
      if run then
        local result, why = world.run("switch", { resume = run })
        if not result then -- not even written down
          assert.matches("nothing was changed: begin anew", why)
          assert.same(before[A], world.fields(A))
          result = world.run("switch", { to = "ringdown", numbers = { A, B } })
          run = result.run
        end
        resumed = resumed + 1
        assert.same({ verified = 2 }, result.counts)
        assert.equal(OURS, world.fields(A).voice_url)
        assert.same(before[B], require("ringdown.numbers.snapshot").kept(B).fields)
        local restored = world.run("restore", { run = run })
        assert.is_false(restored.failed)
        assert.same(before[A], world.fields(A))
        assert.same(before[B], world.fields(B))
      end
      n = n + 1
    end
    assert.is_true(resumed > 15, ("only %d times in the middle"):format(resumed))
  end)
end)

describe("what Twilio says", function()
  it("is compared field by field; a method that it does not tell is POST", function()
    assert.same({}, twilio.differences({ voice_method = "POST" }, { voice_method = "" }))
    assert.same({ { name = "voice_url", wanted = "b", found = "a" } },
      twilio.differences({ voice_url = "a", sms_url = "x" }, { voice_url = "b" }))
  end)

  it("null and nothing are the same", function()
    assert.equal("", twilio.fields({ trunk_sid = nil }).trunk_sid)
  end)
end)
