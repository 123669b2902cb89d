-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local shown = require "ringdown.vapi.shown"
local support = require "spec.vapi.support"

describe("a call that Vapi has by itself", function()
  before_each(support.begin)
  after_each(support.finish)

  local function vapi(call, number)
    host.set_unix(1795600000) -- 2026-11-25, 09:46:40
    local encoded = call and json.encode(call)
    host.vapi_replies = {
      ["GET /call/" .. support.ID] = encoded and { body = encoded } or { status = 404, body = "{}" },
      ["GET /phone-number/number-1"] = number and { body = json.encode { number = number } }
        or { status = 503, body = "{}" } }
  end

  local function call(more)
    local c = { id = support.ID, status = "in-progress", phoneCallProviderId = support.SID, assistantId = "assistant-1",
      phoneNumberId = "number-1", customer = { number = support.CALLER } }
    for name, value in pairs(more or {}) do
      c[name] = value
    end
    return c
  end

  local function look(sid)
    return shown.look { vapi_id = support.ID, sid = sid, within_ms = 1500 }
  end

  it("is what Vapi's API says of it", function()
    vapi(call(), support.OURS)
    assert.same({ shown = true, sid = support.SID, assistant = "assistant-1", number = support.OURS,
      from = support.CALLER }, look())
    assert.is_true(look(support.SID).shown)
  end)

  it("is none where that has none, or another, or one of long ago", function()
    vapi(nil)
    assert.same({ shown = false, absent = true }, look())
    vapi(call(), support.OURS)
    assert.is_false(look("CA99").shown)
    vapi(call { status = "ended", endedAt = "2026-11-25T09:40:00.000Z" }, support.OURS)
    assert.is_true(look().shown)
    vapi(call { status = "ended", endedAt = "2026-11-25T08:40:00.000Z" }, support.OURS)
    assert.is_false(look().shown)
  end)

  it("is unknown, and so refused, where nobody can be asked", function()
    vapi(call()) -- its number is not told
    assert.is_false(look().shown)
    host.vapi_replies = nil
    assert.same({ shown = false }, look())
  end)
end)
