-- SPDX-License-Identifier: Apache-2.0
-- takes: 42 s
-- A new binary takes over while people call: nobody is refused, nobody is cut off, whatever their call
-- was doing at that moment. And what a service manager sees of it.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"

local CALLS = 40
local BUSY = "+13125550177"

describe("a deploy", function()
  local n, reports, came_back, listed

  setup(function()
    n = node.start { agents = "spec/e2e/agents", env = { RINGDOWN_MAX_CALLS_PER_CALLER = "0" } }
    local away = n:place { scenarios = { "is-not-answered" },
      people = { [BUSY] = { answers = "busy", after = "4s" } } }
    local sid = assert(away:wait_event "agent.silent").call
    n:ringdown("calls", "transfer", sid, "--to", BUSY)
    assert(away:wait_event "dial.begun")
    local many = n:place { scenarios = { "keypad" }, calls = CALLS }
    assert(many:wait_event "agent.heard")
    n:take_over()
    listed = n:ringdown "status"
    _, reports = many:wait()
    _, came_back = away:wait()
  end)

  teardown(function()
    assert.equal(0, n:stop())
  end)

  it("leaves the old process its calls, and shows them", function()
    assert.matches("draining  pid %d+ handed over and keeps %d+ calls", listed)
  end)

  it("lets every caller be answered and come to a good end", function()
    assert.equal(CALLS, #reports)
    for _, report in ipairs(reports) do
      assert.equal("", report.why)
    end
  end)

  it("brings back a caller who was ringing at somebody else's", function()
    assert.equal("", came_back[1].why)
  end)

  it("is over when the old one's last call is", function()
    local old = n.before
    assert.equal(0, old:wait(30))
    assert.matches("calls_cut=0", old:text(), 1, true)
    assert.is_nil(old:text():find("call.fallback", 1, true), old:text())
    assert.is_nil(old:text():find("zombie", 1, true))
    assert.same({}, n:log "call.fallback")
  end)

  it("is one command, which waits until the new one answers", function()
    local deploy = proc.start { name = "deploy", folder = n.folder, args = { proc.binary(), "deploy" }, env = n.env }
    assert.equal(0, deploy:wait(60), deploy:text())
    local pid = deploy:text():match "Process (%d+) answers new calls now"
    assert.equal(tonumber(pid), n:status().pid)
    assert.equal(0, n.child:wait(30))
    proc.run("kill " .. pid)
    assert.is_truthy(proc.wait_for(function()
      return not proc.exists("/proc/" .. pid)
    end, 30))
  end)
end)
