-- SPDX-License-Identifier: Apache-2.0
-- README.md is short, its picture is what the page it is drawn from says, its comparison has a date. (Its agent loads:
-- samples_spec; its commands are run: commands_spec; its links: links_spec.)
local pages = require "spec.support.pages"

local function drawn(page)
  local pipe = assert(io.popen("lua5.4 scripts/draw-call " .. page .. " 2>&1"))
  local picture = pipe:read "a"
  local good = pipe:close()
  return picture, good
end

describe("README.md", function()
  local text = pages.read "README.md"

  it("is read in a minute or two", function()
    local _, n = text:gsub("\n", "")
    assert.is_true(n <= 135, n .. " lines")
  end)

  it("has an agent of about twenty lines", function()
    local _, n = assert(text:match "```lua\n(.-)```"):gsub("\n", "")
    assert.is_true(n <= 25, n .. " lines")
  end)

  it("has the picture of the call that docs/start.md prints", function()
    assert.is_true(drawn "docs/start.md" == pages.read "docs/call.svg",
      "stale: scripts/draw-call docs/start.md >docs/call.svg")
    assert.is_truthy(text:find("](docs/call.svg)", 1, true))
  end)

  it("says when it compared", function()
    assert.is_truthy(text:find "As of %d+ %a+ 20%d%d")
  end)
end)

describe("scripts/draw-call", function()
  it("draws who speaks where, and says so when there is nothing to draw", function()
    local picture = drawn "docs/start.md"
    assert.is_truthy(picture:find('x="88" y="%d+">Hi, how much is a new tap%?'))
    assert.is_truthy(picture:find('x="482" y="%d+">A new tap is between eighty %-%-'))
    assert.is_truthy(picture:find "caller cuts in after 1500 ms were heard")
    local said, good = drawn "docs/errors.md"
    assert.is_nil(good)
    assert.is_truthy(said:find("has no call in it", 1, true))
  end)
end)
