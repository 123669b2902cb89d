-- SPDX-License-Identifier: Apache-2.0
local where = require "ringdown.where"

describe("the line of a field", function()
  it("is found through comments, strings and functions", function()
    local lines, line = where.fields([==[
-- agent { name = "no" }
local s = "agent { name = 1 }" local t = [[
agent { name = 2 }]]
return agent {
  name = "x", numbers = {
    "a",
    "b" },
  --[[ prompt = ]] on = { ended = function(call) local a, b = { c = 1 }, 2 if a then b = 3 end end,
    ["dtmf"] = print },
  prompt = "}",
}
]==], "agent")
    assert.equal(4, line)
    assert.same({ name = 5, numbers = 5, ["numbers.1"] = 6, ["numbers.2"] = 7, on = 8, ["on.ended"] = 8,
      ["on.dtmf"] = 9, prompt = 10 }, lines)
  end)

  it("belongs to the call at or after a line", function()
    local source = "local a = tool { name = 'a' }\nlocal b = tool {\n name = 'b' }\n"
    assert.same({ name = 1 }, (where.fields(source, "tool", 1)))
    assert.same({ name = 3 }, (where.fields(source, "tool", 2)))
    assert.same({}, (where.fields(source, "agent")))
  end)

  it("survives source that is cut off", function()
    assert.same({ a = 1 }, (where.fields("agent { a = 'x", "agent")))
    assert.same({ a = 1 }, (where.fields("agent { a = [[", "agent")))
  end)
end)
