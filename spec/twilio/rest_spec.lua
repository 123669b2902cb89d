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
      body = '{"code":20001,"message":"Twiml is too long."}' } }
    assert.same({ nil, "Twilio answered 400: Twiml is too long.", 20001 },
      { rest.update_call(SID, { Twiml = "<Response/>" }) })
    assert.equal(1, #host.twilio_requests)
    host.twilio_replies = {}
    assert.same({ nil, "connection refused" }, { rest.fetch_call(SID) })
  end)

  it("takes a call that is over already for what it is: no mistake", function()
    host.twilio_replies = { ["POST " .. PATH] = { status = 400,
      body = '{"code":21220,"message":"Call is not in-progress."}' } }
    assert.same({ sid = SID, over = true }, rest.update_call(SID, { Status = "completed" }))
    assert.same({ sid = SID, over = true }, rest.update_call(SID, { Twiml = "<Response/>" }))
    local call, _, code = rest.update_call(SID, { Status = "canceled" }) -- that one is in progress
    assert.is_nil(call)
    assert.equal(21220, code)
  end)

  it("sends nothing that makes no sense", function()
    assert.has_error(function() rest.update_call(SID, { Url = "x" }) end,
      "update_call: unknown field 'Url'; allowed: Twiml, Status")
    assert.has_error(function() rest.update_call(SID, {}) end, "update_call: either Twiml or Status")
    assert.has_error(function() rest.update_call("../x", { Status = "completed" }) end, "not the id of a call")
    assert.equal(0, #host.twilio_requests)
  end)
end)

local function requests()
  local list = {}
  for i, r in ipairs(host.twilio_requests) do
    list[i] = r.method
  end
  return table.concat(list, " ")
end

describe("when Twilio does not answer as it should", function()
  local GET, POST = "GET " .. PATH, "POST " .. PATH
  local over, going = { body = '{"status":"completed"}' }, { body = '{"status":"in-progress"}' }

  before_each(host.reset)

  it("reads are repeated, whatever it was", function()
    host.twilio_replies = { [GET] = { { status = 503 }, { lost = true }, { not_sent = true }, over } }
    assert.equal("completed", rest.fetch_call(SID).status)
    assert.equal("GET GET GET GET", requests())
    assert.same({ "twilio failed", "twilio failed", "twilio failed", "twilio worked" }, host.told)
  end)

  it("too many requests: it was not processed, and is repeated when Twilio says so", function()
    host.twilio_replies = { [POST] = { { status = 429, retry_after_ms = 2000 }, over } }
    assert.equal("completed", rest.update_call(SID, { Status = "completed" }).status)
    assert.equal("POST POST", requests())
    assert.same({ 2000 }, host.naps)
  end)

  it("a hang-up whose answer was lost is not repeated when the call is over", function()
    host.twilio_replies = { [POST] = { lost = true }, [GET] = over }
    assert.equal("completed", rest.update_call(SID, { Status = "completed" }).status)
    assert.equal("POST GET", requests())
  end)

  it("a hang-up that failed is repeated when the call still goes on", function()
    host.twilio_replies = { [POST] = { { status = 500 }, over }, [GET] = going }
    assert.equal("completed", rest.update_call(SID, { Status = "completed" }).status)
    assert.equal("POST GET POST", requests())
  end)

  it("new instructions are not given twice, unless somebody knows that they did not arrive", function()
    host.twilio_replies = { [POST] = { { lost = true }, going } }
    assert.same({ nil, "the answer was lost", "unknown" }, { rest.update_call(SID, { Twiml = "<Response/>" }) })
    assert.equal("POST", requests())
    host.twilio_replies = { [POST] = { { lost = true }, going } }
    assert.equal("in-progress", rest.update_call(SID, { Twiml = "<Response/>" }, function()
      return false
    end).status)
  end)

  describe("a dial that it may or may not have read", function()
    local children

    before_each(function()
      children = {}
      host.twilio_replies = { ["POST " .. PATH] = { { status = 429 }, { status = 503 }, {} },
        ["GET Calls.json"] = function()
          return { body = ('{"calls":[%s]}'):format(table.concat(children, ",")) }
        end }
    end)

    local function dial()
      return rest.update_call(SID, { Twiml = "<Response/>" }, rest.dial_read_back(SID, { "+13125550188" }))
    end

    it("is asked for again when nobody is rung for the caller", function()
      children = { '{"status":"no-answer","to":"+13125550188"}', '{"status":"ringing","to":"+13125550101"}' }
      assert.is_table(dial())
      assert.equal("POST POST GET POST", requests())
      assert.equal("PageSize=50&ParentCallSid=" .. SID, host.twilio_requests[3].form)
    end)

    it("has happened when somebody is", function()
      children = { '{"status":"completed"}', '{"status":"ringing","to":"+13125550188"}' }
      assert.is_table(dial())
      assert.equal("POST POST GET", requests())
    end)

    it("stays unknown when that cannot be read", function()
      host.twilio_replies["GET Calls.json"] = { status = 403 }
      local done, _, code = dial()
      assert.is_nil(done)
      assert.equal("unknown", code)
    end)
  end)

  it("what costs money is read back before it is sent again", function()
    local asked = 0
    host.twilio_replies = { ["POST Messages.json"] = { lost = true } }
    local text = rest.write {
      path = "Messages.json", form = { To = "+13125550188", Body = "Hi" },
      read_back = function()
        asked = asked + 1
        return { sid = "SM1" }
      end,
    }
    assert.same({ sid = "SM1" }, text)
    assert.equal(1, asked)
    assert.equal("POST", requests())
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

  it("says so when the caller cannot be hung up", function()
    host.twilio_replies = { ["GET " .. PATH] = { body = '{"status":"in-progress"}' },
      ["POST " .. PATH] = { status = 401, body = '{"code":20003,"message":"Authenticate"}' } }
    assert.is_false(watchdog.after(SID, "agent_hangup"))
    assert.equal("watchdog.not_ended", host.log_lines[2].event)
  end)

  it("does not claim a hang-up that was the caller's own", function()
    host.twilio_replies = { ["GET " .. PATH] = { body = '{"status":"in-progress"}' },
      ["POST " .. PATH] = { status = 400, body = '{"code":21220,"message":"Call is not in-progress."}' } }
    assert.is_false(watchdog.after(SID, "agent_hangup"))
    assert.equal(1, #host.log_lines)
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
