-- SPDX-License-Identifier: Apache-2.0
-- takes: 30 s
-- An agent is edited while calls are live; releases in the database reach a node, and an old one comes back.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

local NUMBER = "+13125550231"
-- From the edit to the next call's version. 250 on a machine of its own with the optimised program; what runs beside
-- this story, and the sanitizers, may take a multiple of that.
local PATIENCE_MS = tonumber(os.getenv "RINGDOWN_RELOAD_MS") or 1000 * proc.promised(1.5)

local function greeter(greeting, key)
  return ([[
-- SPDX-License-Identifier: Apache-2.0
local agent, tools = require "ringdown.agent", require "ringdown.tools"
return agent {
  name = "greeter", numbers = { "%s" }, people = { office = "+13125550101" },
  greeting = "%s",
  %s = "You greet.",
  tools = { tools.end_call },
}
]]):format(NUMBER, greeting, key or "prompt")
end

local function now_ms()
  return tonumber((proc.run "date +%s%3N"))
end

describe("an agent that is edited", function()
  local sim

  setup(function()
    sim = sims.start()
  end)

  teardown(function()
    assert.equal(0, sim:stop())
  end)

  -- The words that the next caller is greeted with.
  local function greeting(n)
    local seen = #sim:facts "response_create"
    local _, reports = n:call { scenarios = { "hears-and-hangs-up" }, to = NUMBER }
    assert.equal("", reports[1].why)
    return sim:facts "response_create"[seen + 1].instructions:match "Say exactly: “(.-)”"
  end

  -- As editors save: a new file, renamed over the old one.
  local function save(n, text)
    proc.write(n.agents .. "/.greeter.new", text)
    os.rename(n.agents .. "/.greeter.new", n.agents .. "/greeter.lua")
  end

  local function agents(n)
    return n:ringdown("agents", "list", "--json")
  end

  local function alarm(n, kind)
    for _, a in ipairs(n:status().alarms) do
      if a.kind == kind then
        return a
      end
    end
  end

  describe("in the folder", function()
    local n, live

    setup(function()
      n = node.start { sim = sim, agents = { ["greeter.lua"] = greeter "The first greeting." } }
    end)

    teardown(function()
      assert.equal(0, n:stop())
    end)

    it("answers the next call in its new version, and the call in progress keeps its own", function()
      live = n:place { scenarios = { "nobody-there" }, to = NUMBER }
      assert.is_truthy(live:wait_event "agent.heard")
      local before = agents(n)
      assert.equal("folder", before.source)
      assert.equal(1, before.agents[1].calls)
      local seen, began = #n:log "agents.reloaded", now_ms()
      save(n, greeter "The second greeting.")
      assert.is_truthy(proc.wait_for(function()
        return #n:log "agents.reloaded" > seen
      end))
      local took = now_ms() - began
      print(("\n    edit to next call: %d ms"):format(took))
      assert.is_true(took <= PATIENCE_MS, ("took %d ms"):format(took))
      local after = agents(n)
      assert.not_equal(before.agents[1].version, after.agents[1].version)
      assert.equal(0, after.agents[1].calls)
      assert.same({ { name = "greeter", version = before.agents[1].version, calls = 1 } }, after.older)
      assert.equal("The second greeting.", greeting(n))
    end)

    it("lets the old version go with its last call", function()
      n:ringdown("calls", "hang-up", n:calls().live[1].call)
      live:wait()
      assert.is_truthy(proc.wait_for(function()
        local list = agents(n)
        return #list.older == 0 and list.versions == 1
      end))
    end)

    it("stays as it was when the edit is broken, and everything says so until it is mended", function()
      save(n, greeter("The third greeting.", "promtp"))
      local line = n:wait_log("agent.not_loaded", function(line)
        return line.why:find("promtp", 1, true)
      end)
      assert.matches("agents/greeter.lua:6: promtp: unknown key; did you mean 'prompt'?", line.why, 1, true)
      assert.equal("The second greeting.", greeting(n))
      assert.matches("agents/greeter.lua:3: 'prompt' is missing (and 1 more)", alarm(n, "agents.broken").text, 1, true)
      local status = n:ringdown "status"
      assert.matches("ALARM     agents.broken greeter: ", status, 1, true)
      local list = n:ringdown("agents", "list")
      assert.matches("greeter is not loaded: its version from before answers meanwhile", list, 1, true)
      assert.matches("promtp: unknown key", list, 1, true)
      local said, code = n:ringdown("agents", "reload")
      assert.matches("promtp: unknown key", said, 1, true)
      assert.equal(1, code)
      save(n, greeter "The fourth greeting.")
      assert.is_truthy(proc.wait_for(function()
        return not alarm(n, "agents.broken")
      end))
      assert.equal("The fourth greeting.", greeting(n))
    end)

    it("is shown as a caller would have it, with masked numbers", function()
      local shown = n:ringdown("agents", "show", "greeter")
      assert.matches("You greet.", shown, 1, true)
      assert.matches("end_call", shown, 1, true)
      assert.matches("office %+1%*+01", shown)
      assert.is_nil(shown:find("13125550101", 1, true))
    end)

    it("can be had again in any version it ever had", function()
      local version = agents(n).agents[1].version
      local said, code
      assert.is_truthy(proc.wait_for(function() -- the database has it
        said, code = n:ringdown("agents", "restore", version)
        return code == 0 and said:find("nothing changes", 1, true)
      end), said)
      save(n, greeter "The fifth greeting.")
      assert.is_truthy(proc.wait_for(function()
        return agents(n).agents[1].version ~= version
      end))
      said, code = n:ringdown("agents", "restore", version)
      assert.equal(0, code)
      assert.matches('-  greeting = "The fifth greeting.",', said, 1, true)
      assert.matches("--write puts these files into", said, 1, true)
      said, code = n:ringdown("agents", "restore", version, "--write")
      assert.equal(0, code, said)
      assert.is_truthy(proc.wait_for(function()
        return agents(n).agents[1].version == version
      end))
    end)
  end)

  it("reaches the nodes as a release, and the one before it comes back", function()
    local folder = proc.folder "releases"
    proc.run("mkdir -p " .. folder .. "/agents")
    local n = node.start { sim = sim, agents = folder .. "/agents", env = { RINGDOWN_AGENTS_SOURCE = "database" } }
    n.agents = folder .. "/agents"
    assert.matches("nothing was published yet", n:ringdown("agents", "list"), 1, true)
    assert.is_truthy(alarm(n, "agents.no_release"))

    save(n, greeter "The first release.")
    local said, code = n:ringdown("agents", "publish", "--note", "to begin with")
    assert.equal(0, code, said)
    assert.matches("release 1 is the current one", said, 1, true)
    assert.is_truthy(proc.wait_for(function()
      return agents(n).release == 1
    end, 5))
    assert.is_nil(alarm(n, "agents.no_release"))
    assert.equal("The first release.", greeting(n))

    save(n, greeter("Broken.", "promtp"))
    said, code = n:ringdown("agents", "publish")
    assert.equal(1, code)
    assert.matches("promtp: unknown key", said, 1, true)

    save(n, greeter "The second release.")
    assert.matches('+  greeting = "The second release.",', n:ringdown("agents", "diff"), 1, true)
    local began = now_ms()
    said = n:ringdown("agents", "publish")
    assert.matches("the next call to greeter has version", said, 1, true)
    assert.is_truthy(n:wait_log("agents.reloaded", function()
      return #n:log "agents.reloaded" >= 2
    end))
    print(("\n    publish (all of it) to next call: %d ms"):format(now_ms() - began))
    assert.equal("The second release.", greeting(n))

    said, code = n:ringdown("agents", "restore", "1")
    assert.equal(0, code, said)
    assert.is_truthy(proc.wait_for(function()
      return agents(n).release == 3
    end, 5))
    assert.equal("The first release.", greeting(n))
    assert.matches("as release 1", n:ringdown("agents", "history"), 1, true)

    n:kill() -- and its database is gone, too: what it ran last is on its disk
    n.env.DATABASE_URL = "postgresql://nobody@127.0.0.1:9/none"
    n:restart()
    assert.equal("The first release.", greeting(n))
    assert.equal(0, n:stop())
    proc.remove(folder)
  end)
end)
