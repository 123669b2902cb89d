-- SPDX-License-Identifier: Apache-2.0
-- takes: 20 s
-- A model that hears and speaks 16-bit PCM at 24 kHz: spoken calls with it are as those in the telephone's
-- own format. The simulated model recognises what it hears with a codec of its own. Three short calls; with
-- scripts/test --full (RINGDOWN_PROMISES) longer ones.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

local calls = os.getenv "RINGDOWN_PROMISES"
  and { talk = { "cut-in", "question-and-goodbye" }, lost = "says-much", fault = "drop-first-7000ms",
    roles = { "agent", "caller", "agent", "caller", "agent" } }
  or { talk = { "cuts-in-at-night", "plays-a-recording" }, lost = "asks-for-two-beds", fault = "drop-first-5000ms",
    roles = { "agent", "caller", "agent" } }

-- An agent of others, whose sessions are in PCM.
local function in_pcm(path)
  local text = proc.read(path):gsub("  openai = [^\n]+\n", "")
  local made, n = text:gsub("\n  greeting = ", '\n  openai = { voice = "marin", audio = "pcm" },%0', 1)
  assert(n == 1, path)
  return made
end

local function folder()
  local files = { ["northside-plumbing.lua"] = in_pcm "agents/northside-plumbing.lua",
    ["northside-plumbing.md"] = proc.read "agents/northside-plumbing.md",
    ["night-desk.lua"] = in_pcm "spec/e2e/agents/night-desk.lua" }
  for path in proc.run("find agents/lib -name '*.lua'"):gmatch "[^\n]+" do
    files[path:match "^agents/(.*)$"] = proc.read(path)
  end
  return files
end

describe("a model that speaks PCM", function()
  local sim, n, losing, resumed
  local talk, lost = {}, {}

  setup(function()
    sim = sims.start()
    n = node.launch { agents = folder(), sim = sim, env = { DISPATCH_KEY = "demo" } }
    losing = node.launch { agents = folder(), sim = sim, fault = calls.fault, env = { DISPATCH_KEY = "demo" } }
    n:wait_ready()
    losing:wait_ready()
    resumed = losing:watch()
    local one = n:place { scenarios = calls.talk }
    local other = losing:place { scenarios = { calls.lost } }
    talk.ok, talk.reports, talk.events = one:wait()
    lost.ok, lost.reports, lost.events = other:wait()
  end)

  teardown(function()
    sim:keep_frames()
    resumed:stop()
    losing:ask_to_stop()
    assert.equal(0, n:stop())
    assert.equal(0, losing:stop())
    assert.equal(0, sim:stop())
  end)

  it("is asked for PCM in both directions, and gets it", function()
    local updates = 0
    for _, frame in ipairs(sim:frames()) do
      local event = frame.event or frame
      if event.type == "session.update" then
        updates = updates + 1
        for _, side in ipairs { "input", "output" } do
          assert.same({ type = "audio/pcm", rate = 24000 }, event.session.audio[side].format)
        end
      end
    end
    assert.is_true(updates >= 4, updates .. " sessions") -- three calls, one of them in two
    assert.same({}, sim:facts "violation")
    assert.same({}, sim:facts "noise")
  end)

  it("understands the caller, and is heard", function()
    for _, report in ipairs(talk.reports) do
      assert.equal("", report.why, report.scenario)
      assert.equal(0, report.violations, report.scenario)
    end
    assert.equal(2, #talk.reports)
    assert.is_true(talk.ok)
  end)

  it("is told of no more than the caller heard before they cut in", function()
    local heard = {}
    for _, event in ipairs(talk.events) do
      if event.ev == "clear" and event.barge_in then
        heard.call = event.call
      elseif event.ev == "agent.silent" and event.call == heard.call and not heard.ms then
        heard.ms = event.heard_ms
      end
    end
    local cuts = sim:facts "truncate"
    assert.equal(1, #cuts)
    assert.is_true(cuts[1].audio_end_ms > 0)
    assert.is_true(cuts[1].audio_end_ms <= cuts[1].generated_ms)
    assert.is_true(cuts[1].audio_end_ms <= heard.ms, cuts[1].audio_end_ms .. " of " .. heard.ms .. " ms heard")
    assert.is_true(cuts[1].audio_end_ms >= heard.ms - 400, cuts[1].audio_end_ms .. " of " .. heard.ms .. " ms heard")
  end)

  it("is told again what its first session heard, in PCM", function()
    assert.equal("", lost.reports[1] and lost.reports[1].why or lost.reports.text)
    local roles = {}
    for _, turn in ipairs(resumed:turns(lost.reports[1].call)) do
      table.insert(roles, turn.role)
    end
    assert.same(calls.roles, roles)
  end)
end)
