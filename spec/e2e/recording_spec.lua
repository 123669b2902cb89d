-- SPDX-License-Identifier: Apache-2.0
-- takes: 43 s
-- A call that is recorded sounds afterwards as it did on the telephone: the simulated network's own
-- recording is the judge.
local json = require "ringdown.json"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"
local wav = require "spec.e2e.support.wav"

-- The agent of the examples, which does not record, made to.
local function recording_agent()
  local text, n = proc.read("agents/northside-plumbing.lua"):gsub("\n  greeting = ", "\n  record = true,%0", 1)
  assert(n == 1)
  local files = { ["northside-plumbing.lua"] = text,
    ["northside-plumbing.md"] = proc.read "agents/northside-plumbing.md" }
  for path in proc.run("find agents/lib -name '*.lua'"):gmatch "[^\n]+" do
    files[path:match "^agents/(.*)$"] = proc.read(path)
  end
  return files
end

describe("a recorded call", function()
  local sim, n, silent, watch, report, unrecorded, fact, kept, heard, files

  setup(function()
    sim = sims.start()
    n = node.start { sim = sim, agents = recording_agent() }
    silent = node.start { sim = sim }
    watch = n:watch()
    local other = silent:place { scenarios = { "question-and-goodbye" } }
    local _, reports = n:call { scenarios = { "cut-in" }, wav = n.folder .. "/wav" }
    report = reports[1]
    unrecorded = select(2, other:wait())[1]
    fact = proc.wait_for(function()
      for _, event in ipairs(watch:events()) do
        if event.type == "recording" then
          return event
        end
      end
    end, 20)
    assert.is_table(fact)
    files = proc.run("find " .. n.folder .. "/data/recordings -printf '%y %m %P\\n' | sort")
    kept = wav.read(n.folder .. "/data/" .. fact.path)
    heard = wav.read(n.folder .. "/wav/cut-in.wav")
  end)

  teardown(function()
    watch:stop()
    assert.equal(0, n:stop())
    assert.equal(0, silent:stop())
    assert.equal(0, sim:stop())
  end)

  -- In frames: where in `heard` the recording begins, by the caller's first words.
  local function began()
    return wav.loud(heard.left, 1) - wav.loud(kept.left, 1)
  end

  -- Is that side loud at i, give or take a frame?
  local function near(side, i)
    return math.max(side[i - 1], side[i], side[i + 1]) > 200
  end

  it("goes as the scenario says", function()
    assert.equal("", report.why)
  end)

  it("is on record with its file", function()
    assert.equal("kept", fact.state)
    assert.is_nil(fact.why)
    assert.equal(report.call, fact.call)
    assert.equal("northside-plumbing", fact.agent)
    assert.matches("^recordings/%d%d%d%d/%d%d/%d%d/" .. report.call .. "%-%d+%.wav$", fact.path)
    assert.equal(kept.ms, fact.duration_ms)
    assert.equal(58 + 16 * kept.ms, fact.bytes)
    assert.equal(0, fact.lost_ms)
  end)

  it("leaves one file, for nobody else to read", function()
    assert.matches("f 600 .*%.wav\n", files)
    assert.is_nil(files:find("%.part"))
    assert.is_nil(files:find("d 7[^0]"))
    assert.equal(1, select(2, files:gsub("f %d+ ", "")))
  end)

  it("is made only where an agent asks for it", function()
    assert.equal("agent", unrecorded.ended_by, unrecorded.why)
    assert.is_false(proc.exists(silent.folder .. "/data/recordings"))
  end)

  it("holds what the caller said, when it was said", function()
    assert.equal(7, kept.format)
    local offset, same, loud = began(), 0, 0
    for i, level in ipairs(kept.left) do
      local there = heard.left[i + offset]
      if there and there > 200 then
        loud = loud + 1
        same = same + (math.abs(there - level) < 0.2 * there and 1 or 0)
      end
    end
    assert.is_true(loud > 100)
    assert.is_true(same > 0.95 * loud, same .. " of " .. loud .. " frames")
  end)

  it("begins when the notice was heard, in the middle of the agent's greeting", function()
    assert.is_true(wav.loud(kept.right, 1) < wav.loud(kept.left, 1))
    assert.is_true(began() > wav.loud(heard.right, 1) + 100)
  end)

  it("ends the agent's words where the caller cut in", function()
    local offset, differ = began(), 0
    local cut_in = wav.loud(kept.left, wav.quiet(kept.left, wav.loud(kept.left, 1)))
    assert.is_true(wav.loud(kept.right, cut_in - 100) < cut_in - 25)
    for i = cut_in - 100, cut_in + 75 do
      local only_ours = kept.right[i] > 400 and not near(heard.right, i + offset)
      local only_theirs = heard.right[i + offset] > 400 and not near(kept.right, i)
      differ = differ + ((only_ours or only_theirs) and 1 or 0)
    end
    assert.is_true(differ * 20 <= 150, differ * 20 .. " ms")
    assert.is_true(wav.loud(kept.right, cut_in + 25) > cut_in + 75)
  end)

  it("is played to who may hear it, whole or in pieces, and that is in the audit", function()
    n:wait_shipped()
    local path = ("/api/v1/calls/%s/recording/audio"):format(fact.call)
    local function curl(more, address)
      return proc.run(("curl -s %s --unix-socket %s/data/control.sock 'http://localhost%s'"):format(more, n.folder,
        address or path))
    end
    local whole = proc.read(n.folder .. "/data/" .. fact.path)
    local got = curl ""
    assert(got == whole, #got .. " bytes: " .. got:sub(1, 300))
    assert.is_true(curl "-H 'Range: bytes=1000-1999'" == whole:sub(1001, 2000))
    local head = curl "-I"
    assert.matches("content%-length: " .. #whole .. "\r\n", head)
    assert.matches("cache%-control: private, no%-store\r\n", head)
    assert.matches('filename="' .. fact.call .. '%-1%.wav"', head)
    local said = n:ringdown("tokens", "create", "ears", "--role", "operator")
    local made = n:admin("/api/v1/tickets", { method = "POST", body = json.encode { purpose = "recording",
      call = fact.call }, headers = { Authorization = "Bearer " .. said:match "rd_%x+",
      ["Content-Type"] = "application/json" } })
    local ticket = json.decode(made.body).ticket
    for _ = 1, 2 do -- a player asks for pieces
      assert.equal(whole, n:admin(path .. "?ticket=" .. ticket, { method = "GET" }).body)
    end
    assert.equal("2", pg.run(n.database, "select count(*) from audit where what = 'recording.hear'"):match "%d+")
  end)

  it("is as long as the call was after the notice", function()
    local rest = heard.ms - began() * 20
    assert.is_true(math.abs(rest - kept.ms) <= 500, rest .. " and " .. kept.ms .. " ms")
  end)
end)
