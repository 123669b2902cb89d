-- SPDX-License-Identifier: Apache-2.0
-- takes: 6 s
-- What people copy: the recipes of docs/cookbook.md, examples/agents and examples/configuration, by `ringdown check`
-- and, in the sandbox of a live call, by `ringdown test`. By the optimised program: the sandbox has its own tests under
-- the sanitizers.
local lfs = require "lfs"
local proc = require "spec.e2e.support.proc"
local samples = require "spec.support.samples"

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

describe("what one copies", function()
  local folder

  setup(function()
    folder = proc.folder "cookbook"
    lfs.mkdir(folder .. "/agents")
  end)

  teardown(function()
    proc.remove(folder)
  end)

  local function ringdown(agents, words)
    return proc.run(("RINGDOWN_LIBRARY=scripts RINGDOWN_AGENTS=%s RINGDOWN_DATA=%s/data %s %s 2>&1"):format(
      agents, folder, proc.double(), words))
  end

  -- Every agent of a folder is good; every spec passes, and none is lost.
  local function passes(agents, n_agents, n_specs)
    local text, code = ringdown(agents, "check --agents")
    assert.equal(0, code, text)
    assert.equal(n_agents, count(text, "agent %S+ is good %("), text)
    text, code = ringdown(agents, "test " .. agents)
    assert.equal(0, code, text)
    assert.matches(("^[^\n]*\n%d success"):format(n_specs), text)
  end

  it("from the cookbook is good, and its specs pass in the sandbox", function()
    local agents, specs = 0, 0
    for _, block in ipairs(samples.of "docs/cookbook.md") do
      proc.write(folder .. "/agents/" .. block.file:match "[^/]+$", block.text)
      agents = agents + (block.file:match "^agents/" and 1 or 0)
      specs = specs + count(block.text, "%f[%w]it%(")
    end
    passes(folder .. "/agents", agents, specs)
  end)

  it("from examples/agents, too", function()
    local specs = 0
    for name in lfs.dir "examples/agents" do
      if name:match "_spec%.lua$" then
        specs = specs + count(proc.read("examples/agents/" .. name), "%f[%w]it%(")
      end
    end
    passes("examples/agents", 3, specs + 1) -- one it() of the clinic is told in two languages
  end)

  it("from examples/configuration is what a node starts with", function()
    lfs.mkdir(folder .. "/data")
    local keys = ("RINGDOWN_DATA=%s/data OPENAI_API_KEY=sk-x TWILIO_AUTH_TOKEN=x"):format(folder)
    for name, more in pairs {
      minimal = "",
      production = "SMTP_URL=smtps://u:p@mail.example DATABASE_URL=postgresql://ringdown@db.example/ringdown",
    } do
      local text, code = proc.run(("RINGDOWN_LIBRARY=scripts RINGDOWN_AGENTS=examples/agents %s %s %s check --config "
        .. "examples/configuration/%s.lua 2>&1"):format(keys, more, proc.double(), name))
      assert.equal(0, code, text)
      assert.matches("Configuration and agents are good", text, 1, true)
    end
    local text, code = proc.run(("RINGDOWN_DATA=%s/data OPENAI_API_KEY= TWILIO_AUTH_TOKEN= %s check --config "
      .. "examples/configuration/minimal.lua 2>&1"):format(folder, proc.double()))
    assert.equal(2, code, text)
    assert.matches("OPENAI_API_KEY", text, 1, true)
  end)
end)
