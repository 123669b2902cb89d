-- SPDX-License-Identifier: Apache-2.0
local lfs = require "lfs"
local reference = require "spec.support.reference"

local function text_of(path)
  local file = io.open(path, "rb")
  local text = file and file:read "a"
  return text, file and file:close()
end

describe("docs/lua/", function()
  local pages, missing = reference.make()

  it("tells of every function that agents may call, and of each of its parameters", function()
    assert.same({}, missing)
  end)

  it("is what the annotations say", function()
    for path, text in pairs(pages) do
      assert.is_true(text == text_of(path), path .. " is stale; run scripts/lua-reference and commit what it changed")
    end
    for name in lfs.dir "docs/lua" do
      local known = name:sub(1, 1) == "." or pages["docs/lua/" .. name] ~= nil
      assert.is_true(known, name .. " belongs to no module; delete it")
    end
  end)
end)

describe("a function's annotations", function()
  local page = { module = "x" }

  it("are missed, each with its line", function()
    local read = reference.read "\n---@param a string\nfunction M.get(a, b)\nend\n"
    assert.same({
      "x.lua:2: get: says nothing about what it does; write a line '---What it does.' above it",
      "x.lua:2: get: the parameter 'b' has no ---@param",
    }, reference.missing(page, read, "x.lua"))
  end)

  it("may be whole", function()
    local read = reference.read [[

---Does it.
---@param run fun(call: x.call, args: table): any, string? a value, or nil
---  and why not
---@return "a"|"b"? what came of it
function M.get(run)
end
]]
    assert.same({}, reference.missing(page, read, "x.lua"))
    assert.same({ name = "run", kind = "fun(call: x.call, args: table): any, string?",
      about = "a value, or nil and why not" }, read.functions[1].params[1])
    assert.same({ name = "what", kind = '"a"|"b"?', about = "came of it" }, read.functions[1].returns[1])
  end)
end)
