-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pages = require "ringdown.vapi.pages"
local rest = require "ringdown.vapi.rest"

local ID = "8f2c1d7e-1111-4222-8333-444455556666"

describe("Vapi's REST API", function()
  before_each(host.reset)

  it("shows one call, and pages of them", function()
    host.vapi_replies = { ["GET /call/" .. ID] = { body = '{"status":"ended"}' },
      ["GET /call?createdAtLt=2026-11-25T09%3A46%3A40.000Z&limit=50"] = { body = '[{"id":"a"}]' } }
    assert.equal("ended", rest.call(ID).status)
    assert.same({ { id = "a" } }, rest.calls { before = "2026-11-25T09:46:40.000Z", limit = 50 })
    assert.has_error(function() rest.call("../assistant") end, "not an id of Vapi")
  end)

  it("says what Vapi has against it, a text or a list of them", function()
    host.vapi_replies = { ["POST /call"] = { status = 400,
      body = '{"message":["assistantId must be a UUID","name is too long"],"error":"Bad Request","statusCode":400}' } }
    assert.same({ nil, "Vapi answered 400: assistantId must be a UUID; name is too long", "wrong" },
      { rest.create_call {} })
    host.vapi_replies = { ["POST /call"] = { status = 400, body = '{"error":"Over Concurrency Limit."}' } }
    assert.same({ nil, "Vapi answered 400: Over Concurrency Limit.", "full" }, { rest.create_call {} })
    host.vapi_replies = { ["GET /assistants"] = {}, ["GET /call/" .. ID] = { status = 404, body = "<html>" } }
    assert.same({ nil, "Vapi answered 404: no reason given", "absent" }, { rest.call(ID) })
  end)

  it("asks again what can be asked again", function()
    host.vapi_replies = { ["GET /call/" .. ID] = { { status = 429, retry_after_ms = 2000 }, { lost = true },
      { status = 502 }, { body = '{"status":"ended"}' } } }
    assert.equal("ended", rest.call(ID).status)
    assert.equal(4, #host.vapi_requests)
    assert.equal(2000, host.naps[1])
  end)

  it("shows all numbers and assistants, also more than Vapi tells at once", function()
    for path, list in pairs { ["/phone-number"] = pages.phone_numbers, ["/assistant"] = pages.assistants } do
      local page = {}
      for i = 1, 1000 do
        page[i] = { id = ("n%d"):format(i), createdAt = ("2026-11-25T09:46:00.%03dZ"):format((1000 - i) // 2) }
      end
      host.vapi_replies = { ["GET " .. path .. "?limit=1000"] = { body = json.encode(page) },
        ["GET " .. path .. "?createdAtLe=2026-11-25T09%3A46%3A00.000Z&limit=1000"] = { body = json.encode {
          page[999], page[1000], { id = "n1001", createdAt = "2026-11-25T09:46:00.000Z" },
          { id = "n1002", createdAt = "2026-11-24T09:46:00.000Z" } } } }
      local all = list()
      assert.same({ 1002, "n1002" }, { #all, all[1002].id })
    end
    host.vapi_requests, host.vapi_replies = {}, { ["GET /phone-number?limit=1000"] = { lost = true } }
    assert.is_nil(pages.phone_numbers({ first_ms = 1, max_ms = 1, attempts = 1 }, 500))
    assert.equal(1, #host.vapi_requests) -- a caller waits
  end)

  it("begins a call once, whatever came of it", function()
    host.vapi_replies = { ["POST /call"] = { lost = true } }
    assert.same({ nil, "the answer was lost", "unknown" }, { rest.create_call { name = "x" } })
    assert.same({ { method = "POST", path = "/call", body = '{"name":"x"}' } }, host.vapi_requests)
  end)
end)
