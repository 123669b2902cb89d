-- SPDX-License-Identifier: Apache-2.0
-- A real call to a number: who has it, and is that who must have it?
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local world = require "spec.numbers.world"

local A, B = "+13125550100", "+13125550101"
local CALL = "CA0123456789abcdef0123456789abcdef"

describe("a real call", function()
  local looks, twilio, query, vapi_calls, ours_at

  -- Our own record is there from the nth look of ours on.
  local function ours_is_there()
    world.sql(([[insert into calls (call, started_at, agent, from_number, to_number, system, reason, decision_epoch)
      values ('%s', now(), 'plumber', '%s', '%s', 'vapi', 'split', 1)]]):format(CALL, B, A), {})
  end

  before_each(function()
    world.begin { A, B }
    world.sql("delete from calls", {})
    looks, vapi_calls, ours_at = 0, {}, nil
    twilio, query = host.twilio, host.query
    host.twilio = function(method, path, form)
      if method == "POST" and path == "Calls.json" then
        table.insert(vapi_calls, vapi_calls.then_has)
        return { status = 201, body = json.encode { sid = CALL, status = "queued" }, retry_after_ms = 0 }
      elseif path:find "^Calls/" then
        return { status = 200, body = json.encode { sid = CALL, status = "completed" }, retry_after_ms = 0 }
      end
      return twilio(method, path, form)
    end
    host.query = function(sql, params)
      looks = looks + (sql:find("from calls", 1, true) and 1 or 0)
      if ours_at and looks == ours_at then
        ours_at = nil
        ours_is_there()
      end
      return query(sql, params)
    end
    package.loaded["ringdown.vapi.rest"].calls = function()
      return vapi_calls
    end
  end)
  after_each(function()
    host.twilio, host.query = twilio, query
  end)
  teardown(world.finish)

  local function verify()
    return assert(world.run("verify", { numbers = { A }, call = true, from = B }))
  end

  local function vapi_has_it()
    vapi_calls.then_has = { id = "v-1", assistantId = "as-1", customer = { number = B } }
  end

  it("that only the safety net answered is a failure of a number that leads to us", function()
    world.run("switch", { to = "ringdown", numbers = { A } })
    vapi_has_it()
    assert.is_true(verify().failed)
    assert.matches("FAILED: answered by Vapi without us, assistant as%-1.*must come through us", world.text())
  end)

  it("that Vapi answers through us is good, although Vapi knows of it first", function()
    world.run("switch", { to = "ringdown", numbers = { A } })
    vapi_has_it()
    ours_at = 12
    assert.is_false(verify().failed)
    assert.matches("answered here by agent plumber, on vapi", world.text())
  end)

  it("that Vapi answers is good of a number that leads there, and that we do is not", function()
    world.run("switch", { to = "ringdown", numbers = { A } })
    world.run("switch", { to = "vapi", numbers = { A } })
    vapi_has_it()
    assert.is_false(verify().failed)
    assert.matches("answered by Vapi without us", world.text())
    vapi_calls, ours_at, looks = {}, 3, 0
    assert.is_true(verify().failed)
    assert.matches("FAILED: answered here .*; it must be answered by Vapi, without us", world.text())
  end)

  it("that nobody answers is a failure", function()
    assert.is_true(verify().failed)
    assert.matches("nobody that we know answered a call", world.text())
  end)
end)
