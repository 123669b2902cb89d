-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
local rest = require "ringdown.twilio.rest"
local watchdog = require "ringdown.twilio.watchdog"

local SID = "CA00000000000000000000000000000001"
local PATH = "Calls/" .. SID .. ".json"

describe("Twilio's REST API", function()
  before_each(function()
    host.reset()
  end)

  it("ends a call or gives it new instructions", function()
    host.twilio_replies = { ["POST " .. PATH] = { body = '{"status":"completed"}' } }
    assert.equal("completed", rest.update_call(SID, { Status = "completed" }).status)
    rest.update_call(SID, { Twiml = "<Response><Say>Hi & bye</Say></Response>" })
    assert.same({ method = "POST", path = PATH, form = "Status=completed" }, host.twilio_requests[1])
    assert.equal("Twiml=%3CResponse%3E%3CSay%3EHi%20%26%20bye%3C%2FSay%3E%3C%2FResponse%3E",
      host.twilio_requests[2].form)
  end)

  it("tells what Twilio said against it", function()
    host.twilio_replies = { ["POST " .. PATH] = { status = 400,
      body = '{"code":21220,"message":"Call is not in-progress."}' } }
    assert.same({ nil, "Twilio answered 400: Call is not in-progress.", 21220 },
      { rest.update_call(SID, { Status = "completed" }) })
    host.twilio_replies = {}
    assert.same({ nil, "connection refused" }, { rest.fetch_call(SID) })
  end)

  it("sends nothing that makes no sense", function()
    assert.has_error(function() rest.update_call(SID, { Url = "x" }) end,
      "update_call: unknown field 'Url'; allowed: Twiml, Status")
    assert.has_error(function() rest.update_call(SID, {}) end, "update_call: either Twiml or Status")
    assert.has_error(function() rest.update_call("../x", { Status = "completed" }) end, "not the id of a call")
    assert.equal(0, #host.twilio_requests)
  end)
end)

describe("after the end of a call", function()
  before_each(function()
    host.reset()
  end)

  it("hangs up a caller who was left on the line", function()
    host.twilio_replies = { ["GET " .. PATH] = { body = '{"status":"in-progress"}' }, ["POST " .. PATH] = {} }
    assert.is_true(watchdog.after(SID, "agent_hangup"))
    assert.equal(1, #host.naps)
    assert.equal("Status=completed", host.twilio_requests[2].form)
  end)

  it("leaves a finished call alone", function()
    host.twilio_replies = { ["GET " .. PATH] = { body = '{"status":"completed"}' } }
    assert.is_false(watchdog.after(SID, "agent_hangup"))
    assert.equal(1, #host.twilio_requests)
  end)

  it("never touches a call that /twilio/resume still decides", function()
    host.twilio_replies = { ["GET " .. PATH] = { body = '{"status":"in-progress"}' } }
    for _, reason in ipairs { "provider_failed", "script_failed", "carrier_lost", "caller_hangup" } do
      assert.is_false(watchdog.after(SID, reason))
    end
    assert.equal(0, #host.twilio_requests)
  end)

  it("does nothing without credentials", function()
    assert.is_false(watchdog.after(SID, "agent_hangup"))
    assert.equal(0, #host.naps)
  end)
end)
