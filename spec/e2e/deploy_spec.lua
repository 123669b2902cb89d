-- SPDX-License-Identifier: Apache-2.0
-- takes: 75 s
-- A new binary takes over while people call: nobody is refused, nobody is cut off, whatever their call
-- was doing at that moment. And what a service manager sees of it.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
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
    reports = select(2, many:wait())
    came_back = select(2, away:wait())
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

describe("a deploy that does not wait long", function()
  it("hands calls on to the new process, where they go on", function()
    local n = node.start { agents = "spec/e2e/agents", env = { RINGDOWN_DRAIN_SECONDS = "2" } }
    local placed = n:place { scenarios = { "outlives-its-node" } }
    assert.is_truthy(placed:wait_event "agent.silent")
    n:take_over()
    local _, reports = placed:wait()
    assert.equal("", reports[1].why)
    assert.is_truthy(n.before:text():find("reason=node_drained", 1, true))
    assert.equal(0, n.before:wait(30))
    assert.same({}, n:log "call.fallback")
    assert.equal(0, n:stop())
  end)
end)

-- A node that a service manager starts, with what the manager was told so far.
local function managed(env)
  local n = node.launch { agents = "spec/e2e/agents", env = env, child = function(n)
    return { "perl", "spec/e2e/support/manager.pl", tostring(n.port), n.folder .. "/notify", "30000000", proc.binary(),
      "serve" }
  end }
  return n:wait_ready()
end

local function told(n, line)
  return proc.wait_for(function()
    return ("\n" .. n.child:text()):find("\nnotify: " .. line .. "\n", 1, true) ~= nil
  end, 20)
end

describe("a service manager", function()
  local n

  setup(function()
    n = managed { RINGDOWN_DRAIN_SECONDS = "1" }
  end)

  teardown(function()
    n:stop()
  end)

  it("gives the listening socket, and hears when it is answered on, and that all threads live", function()
    assert.is_truthy(told(n, "READY=1"))
    assert.is_truthy(told(n, ("MAINPID=%d"):format(n:status().pid)))
    assert.is_truthy(told(n, "WATCHDOG=1"))
    assert.equal(200, n:get("/livez").status)
  end)

  it("hears that it stops; who is still there when the time is over is not cut but handed on", function()
    local placed = n:place { scenarios = { "nobody-there" }, to = "+13125550201" }
    assert.is_truthy(placed:wait_event "agent.heard")
    n:signal "TERM"
    assert.is_truthy(told(n, "STOPPING=1"))
    assert.is_truthy(n:wait_log("call.ended", function(line)
      return line.reason == "node_drained"
    end))
    assert.equal("1", n:wait_log("serve.drain_over").calls)
    assert.equal(0, n.child:wait(30))
    assert.equal("0", n:log "serve.ended"[1].calls_cut)
    placed.child:stop()
  end)

  it("accepts the units in examples/systemd", function()
    if proc.run "command -v systemd-analyze" == "" then
      pending "systemd-analyze is not installed"
    end
    local folder = proc.folder "units"
    for _, name in ipairs { "ringdown.service", "ringdown.socket" } do
      local unit = proc.read("examples/systemd/" .. name):gsub("/opt/ringdown/current/bin/ringdown", "/bin/true")
      proc.write(folder .. "/" .. name, unit)
    end
    local said, code = proc.run(("systemd-analyze verify --man=no %s/ringdown.service %s/ringdown.socket 2>&1")
      :format(folder, folder))
    proc.remove(folder)
    assert.equal("", said)
    assert.equal(0, code or 0)
  end)
end)

describe("a binary that is taken back", function()
  it("starts on the schema of a newer release that accepts it, answers and ships", function()
    local url = pg.database()
    local first = node.start { agents = "spec/e2e/agents", database = url }
    assert.equal(0, first:stop())
    pg.run(url, "alter table calls add column newer text not null default 'of a later release'")
    pg.run(url, [[insert into schema_migrations (version, name, checksum, oldest_binary)
      select max(version) + 1, 'newer', repeat('0', 64), '0.1.0' from schema_migrations]])
    local n = node.start { agents = "spec/e2e/agents", database = url }
    local ok, reports = n:call { scenarios = { "keypad" } }
    assert.is_true(ok, reports[1].why)
    assert.is_truthy(n:wait_shipped())
    assert.same({ { state = "ended" } }, pg.query(url, "select state from calls where call = "
      .. pg.literal(reports[1].call)))
    assert.equal(0, n:stop())
  end)
end)
