-- SPDX-License-Identifier: Apache-2.0
-- What a spec's tools have for time: none passes but theirs.
local agent, tool = require "ringdown.agent", require "ringdown.tool"
local fake, host, http = require "ringdown.fake", require "ringdown.host", require "ringdown.http"

local function waits_for(seconds)
  local t = tool {
    name = "wait", about = "Wait in line.", effect = "read", timeout = "10s", failed = "Say that it takes too long.",
    filler = { "One moment.", "Still looking." },
    run = function(call)
      local began = call:now().minutes
      host.sleep(seconds * 1000)
      return { minutes = call:now().minutes - began }
    end,
  }
  fake.now "2026-11-24 14:10"
  return fake.call { agent = agent { name = "slowpoke", greeting = "Hi.", prompt = "Wait.", tools = { t } } }
end

describe("time in a spec", function()
  it("passes for who waits, and for nobody else", function()
    local call = waits_for(0.1)
    assert.same({ minutes = 0 }, call:tool "wait")
    assert.same({}, call.said)
  end)

  it("is bridged by words of the tool when it is long", function()
    local call = waits_for(5)
    call:tool "wait"
    assert.same({ "One moment." }, call.said)
  end)

  it("ends a tool that takes longer than it may, whatever the script makes of it", function()
    local call = waits_for(11)
    local said, why = call:tool "wait"
    assert.same({ failed = true, say = "Say that it takes too long." }, said)
    assert.matches("late", why)
    assert.equal(10000, host.now_ms())
    assert.same({ failed = true, say = "Say that it takes too long." }, call:tool "wait")
  end)

  it("is what a slow host takes", function()
    local ask = tool {
      name = "ask", about = "Ask the map.", effect = "read", timeout = "5s", failed = "Say that the map is slow.",
      run = function()
        return http.get("https://maps.example.com/eta", { timeout = "8s" }).json
      end,
    }
    local call = fake.call { agent = agent { name = "asker", greeting = "Hi.", prompt = "Ask.", tools = { ask },
      needs = { hosts = { "maps.example.com" } } } }
    fake.http {
      ["GET https://maps.example.com/eta"] = { { json = { minutes = 7 }, after = "3s" }, { body = "", after = "9s" } },
    }
    assert.same({ minutes = 7 }, call:tool "ask")
    assert.equal(3000, host.now_ms())
    assert.equal("Say that the map is slow.", call:tool("ask").say)
    assert.equal(8000, host.now_ms())
  end)

  it("is given to each call of a tool anew", function()
    local call = waits_for(6)
    assert.same({ minutes = 0 }, call:tool "wait")
    assert.same({ minutes = 0 }, call:tool "wait")
  end)
end)
