-- SPDX-License-Identifier: Apache-2.0
-- scripts/migrate-numbers by itself: what it leaves behind when it ends before its end. Its stories are in spec/e2e.
local TELL = [[local make = os.tmpname
function os.tmpname()
  local path = make()
  io.stderr:write("made ", path, "\n")
  return path
end]]

local function run(arguments)
  local pipe = assert(io.popen(("RINGDOWN_BIN=/bin/false lua5.4 -e '%s' scripts/migrate-numbers %s 2>&1"):format(
    TELL:gsub("\n", " "), arguments)))
  local said = pipe:read "a"
  local _, _, code = pipe:close()
  return said, code
end

describe("a plan that is not carried out", function()
  local plan = os.tmpname()
  teardown(function() os.remove(plan) end)

  it("leaves no list of numbers behind", function()
    local file = assert(io.open(plan, "w"))
    assert(file:write [[{"plan":1,"to":"ringdown","numbers":[{"number":"+13125550100","changes":[{}]}],"refused":[]}]])
    file:close()
    local said, code = run("--show " .. plan)
    assert.equal(0, code, said)
    local hash = assert(said:match "%-%-approve (%x+) ")
    for _, given in ipairs { ("0"):rep(12), hash } do
      said, code = run(("--approve %s %s"):format(given, plan))
      assert.not_equal(0, code, said)
      local n = 0
      for path in said:gmatch "made (%S+)" do
        n = n + 1
        assert.is_nil(io.open(path), said)
      end
      assert.equal(2, n, said)
    end
    os.remove(plan:gsub("%.json$", "") .. "-way-back.sh")
  end)
end)
