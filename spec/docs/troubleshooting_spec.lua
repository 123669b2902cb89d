-- SPDX-License-Identifier: Apache-2.0
-- What alerts point to is there, and the commands it names exist.
local shipped = require "ringdown.alerts.shipped"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

describe("docs/troubleshooting.md", function()
  local text = read "docs/troubleshooting.md"

  it("has a chapter for each shipped rule", function()
    for _, rule in ipairs(shipped.rules or shipped) do
      assert.truthy(text:find("\n## " .. rule.name:gsub("_", "-") .. "\n", 1, true), rule.name)
    end
  end)

  it("names commands that there are, as docs/operations.md does", function()
    local known = read "runtime/cli/cli.c"
    for command in (text .. read "docs/operations.md"):gmatch "`ringdown (%l+)" do
      assert.truthy(known:find('{"' .. command .. '"', 1, true), command)
    end
  end)
end)
