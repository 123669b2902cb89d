-- SPDX-License-Identifier: Apache-2.0
-- takes: 50 s
-- What a caller reads out or presses is nowhere afterwards: not in the log, even at debug level, not in
-- what the commands print, in no file of the data folder.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"

-- As it was said, as a tool got it, as a program might write it.
local secrets = { "4539 5787 6362 1486", "4539-5787-6362-1486", "4539578763621486", "5787", "6362 1486",
  "536 22 8726", "536-22-8726", "536228726", "90816354" }

-- Not as a part of a longer number: four digits are in some time or seed by chance.
local function place_of(secret, text)
  return text:find("%f[%d]" .. secret:gsub("%p", "%%%0") .. "%f[%D]")
end

describe("card data in a call", function()
  local sim, n, watch, report, turns

  setup(function()
    sim = sims.start()
    n = node.start { sim = sim, agents = "spec/e2e/agents", env = { RINGDOWN_LOG = "debug" } }
    watch = n:watch()
    local _, reports = n:call { scenarios = { "card-data" } }
    report = reports[1]
    watch:wait_for_ends(1)
    turns = watch:turns(report.call)
  end)

  teardown(function()
    watch:stop()
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
  end)

  local function assert_clean(text, what)
    assert.is_true(#text > 0, what .. " is empty")
    for _, secret in ipairs(secrets) do
      local at = place_of(secret, text)
      assert.is_nil(at, at and what .. ": " .. text:sub(math.max(1, at - 200), at + 50))
    end
  end

  it("reaches the model and the tools", function()
    assert.equal("", report.why)
    local outputs = {}
    for _, fact in ipairs(sim:facts "tool_result") do
      outputs[#outputs + 1] = fact.output
    end
    assert.matches("4539-5787-6362-1486", table.concat(outputs, "\n"), 1, true)
  end)

  it("leaves its place in the transcript", function()
    local text = {}
    for _, turn in ipairs(turns) do
      text[#text + 1] = turn.text
    end
    text = table.concat(text, "\n")
    assert.matches("My card is [card].", text, 1, true)
    assert.matches("And my social is [ssn].", text, 1, true)
    assert.matches("I charged the card [card].", text, 1, true)
  end)

  it("is in no record, keys included", function()
    assert_clean(proc.read(watch.follower.out), "calls --follow")
    local tools, keys = {}, {}
    for _, event in ipairs(watch:events()) do
      if event.type == "dtmf" then
        keys[#keys + 1] = event.digit
      elseif event.type == "tool" then
        tools[#tools + 1] = event.arguments or event.output
      end
    end
    assert.equal("********", table.concat(keys))
    tools = table.concat(tools, "\n")
    assert.matches('"card":"[card]"', tools, 1, true)
    assert.matches('"social_security":"[ssn]"', tools, 1, true)
  end)

  it("is not in the log, not even what an error quotes", function()
    assert_clean(n.child:text(), "the log")
    assert.matches("no paper for the card [card]", n.child:text(), 1, true)
  end)

  it("is not in what the commands print", function()
    assert_clean(proc.run(("RINGDOWN_DATA=%s/data %s calls %s"):format(n.folder, proc.binary(), report.call)), "calls")
    assert_clean(proc.run(("RINGDOWN_DATA=%s/data %s calls --json"):format(n.folder, proc.binary())), "calls --json")
  end)

  it("is in no file of the data folder", function()
    for _, secret in ipairs(secrets) do
      local alone = ".{0,60}(?<!\\d)" .. secret .. "(?!\\d)"
      local found = proc.run(("grep -raoP -e %s %s/data"):format(proc.quote(alone), n.folder))
      assert.equal("", found)
    end
  end)
end)
