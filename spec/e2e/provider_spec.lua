-- SPDX-License-Identifier: Apache-2.0
-- takes: 37 s
-- The model is refused, slow, silent or gone, before a call and during it: the caller always hears a
-- voice soon, and the log says what to do.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

-- What a caller may have to wait for a voice; and two seconds more for whoever measures it.
local PROMISED_MS = 1000 * proc.promised(5)

-- Faults before the first word, the scenario that meets them, and what the log must advise.
local refusals = {
  { "401", "no-model-night", "OPENAI_API_KEY" },
  { "403", "no-model", "access to the model" },
  { "404", "no-model", "openai.model" },
  { "429", "no-model", "rate limit" },
  { "500", "no-model-day", "status.openai.com" },
  { "503", "no-model", "status.openai.com" },
  { "3000", "no-model", "OPENAI_API_KEY" },
  { "quota", "no-model", "Billing" },
  { "stuck", "no-model", "status.openai.com" },
  { "silent", "no-model", "status.openai.com" },
}

-- Oddities that a conversation must survive from its first message to its last.
local oddities = {
  { "null-fields", "small-talk" },
  { "unknown-events", "small-talk" },
  { "no-metadata", "small-talk" }, -- a server that does not say which prompt it answers
  { "late-deltas", "late-words" },
}

local in_call = { "model-fails", "model-drops", "model-goes-silent", "model-is-busy",
  "model-is-late", "small-talk" }

local function by_scenario(reports)
  local found = {}
  for _, report in ipairs(reports) do
    found[report.scenario] = report
  end
  return found
end

-- The first event of a kind, from a time on.
local function event_of(events, call, kind, want)
  for _, event in ipairs(events) do
    if event.call == call and event.ev == kind and (not want or want(event)) then
      return event
    end
  end
end

local function says(event)
  return event.verb == "Say"
end

-- A line of this call that advises something and is not the last resort itself.
local function advice(n, call)
  for _, line in ipairs(n:log()) do
    if line.call == call and line.fix and line.ev ~= "call.fallback" then
      return line
    end
  end
end

