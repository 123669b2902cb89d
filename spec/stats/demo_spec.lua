-- SPDX-License-Identifier: Apache-2.0
-- A month that never was: only where it may be, the same each time, and with everything in it that is shown.
local demo = require "ringdown.demo.command"
local events = require "spec.support.events"
local json = require "ringdown.json"
local month = require "ringdown.demo.month"
local pg = require "spec.support.postgres"
local world = require "spec.api.world"

local function run(payload)
  return demo.run(payload, function() end)
end

local function made(seed)
  local state, texts = month.begin { seed = seed, calls = 90, now = 1795795200 }, {}
  for ago = 29, 0, -1 do
    for _, call in ipairs(month.day(state, ago)) do
      for _, event in ipairs(call.events) do
        texts[#texts + 1] = json.encode { event.stream, event.at_us, event.type, event.body.text or "" }
      end
    end
  end
  return table.concat(texts, "\n")
end

describe("a made-up month", function()
  setup(function()
    world.begin()
  end)
  teardown(world.finish)

  it("is the same for the same seed and day, and another for another", function()
    assert.equal(made(1), made(1))
    assert.not_equal(made(1), made(2))
  end)

  it("goes only where a demo was meant to be, and once", function()
    assert.error_matches(function() run { verb = "seed" } end, "this is no demo's database")
    assert.is_true(run({ verb = "mark" }).changed)
    assert.is_false(run({ verb = "mark" }).changed)
    events.ingest(world.url, events.conversation(1).list)
    assert.error_matches(function() run { verb = "seed" } end, "calls came to this database since it was marked")
    pg.run(world.url, "delete from calls; delete from call_events; delete from statistics_dirty")
    run { verb = "seed", calls = 240, seed = 3 }
    require("ringdown.stats.roll").run()
    assert.error_matches(function() run { verb = "seed" } end, "it was filled .* already")
    assert.is_false((pg.try(world.url, "delete from demo_database")))
    local used = pg.database()
    events.ingest(used, events.conversation(1).list)
    assert.is_false((pg.try(used, "select demo_mark('ann')")))
  end)

  it("has calls on both systems, in which all happened that is shown", function()
    local n = world.rows [[select count(*) as calls, count(*) filter (where system = 'openai') as openai,
      count(*) filter (where system = 'vapi') as vapi, count(*) filter (where missed is not null) as missed,
      count(*) filter (where call !~ '^CAde30') as others, count(*) filter (where ended_at is null) as open,
      (select count(*) from turns) as turns, (select count(*) from tool_calls) as tools,
      (select count(*) from texts) as texts, (select count(*) from appointments) as visits,
      (select count(*) from call_costs where micro_usd is not null) as known,
      (select count(*) from alert_states) as alerts, (select count(*) from rollouts) as rollouts,
      (select count(*) from customers) as customers from calls]][1]
    for _, what in ipairs { "openai", "vapi", "missed", "turns", "tools", "texts", "visits", "alerts", "rollouts",
      "customers" } do
      assert.is_true(n[what] > 0, what)
    end
    assert.same({ 0, 0 }, { n.others, n.open })
    assert.is_true(n.calls > 180 and n.calls < 300 and n.known > n.calls * 0.95)
  end)

  it("has what a call's waterfall is drawn of: tools within the wait for the words after them", function()
    local t = world.rows [[select w from tool_calls o, jsonb_array_elements(call_waits(o.call)) w
      where o.name = 'check_availability' and w -> 'tools' -> 0 ->> 'id' = o.id limit 1]][1]
    assert.is_true(t.w.first_audio_ms > t.w.first_text_ms and t.w.first_text_ms > t.w.tools[1].ms)
    assert.is_true(t.w.tools[1].after_ms >= 0 and t.w.tools[1].after_ms < t.w.first_audio_ms)
  end)

  it("is one day's sentence with what Vapi would cost, and a rollout that ends with a plan", function()
    local _, t = world.ask("GET", "/today?day=yesterday&agent=northside-plumbing")
    assert.is_true(t.calls > 0 and t.on_vapi.micro_usd ~= nil, t.sentence)
    assert.matches("on Vapi it would be %$%d", t.sentence)
    local _, saved = world.ask("GET", "/costs/savings?since=30d")
    assert.is_true(saved.so_far.micro_usd > 0 and saved.so_far.low_micro_usd <= saved.so_far.micro_usd)
    assert.is_true(saved.at_all.micro_usd > saved.so_far.micro_usd and #saved.agents == 2)
    assert.equal("draft", world.rows("select state from rollout_now")[1].state)
  end)
end)
