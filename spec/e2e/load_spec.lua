-- SPDX-License-Identifier: Apache-2.0
-- takes: 60 s
-- `ringdown load`: what it counts, and that it says it in forms that others can read. Times are not looked at: the
-- machine does other things.
local json = require "cjson"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local BIN = os.getenv "RINGDOWN_BIN" or "build/ringdown"

describe("a load run", function()
  local folder

  setup(function()
    folder = proc.folder "load"
    pg.start()
  end)

  teardown(function()
    proc.run("rm -rf " .. folder)
  end)

  -- Whatever the machine does: we may lag, and scripts may take their time.
  local function load(options)
    local text, code = proc.run(("DATABASE_URL='%s' RINGDOWN_SCRIPT_DEADLINE_MS=10000 %s load --lag 100000 --rate 100 "
      .. "%s --json 2>%s/stderr"):format(pg.database(), BIN, options, folder))
    assert(text ~= "", proc.read(folder .. "/stderr"))
    return json.decode(text), code
  end

  local function nothing_lost(report, calls)
    assert.same({ calls, calls, 0, 0 }, { report.attempted, report.established, report.failed, report.dropped })
    for _, way in ipairs { report.up_frames, report.down_frames } do
      assert.is_true(way.sent > 0)
      assert.same({ way.sent, 0, 0, 0 }, { way.arrived, way.lost, way.duplicated, way.reordered })
    end
  end

  it("proves itself against a relay, and draws what it found", function()
    local report, code = load("--calls 20 --seconds 1 --self-test --html " .. folder .. "/page.html")
    nothing_lost(report, 20)
    assert.is_true(report.harness_cpu_ms_per_call_second > 0 and report.cpu_ms_per_call_second > 0)
    assert.equal(0, code)
    local page = proc.read(folder .. "/page.html")
    local _, plots = page:gsub("<svg ", "")
    assert.equal(4, plots)
    for _, outside in ipairs { "<script", "http:", "https:", "nan", "inf" } do
      assert.is_nil(page:find(outside, 1, true), outside)
    end
  end)

  it("compares a node with a relay", function()
    local report, code = load "--calls 20 --seconds 1 --mix pass --pairs 1"
    assert.equal(0, code)
    assert.is_true(report.measured)
    assert.equal(1, report.pairs)
    assert.same({ 0, 0 }, { report.lost_frames.node, report.lost_frames.relay })
    assert.is_true(report.cpu_ms_per_call_second.ratio > 0)
    assert.is_true(report.kb_per_call.node > 0)
  end)

  it("is apologised to when the node is full, and those who talk notice nothing", function()
    local report, code = load "--calls 10 --seconds 1 --over 5"
    nothing_lost(report, 10)
    assert.same({ 5, 5, 0 }, { report.beyond, report.beyond_apologised, report.beyond_admitted })
    assert.equal(0, code)
  end)

  it("plays calls of all kinds, behind TLS, that come and go and lose their ends", function()
    local report, code = load("--calls 8 --seconds 3 --duration 2 --drops 100 --tls --tls-carrier "
      .. "--mix talk,listen,barge,tool --agents spec/fences/agents")
    assert.is_true(report.attempted > 8)
    assert.is_true(report.vanished > 0 and report.models_cut > 0)
    assert.same({ 0, 0 }, { report.failed, report.dropped })
    assert.same({ 0, 0 }, { report.up_frames.lost, report.down_frames.lost })
    assert.is_true(report.first_audio.n > 0)
    assert.equal(0, code)
  end)

  it("says what it does not understand", function()
    for _, wrong in ipairs { "--mix sing", "--pairs 1 --curve", "--calls 0", "--lag none" } do
      local _, code = proc.run(("%s load %s >/dev/null 2>&1"):format(BIN, wrong))
      assert.equal(2, code, wrong)
    end
    local _, code = proc.run(BIN .. " load --cores 64 >/dev/null 2>&1")
    assert.equal(3, code)
  end)
end)
