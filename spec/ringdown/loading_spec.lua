-- SPDX-License-Identifier: Apache-2.0
-- A call's VM finds only modules that were loaded with its agent. In specs all are found, so that nothing else notices.
local function loaded_with_an_agent()
  local program = [[package.path = "scripts/?.lua;scripts/?/init.lua;" .. package.path
    local host = require "ringdown.fake.host"
    package.loaded["ringdown.host"], host.loading = host, true
    require "ringdown.loading"
    for name in pairs(package.loaded) do print(name) end]]
  local pipe = assert(io.popen("lua5.4 -e '" .. program .. "' 2>&1"))
  local names = {}
  for name in pipe:lines() do
    names[name] = true
  end
  pipe:close()
  return names
end

describe("what a call may need later", function()
  it("is loaded with the agent", function()
    local there = loaded_with_an_agent()
    assert.is_true(there["ringdown.tool_run"])
    for _, path in ipairs { "tool_run", "session", "adopted", "transfer", "vapi/ledger" } do
      for line in io.lines("scripts/ringdown/" .. path .. ".lua") do
        local name = line:match 'require *%(?"(ringdown%.[%w_.]+)"'
        assert.is_true(name == nil or there[name] == true, path .. ".lua needs " .. tostring(name))
      end
    end
  end)
end)
