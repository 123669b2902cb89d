-- SPDX-License-Identifier: Apache-2.0
-- takes: 14 s
-- Signals: SIGHUP reads everything again, SIGTERM lets the calls in progress end, a second one does not.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

-- An agent that answers `number`; its greeting tells which version it is.
local function greeter(number, greeting)
  return ([[
local agent, tools = require "ringdown.agent", require "ringdown.tools"
return agent {
  name = "greeter", numbers = { "%s" },
  greeting = "%s",
  prompt = "You greet.",
  tools = { tools.end_call },
}
]]):format(number, greeting)
end

local NUMBER = "+13125550221"

describe("an operator", function()
  local sim

  setup(function()
    sim = sims.start()
  end)

  teardown(function()
    assert.equal(0, sim:stop())
  end)

  local function start(o)
    o = o or {}
    o.sim = sim
    o.agents = o.agents or { ["greeter.lua"] = greeter(NUMBER, "The first greeting.") }
    return node.start(o)
  end

  -- The words that the next caller is greeted with.
  local function greeting(n)
    local seen = #sim:facts "response_create"
    local _, reports = n:call { scenarios = { "hears-and-hangs-up" }, to = NUMBER }
    assert.equal("", reports[1].why)
    return sim:facts "response_create"[seen + 1].instructions:match "Say exactly: “(.-)”"
  end

  describe("who edits an agent and sends SIGHUP", function()
    local n, file

    setup(function()
      n = start()
      file = n.agents .. "/greeter.lua"
    end)

    teardown(function()
      assert.equal(0, n:stop())
    end)

    local function reload()
      local before = #n:log "agents.reloaded"
      n:signal "HUP"
      assert.is_truthy(proc.wait_for(function()
        return #n:log "agents.reloaded" > before
      end))
    end

    it("has the next caller greeted with the new words", function()
      assert.equal("The first greeting.", greeting(n))
      proc.write(file, greeter(NUMBER, "The second greeting."))
      reload()
      assert.equal("The second greeting.", greeting(n))
    end)

    it("keeps the last good version when the edit is broken, and reads where", function()
      proc.write(file, (greeter(NUMBER, "The third greeting."):gsub("prompt = ", "promtp = ")))
      reload()
      assert.equal("The second greeting.", greeting(n))
      local line = n:wait_log("agent.not_loaded", function(line)
        return line.why:find("promtp", 1, true)
      end)
      assert.matches("agents/greeter.lua:5: promtp: unknown key; did you mean 'prompt'?", line.why, 1, true)
      assert.matches("the version from before answers", line.fix)
      assert.equal(1, n:status().agent_errors)
    end)

    it("has the new version once it is mended", function()
      proc.write(file, greeter(NUMBER, "The third greeting."))
      reload()
      assert.equal("The third greeting.", greeting(n))
      assert.equal(0, n:status().agent_errors)
    end)
  end)

  describe("who sends SIGTERM", function()
    it("lets the call in progress end well; a new caller gets the fallback", function()
      local n = start { agents = "spec/e2e/agents" }
      local old = n:place { scenarios = { "keypad" } }
      assert.is_truthy(old:wait_event "agent.heard")
      n:signal "TERM"
      assert.is_truthy(n:wait_log "serve.drain")
      local answer = n:post_signed("/twilio/voice", node.voice_form { To = "+13125550202" })
      assert.equal(200, answer.status)
      assert.matches("<Say", answer.body, 1, true)
      assert.is_nil(answer.body:find("<Stream", 1, true))
      assert.equal("draining", n:wait_log("call.fallback").reason)
      assert.is_true(n:status().draining)
      local ok, reports = old:wait()
      assert.equal("", reports[1].why)
      assert.is_true(ok)
      assert.equal(0, n.child:wait(30))
      assert.equal("0", n:log "serve.ended"[1].calls_cut)
      assert.equal(0, n:stop())
    end)

    it("twice, does not wait for anybody", function()
      local n = start { agents = "spec/e2e/agents" }
      local cut = n:place { scenarios = { "nobody-there" }, to = "+13125550201" }
      assert.is_truthy(cut:wait_event "agent.heard")
      n:signal "TERM"
      assert.is_truthy(n:wait_log "serve.drain")
      n:signal "TERM"
      assert.is_truthy(n.child:wait(10))
      assert.equal(0, n.child:ended())
      assert.equal("1", n:log "serve.end_at_once"[1].calls)
      cut:wait()
      assert.equal(0, n:stop())
    end)
  end)
end)
