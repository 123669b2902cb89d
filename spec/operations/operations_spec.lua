-- SPDX-License-Identifier: Apache-2.0
-- What is done beside calls and agents: by kind, and told as it goes.
local fake = require "ringdown.fake.host"
local json = require "ringdown.json"
local operations = require "ringdown.operations"

describe("an operation", function()
  local kept_modules, kept_timed

  before_each(function()
    fake.reset()
    kept_modules, kept_timed = operations.modules, operations.timed
    operations.modules, operations.timed = { lend = "spec.lend", timed = "ringdown.operations.timed" }, {}
  end)

  after_each(function()
    operations.modules, operations.timed = kept_modules, kept_timed
    package.loaded["spec.lend"] = nil
  end)

  local function lend(run)
    package.loaded["spec.lend"] = { run = run }
  end

  it("gets its wish as a value, and its result goes back as one", function()
    lend(function(wish)
      return { lent = wish.books * 2 }
    end)
    assert.equal('{"lent":6}', operations.run("lend", '{"books":3}'))
  end)

  it("tells as it goes", function()
    lend(function(_, tell)
      tell { text = "The first one." }
      tell { progress = "1 of 2" }
    end)
    assert.equal("{}", operations.run("lend", "{}"))
    assert.same({ { text = "The first one." }, { progress = "1 of 2" } }, fake.told_lines)
  end)

  it("knows who wants it, and hears when it shall end", function()
    fake.person, fake.is_stopping = "ann", true
    lend(function()
      local host = require "ringdown.host"
      return { who = host.who(), ends = host.stopping() }
    end)
    assert.equal('{"ends":true,"who":"ann"}', operations.run("lend", "{}"))
  end)

  it("that nobody knows is told with the one that was meant", function()
    assert.error_matches(function()
      operations.run("lent", "{}")
    end, "^there is no operation 'lent'; did you mean 'lend'%? allowed: lend, timed$")
  end)

  it("is about a JSON object", function()
    lend(error)
    assert.error_matches(function()
      operations.run("lend", "[1")
    end, "^what the operation 'lend' is about is no JSON object: ")
  end)

  it("keeps files below a folder of its own", function()
    local host = require "ringdown.host"
    assert.is_nil(host.kept "snapshots/+13125550100.json")
    assert(host.keep("snapshots/+13125550100.json", "{}"))
    assert(host.keep("override.json", "{}"))
    assert.same({ "snapshots/+13125550100.json" }, host.kept_names "snapshots/")
    assert(host.keep("override.json", nil))
    assert.same({}, host.kept_names "over")
    assert.has_error(function()
      host.keep("../secret", "x")
    end)
  end)
end)

describe("what nodes do by themselves", function()
  it("is told to their runtime, with how often", function()
    local told = json.decode(operations.run("timed", "{}"))
    for kind, about in pairs(told) do
      assert.is_truthy(about.every_s >= 2, kind .. ": every_s")
      assert.is_string(operations.modules[kind], kind .. " has no module")
    end
  end)

  it("has modules that are there", function()
    for kind, module in pairs(operations.modules) do
      assert.is_function(require(module).run, kind)
    end
  end)
end)
