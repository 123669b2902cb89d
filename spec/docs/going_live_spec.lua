-- SPDX-License-Identifier: Apache-2.0
-- docs/going-live.md can be walked: each line has a command or a test, and each test is there with the words it is
-- named by. (That the commands are there, commands_spec.lua looks at.) And the document on docs/start.md that answers
-- when nobody else does is one that Twilio can read.
local lfs = require "lfs"
local pages = require "spec.support.pages"

-- Rows of its tables: { n, number, what, proof, back }.
local function rows(text)
  local found = {}
  for _, line in ipairs(pages.prose(text)) do
    local number, what, proof, back = line.text:match "^| (%d+) | ([^|]+) | ([^|]+) | ([^|]*)|$"
    if number then
      found[#found + 1] = { n = line.n, number = tonumber(number), what = what, proof = proof, back = back }
    end
  end
  return found
end

-- What is not there of the tests that a cell names, as `FILE` "words", "other words".
local function missing(cell)
  local gone = {}
  for path, rest in cell:gmatch "`(spec/[%w_/]+%.lua)`([^`]*)" do
    local text = lfs.attributes(path) and pages.read(path)
    if not text then
      gone[#gone + 1] = path
    end
    for words in (text and rest or ""):gmatch '"([^"]+)"' do
      if not text:find(words, 1, true) then gone[#gone + 1] = path .. ": " .. words end
    end
  end
  return gone
end

describe("docs/going-live.md", function()
  local all = rows(pages.read "docs/going-live.md")

  it("has a command or a test in each line, numbered one after the other", function()
    assert.is_true(#all > 20, #all .. " lines")
    local last = 0
    for _, row in ipairs(all) do
      assert.is_true(row.number == last + 1 or row.number == 1, "line " .. row.n)
      last = row.number
      local proof = row.proof .. row.back
      local known = proof:find "`ringdown %l" or proof:find "`spec/" or proof:find "`scripts/"
        or proof:find "stop the node"
      assert.is_truthy(known, "line " .. row.n .. " has no command and no test")
    end
  end)

  it("names tests that there are", function()
    for _, row in ipairs(all) do
      assert.same({}, missing(row.proof))
    end
  end)

  it("would be told of one that is gone", function()
    assert.same({ "spec/e2e/gone_spec.lua" }, missing '`spec/e2e/gone_spec.lua` "x"')
    assert.same({ "spec/e2e/deploy_spec.lua: no such words at all" },
      missing '`spec/e2e/deploy_spec.lua` "no such words at all"; more')
  end)
end)

describe("the document that answers when nobody does", function()
  -- The names of the elements in the order they open; every one of them closed.
  local function elements(xml)
    local open, names = {}, {}
    for slash, name, rest in xml:gmatch "<(/?)(%u%a*)([^>]*)>" do
      if slash == "/" then
        assert.equal(table.remove(open), name)
      else
        names[#names + 1] = name
        open[#open + 1] = rest:sub(-1) ~= "/" and name or nil
      end
    end
    assert.same({}, open)
    return table.concat(names, " ")
  end

  it("is whole, says so, rings somebody, and ends", function()
    local xml = assert(pages.read "docs/start.md":match "```xml\n(.-)```")
    assert.equal('<?xml version="1.0" encoding="UTF-8"?>', xml:match "^[^\n]+")
    assert.equal("Response Say Dial Say Hangup", elements(xml))
  end)
end)
