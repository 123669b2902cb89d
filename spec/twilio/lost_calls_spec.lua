-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
package.loaded["ringdown.host"] = package.loaded["ringdown.host"] or host

local json = require "ringdown.json"
local lost_calls = require "ringdown.twilio.lost_calls"

describe("calls that a dead node left open", function()
  local words
  local SIDS = {}
  for i = 1, 3 do
    SIDS[i] = ("CA%032x"):format(i)
  end

  before_each(function()
    host.reset()
    words = {}
    table.insert(host.query_handlers, { part = "close_call", answer = function(params)
      local word = json.decode(params[1])
      words[#words + 1] = word
      return { { word.status == "in-progress" and "open" or "closed" } }
    end })
  end)

  local function twilio(replies)
    host.twilio_replies = {}
    for i, reply in ipairs(replies) do
      host.twilio_replies[("GET Calls/%s.json"):format(SIDS[i])] = reply
    end
    lost_calls.run { node = "b", calls = { table.unpack(SIDS, 1, #replies) } }
  end

  it("are what the carrier says: over since when, going on, never heard of", function()
    twilio {
      { body = '{"status":"completed","duration":"21","end_time":"Wed, 25 Nov 2026 09:47:01 +0000"}' },
      { body = '{"status":"in-progress","duration":null,"end_time":null}' },
      { status = 404, body = '{"code":20404,"message":"The requested resource was not found"}' },
    }
    assert.same({
      { call = SIDS[1], by = "b", status = "completed", duration_s = 21, ended_at = "Wed, 25 Nov 2026 09:47:01 +0000" },
      { call = SIDS[2], by = "b", status = "in-progress" },
      { call = SIDS[3], by = "b", unknown = true },
    }, words)
  end)

  it("stay as they are while the carrier cannot be asked", function()
    twilio { { not_sent = true }, { body = '{"status":"completed"}' } }
    assert.same({}, words)
    assert.equal("lost_calls.no_answer", host.log_lines[#host.log_lines].event)
    host.twilio_replies = nil -- no credentials
    lost_calls.run { node = "b", calls = SIDS }
    assert.same({}, words)
  end)
end)
