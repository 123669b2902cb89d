-- SPDX-License-Identifier: Apache-2.0
-- takes: 5 s
-- What people copy: the recipes of docs/cookbook.md, by `ringdown check` and, in the sandbox of a live call, by
-- `ringdown test`. By the optimised program: the sandbox has its own tests under the sanitizers.
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
end)
