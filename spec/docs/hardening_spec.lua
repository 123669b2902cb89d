-- SPDX-License-Identifier: Apache-2.0
-- docs/hardening.md says of the units what is in them, and of the listeners what the settings are.
local pages = require "spec.support.pages"

describe("docs/hardening.md", function()
  local text = pages.read "docs/hardening.md"
  local settings = {}
  for cell in text:gmatch "\n| (`%u[^|]+) |" do
    for setting in cell:gmatch "`([^`]+)`" do
      settings[#settings + 1] = setting
    end
  end

  for _, unit in ipairs { "examples/systemd/ringdown.service", "examples/systemd/ringdown@.service" } do
    it("has the settings of " .. unit, function()
      assert.is_true(#settings > 15, #settings .. " settings")
      local lines = "\n" .. pages.read(unit)
      for _, setting in ipairs(settings) do
        assert.is_truthy(lines:find("\n" .. setting .. "\n", 1, true), setting)
      end
    end)
  end

  it("leaves out none that closes something", function()
    local known = "\n" .. table.concat(settings, "\n") .. "\n"
    for name, value in pages.read("examples/systemd/ringdown.service"):gmatch "\n(%u%a+)=([^\n]*)" do
      if name:find "^Protect" or name:find "^Private" or name:find "^Restrict" or name == "UMask" then
        assert.is_truthy(known:find("\n" .. name .. "=" .. value .. "\n", 1, true), name)
      end
    end
  end)

  it("says where things listen, as the settings do", function()
    local table_of_settings = pages.read "docs/configuration.md"
    for _, setting in ipairs { "`public.listen`", "`admin.listen`" } do
      local address = assert(text:match("| " .. setting:gsub("%p", "%%%0") .. " | `([%d.:]+)`"), setting)
      local row = assert(table_of_settings:match("\n| " .. setting:gsub("%p", "%%%0") .. "[^\n]+"), setting)
      assert.is_truthy(row:find("`" .. address .. "`", 1, true) or row:find("`" .. address, 1, true), setting)
    end
  end)
end)
