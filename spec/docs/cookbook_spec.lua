-- SPDX-License-Identifier: Apache-2.0
-- docs/cookbook.md keeps its shape: a question, an agent, its spec, what goes wrong; short enough to be read. That
-- they run is samples_spec.lua's, and in the sandbox of a live call spec/e2e/cookbook_spec.lua's.
local samples = require "spec.support.samples"

local PAGE, RECIPES, AGENT_MAX, SPEC_MAX = "docs/cookbook.md", 15, 30, 15

local function text_of(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

describe("the cookbook", function()
  local recipes = {}
  local intro = text_of(PAGE):match "^(.-)\n## "
  for part in ("\n" .. text_of(PAGE) .. "\n## "):gmatch "()\n## %d" do
    local heading, body = text_of(PAGE):sub(part + 3):match "^([^\n]+)\n(.*)$"
    recipes[#recipes + 1] = { heading = heading, body = body:match "^(.-)\n## " or body }
  end

  it("has its recipes, each found from the table at its beginning", function()
    assert.equal(RECIPES, #recipes)
    for i, recipe in ipairs(recipes) do
      local anchor = recipe.heading:lower():gsub("[^%w %-]", ""):gsub(" ", "-")
      assert.matches(("[%d](#%s)"):format(i, anchor), intro, 1, true)
    end
  end)

  it("has an agent, its spec, and a line about what goes wrong in each", function()
    local list = samples.of(PAGE)
    assert.equal(2 * #recipes, #list)
    for i, recipe in ipairs(recipes) do
      local of, spec = list[2 * i - 1], list[2 * i]
      local name = assert(of.file and of.file:match "^agents/([%w-]+)%.lua$", recipe.heading)
      assert.equal("spec/agents/" .. name:gsub("-", "_") .. "_spec.lua", spec.file)
      assert.matches("\nWhat goes wrong: ", recipe.body, 1, true)
    end
  end)

  it("is short, and does not break its lines", function()
    for _, block in ipairs(samples.of(PAGE)) do
      local most = block.file:match "^spec/" and SPEC_MAX or AGENT_MAX
      assert.is_true(#block.lines - 1 <= most, ("%s has %d lines"):format(block.file, #block.lines - 1))
      for _, line in ipairs(block.lines) do
        assert.is_true(utf8.len(line) <= 120, block.file .. ": " .. line)
      end
    end
  end)
end)
