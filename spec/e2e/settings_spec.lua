-- SPDX-License-Identifier: Apache-2.0
-- takes: 12 s
-- A node that cannot start says why, all of it, in words.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"

describe("a node that cannot start", function()
  it("tells every mistake of its configuration at once, with the line and what is allowed", function()
    local folder = proc.folder "settings"
    local config = proc.write(folder .. "/ringdown.lua", [[
return {
  public = {
    url = "calls.example.com",
    listne = "0.0.0.0:8080",
  },
  max_calls = "many",
}
]])
    local n = node.launch { sim = false, config = config, env = { RINGDOWN_PUBLIC_URL = false } }
    assert.equal(2, n.child:wait(20))
    local text = n.child:text()
    assert.matches(config .. ":3: public.url: must start with https:// or http://", text, 1, true)
    assert.matches(config .. ":4: public.listne: unknown key; did you mean public.listen?", text, 1, true)
    assert.matches(config .. ":6: max_calls: must be a whole number (without quotes) from 1 to", text, 1, true)
    local checked, code = n:ringdown("check", "--config", config)
    assert.equal(2, code)
    assert.matches(config .. ":6: max_calls", checked, 1, true)
    n:stop()
    proc.remove(folder)
  end)

  it("tells what is missing and where to get it", function()
    local n = node.launch { sim = false, env = { TWILIO_AUTH_TOKEN = false, OPENAI_API_KEY = false } }
    assert.equal(2, n.child:wait(20))
    assert.matches("console.twilio.com", n.child:text(), 1, true)
    assert.matches("platform.openai.com/api-keys", n.child:text(), 1, true)
    n:stop()
  end)

  describe("because another one runs", function()
    local first

    setup(function()
      first = node.start { sim = false }
    end)

    teardown(function()
      assert.equal(0, first:stop())
    end)

    it("says that the port is taken", function()
      local n = node.launch { sim = false, port = first.port }
      assert.equal(1, n.child:wait(20))
      local text = n.child:text()
      assert.matches(tostring(first.port), text, 1, true)
      assert.matches("the port is taken, perhaps by another Ringdown", text, 1, true)
      assert.is_nil(text:find("AddressSanitizer", 1, true))
      n:stop()
    end)

    it("says that the data folder is taken, by whom", function()
      local n = node.launch { sim = false, env = { RINGDOWN_DATA = first.env.RINGDOWN_DATA } }
      assert.equal(1, n.child:wait(20))
      local text = n.child:text()
      assert.matches(first.env.RINGDOWN_DATA, text, 1, true)
      assert.matches("another", text, 1, true)
      n:stop()
      assert.equal(200, first:get("/livez").status)
      assert.equal(0, first:status().calls)
    end)
  end)
end)
