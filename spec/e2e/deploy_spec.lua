-- SPDX-License-Identifier: Apache-2.0
-- takes: 40 s
-- A new binary takes over while people call: nobody is refused, nobody is cut off, whatever their call
-- was doing at that moment. And what a service manager sees of it.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

local CALLS = proc.promised(1) == 1 and 40 or 16 -- each has a script of its own, and 2.5 s until it must answer
local BUSY = "+13125550177"

-- A node that a service manager starts, with what the manager was told so far.
local function managed(sim, env)
  return node.launch { agents = "spec/e2e/agents", sim = sim, env = env, child = function(n)
    return { "perl", "spec/e2e/support/manager.pl", tostring(n.port), n.folder .. "/notify", "30000000", proc.binary(),
      "serve" }
  end }
end

local function told(n, line)
  return proc.wait_for(function()
    return ("\n" .. n.child:text()):find("\nnotify: " .. line .. "\n", 1, true) ~= nil
  end, 20)
end

-- Deploys beside each other, because most of one is waiting for people to finish what they say.
local sim, n, short, older, supervised

local function start_nodes()
  sim = sims.start()
  n = node.launch { agents = "spec/e2e/agents", env = { RINGDOWN_MAX_CALLS_PER_CALLER = "0" } } -- a model of its own
  short = node.launch { agents = "spec/e2e/agents", sim = sim, env = { RINGDOWN_DRAIN_SECONDS = "1" } }
  older = node.launch { agents = "spec/e2e/agents", sim = sim }
  supervised = managed(sim, { RINGDOWN_DRAIN_SECONDS = "1" })
  for _, each in ipairs { n, short, older, supervised } do
    each:wait_ready()
  end
end

-- The schema of a later release, and the binary from before on it: with its first caller.
local function take_back()
  local url = older.database
  assert.equal(0, older:stop())
  pg.run(url, "alter table calls add column newer text not null default 'of a later release'")
  pg.run(url, [[insert into schema_migrations (version, name, checksum, oldest_binary)
    select max(version) + 1, 'newer', repeat('0', 64), '0.1.0' from schema_migrations]])
  older = node.start { agents = "spec/e2e/agents", sim = sim, database = url }
  return older:place { scenarios = { "keypad" } }
end

describe("a deploy", function()
  local reports, came_back, listed, handed_on, after_taking_back

  setup(function()
    start_nodes()
    local away = n:place { scenarios = { "is-not-answered" }, people = { [BUSY] = { answers = "busy", after = "4s" } } }
    local sid = assert(away:wait_event "agent.silent").call
    n:ringdown("calls", "transfer", sid, "--to", BUSY)
    assert(away:wait_event "dial.begun")
    local many = n:place { scenarios = { "keypad" }, calls = CALLS }
    assert(many:wait_event "call.answered")
    n:take_over()
    listed = n:ringdown "status"
    handed_on = short:place { scenarios = { "outlives-its-node" } }
    assert.is_truthy(handed_on:wait_event "agent.heard")
    short:take_over()
    after_taking_back = take_back()
    reports = select(2, many:wait())
    came_back = select(2, away:wait())
  end)

  teardown(function()
    for _, each in ipairs { n, short, older } do
      each:ask_to_stop()
    end
    assert.equal(0, n:stop())
    assert.equal(0, short:stop())
    assert.equal(0, older:stop())
    supervised:stop()
    assert.equal(0, sim:stop())
  end)

  it("leaves the old process its calls, and shows them", function()
    assert.matches("draining  pid %d+ handed over and keeps %d+ calls?", listed)
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

  it("hands the admin port on, and nobody is told that it is taken", function()
    assert.is_true(proc.wait_for(function()
      return n:admin("/readyz").status == 200
    end, 5))
    assert.same({}, n:log "admin.not_listening")
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

  it("that does not wait long hands calls on to the new process, where they go on", function()
    local _, on = handed_on:wait()
    assert.equal("", on[1].why)
    assert.is_truthy(short.before:text():find("reason=node_drained", 1, true))
    assert.equal(0, short.before:wait(30))
    assert.same({}, short:log "call.fallback")
  end)

  it("that is taken back starts on the schema of a newer release that accepts it, answers and ships", function()
    local ok, called = after_taking_back:wait()
    assert.is_true(ok, called[1].why)
    assert.is_truthy(older:wait_shipped())
    assert.same({ { state = "ended" } }, pg.query(older.database, "select state from calls where call = "
      .. pg.literal(called[1].call)))
  end)

  it("by a service manager has its socket, and tells when it is answered on and that all threads live", function()
    assert.is_truthy(told(supervised, "READY=1"))
    assert.is_truthy(told(supervised, ("MAINPID=%d"):format(supervised:status().pid)))
    assert.is_truthy(told(supervised, "WATCHDOG=1"))
    assert.equal(200, supervised:get("/livez").status)
  end)

  it("that only stops is told; who is still there when the time is over is not cut but handed on", function()
    local placed = supervised:place { scenarios = { "nobody-there" }, to = "+13125550201" }
    assert.is_truthy(placed:wait_event "agent.heard")
    supervised:signal "TERM"
    assert.is_truthy(told(supervised, "STOPPING=1"))
    assert.is_truthy(supervised:wait_log("call.ended", function(line)
      return line.reason == "node_drained"
    end))
    assert.equal("1", supervised:wait_log("serve.drain_over").calls)
    assert.equal(0, supervised.child:wait(30))
    assert.equal("0", supervised:log "serve.ended"[1].calls_cut)
    placed.child:stop()
  end)
end)

describe("a service manager", function()
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