describe("when the model is not there", function()
  local sim, slow_sim, all, main
  local results = {}

  setup(function()
    sim, slow_sim = sims.start(), sims.start()
    all = {}
    local function launch(fault)
      local n = node.launch { agents = "spec/e2e/agents", sim = sim, fault = fault }
      table.insert(all, n)
      return n
    end
    main = launch()
    results.slow = { node = node.launch { agents = "spec/e2e/agents", sim = slow_sim, fault = "slow-1000ms" } }
    table.insert(all, results.slow.node)
    for _, list in ipairs { refusals, oddities } do
      for _, fault in ipairs(list) do
        results[fault[1]] = { node = launch(fault[1]) }
      end
    end
    for _, n in ipairs(all) do
      n:wait_ready()
    end
    local main_call = main:place { scenarios = in_call }
    results.slow.placed = results.slow.node:place { scenarios = { "speaks-at-once" } }
    for _, list in ipairs { refusals, oddities } do
      for _, fault in ipairs(list) do
        local r = results[fault[1]]
        r.placed = r.node:place { scenarios = { fault[2] } }
      end
    end
    for _, r in pairs(results) do
      r.ok, r.reports, r.events = r.placed:wait()
      r.report = r.reports[1] or { why = r.reports.text }
    end
    local ok, reports, events = main_call:wait()
    results.main = { node = main, ok = ok, reports = by_scenario(reports), events = events }
  end)

  teardown(function()
    sim:keep_frames()
    local codes = {}
    for _, n in ipairs(all) do
      n:ask_to_stop()
    end
    for _, n in ipairs(all) do
      table.insert(codes, n:stop())
    end
    table.insert(codes, sim:stop())
    table.insert(codes, slow_sim:stop())
    for _, code in ipairs(codes) do
      assert.equal(0, code)
    end
  end)

  for _, fault in ipairs(refusals) do
    it("the caller hears a voice soon, and the log says what to do: " .. fault[1], function()
      local r = results[fault[1]]
      assert.equal("", r.report.why)
      assert.is_true(r.ok)
      assert.is_true(r.report.first_audio_ms <= PROMISED_MS, r.report.first_audio_ms .. " ms")
      local line = r.node:log "call.provider_error"[1]
      assert.equal(r.report.call, line.call)
      assert.matches(fault[3], line.fix, 1, true)
    end)
  end

  it("a key is never in the log", function()
    for _, n in ipairs(all) do
      assert.is_nil(n.child:text():find("sk-double", 1, true))
    end
  end)

  for _, fault in ipairs(oddities) do
    it("a conversation survives " .. fault[1], function()
      local r = results[fault[1]]
      assert.equal("", r.report.why)
      assert.is_true(r.ok)
      assert.same({}, r.node:complaints())
    end)
  end

  it("words that come after the caller cut in are dropped", function()
    local r = results["late-deltas"]
    local ended = r.node:log "call.ended"[1]
    assert.equal("1", ended.barge_ins)
    assert.is_true(r.node:calls().ended[1].totals.late_deltas > 0)
  end)

  for name, since in pairs { ["model-fails"] = "caller.said", ["model-drops"] = "caller.said" } do
    it("a model that goes in the middle is replaced by a voice: " .. name, function()
      local main_result = results.main
      local report = main_result.reports[name]
      assert.equal("", report.why)
      local voice = event_of(main_result.events, report.call, "twiml.verb", says)
      local before
      for _, event in ipairs(main_result.events) do
        if event.call == report.call and event.ev == since and event.t_ms <= voice.t_ms then
          before = event
        end
      end
      assert.is_true(voice.t_ms - before.t_ms <= PROMISED_MS, voice.t_ms - before.t_ms .. " ms")
      local line = advice(main, report.call)
      assert.is_truthy(line and line.fix ~= "")
    end)
  end

  it("a model that stays silent is asked once more, then the caller gets a person", function()
    local report = results.main.reports["model-goes-silent"]
    assert.equal("", report.why)
    local lines = {}
    for _, line in ipairs(main:log "call.no_answer") do
      if line.call == report.call then
        table.insert(lines, line.level)
      end
    end
    assert.same({ "warn", "error" }, lines)
  end)

  it("an answer that does not come is asked for again; the caller is told to wait", function()
    local report = results.main.reports["model-is-late"]
    assert.equal("", report.why)
    assert.equal("warn", main:wait_log("call.no_answer", function(line)
      return line.call == report.call
    end).level)
  end)

  it("an answer that fails for a rate limit is asked for again", function()
    local report = results.main.reports["model-is-busy"]
    assert.equal("", report.why)
    assert.matches("rate limit", advice(main, report.call).fix)
  end)

  it("the conversation beside all these goes on", function()
    local report = results.main.reports["small-talk"]
    assert.equal("", report.why)
    assert.equal("0", (main:wait_log("call.ended", function(line)
      return line.call == report.call
    end)).gap_ms)
  end)

  it("no word is lost that the caller says while the model is still being dialled", function()
    local r = results.slow
    assert.equal("", r.report.why)
    assert.is_true(r.ok)
    assert.is_true(r.report.first_audio_ms > 900, "the model was not slow at all")
    local ended = r.node:wait_log "call.ended"
    assert.equal("0", ended.gap_ms)
    assert.is_true(r.report.frames_sent - tonumber(ended.frames_in) <= proc.promised(2))
    local bytes = 0
    for _, frame in ipairs(slow_sim:frames()) do
      if frame.type == "input_audio_buffer.append" then
        bytes = bytes + #frame.audio // 4 * 3 - #frame.audio:match "=*$"
      end
    end
    -- What the caller said last may still have been on its way when the call ended.
    assert.is_true(bytes >= (ended.frames_in - 10) * 160, bytes // 160 .. " of " .. ended.frames_in .. " frames")
    assert.equal("I am calling about my green suitcase.", slow_sim:facts "heard"[1].text)
  end)

  it("nothing we sent was wrong", function()
    assert.same({}, sim:facts "violation")
    assert.same({}, slow_sim:facts "violation")
  end)
end)
