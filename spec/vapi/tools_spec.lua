-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local support = require "spec.vapi.support"
local tools = require "ringdown.vapi.tools"

describe("tools that Vapi's model calls", function()
  local def

  before_each(function()
    support.begin()
    def = support.agent()
  end)
  after_each(support.finish)

  local function ask(list, more)
    local p = support.payload(more)
    p.tools = list
    tools.run(p, def)
    return host.replies[#host.replies]
  end

  local function call(name, arguments, id)
    return { id = id or "call_1", type = "function",
      ["function"] = { name = name, arguments = json.encode(arguments) } }
  end

  it("are the agent's own, answered in one line each", function()
    local reply = ask { call("eta", { zip = "60614" }) }
    assert.same({ { toolCallId = "call_1", name = "eta", result = '{"minutes":35,"note":"two\\nlines"}' } },
      reply.results)
    assert.same({ "tool", "tool" }, { host.facts[1].type, host.facts[2].type })
    assert.same({ false, true }, { host.facts[1].done, host.facts[2].done })
  end)

  it("are read in each shape that Vapi's pages show", function()
    for _, shape in ipairs {
      call("eta", { zip = "60614" }),
      { id = "call_1", name = "eta", arguments = { zip = "60614" } },
      { id = "call_1", name = "eta", parameters = { zip = "60614" } },
      { id = "call_1", type = "function", ["function"] = { name = "eta", parameters = { zip = "60614" } } },
      { type = "function", toolCall = call("eta", { zip = "60614" }),
        ["function"] = { name = "eta", parameters = {} } },
    } do
      local result = ask({ shape }).results[1]
      assert.same({ "call_1", "eta" }, { result.toolCallId, result.name })
      assert.matches('"minutes":35', result.result, 1, true)
    end
    tools.run(support.payload { ["function"] = { name = "eta", parameters = { zip = "60614" } } }, def)
    assert.matches('"minutes":35', host.replies[#host.replies].result, 1, true)
  end)

  it("are all answered, whatever becomes of one of them", function()
    local reply = ask { call("eta", { zip = "00000" }, "a"), call("nothing", {}, "b"), call("eta", { zip = "x" }, "c"),
      call("eta", { zip = "60614" }, "d") }
    assert.same({ "a", "b", "c", "d" }, { reply.results[1].toolCallId, reply.results[2].toolCallId,
      reply.results[3].toolCallId, reply.results[4].toolCallId })
    assert.equal("Say that we will text the time.", reply.results[1].error)
    assert.matches("There is no tool 'nothing'", reply.results[2].result, 1, true)
    assert.matches("arguments are wrong", reply.results[3].result, 1, true)
    assert.matches("35", reply.results[4].result, 1, true)
  end)

  it("that break are in the log with their place, and without the caller's number", function()
    for i, t in ipairs(def.tools) do
      if t.name == "eta" then
        def.tools[i].run = function(c)
          error("no zone for " .. c.caller.number)
        end
      end
    end
    assert.truthy(ask({ call("eta", { zip = "60614" }) }).results[1].error)
    local line = host.log_lines[#host.log_lines]
    assert.equal("vapi.tool_failed", line.event)
    assert.matches("spec/vapi/tools_spec.lua:%d+", json.encode(line):gsub("\\/", "/"))
    assert.is_nil((json.encode(line):find("3125550142", 1, true)))
  end)

  it("write once, however often they are asked", function()
    local first = ask { call("book", { time = "nine" }) }
    assert.same(first, ask { call("book", { time = "nine" }) })
    assert.equal(1, support.booked)
    ask { call("book", { time = "ten" }) }
    assert.equal(2, support.booked)
  end)

  it("may write again what was refused", function()
    ask { call("book", { time = "never" }) }
    assert.same({}, support.writes)
  end)

  it("say that it is not certain when nobody knows what a write came to", function()
    ask { call("book", { time = "nine" }) }
    for _, write in pairs(support.writes) do
      write.output = false -- the process that did it died
    end
    assert.matches("not certain", ask({ call("book", { time = "nine" }) }).results[1].result, 1, true)
    assert.equal(1, support.booked)
  end)

  it("write nothing without the database, and read all the same", function()
    host.database_down = "no route"
    local reply = ask { call("book", { time = "nine" }, "a"), call("eta", { zip = "60614" }, "b") }
    assert.equal("Say that it failed.", reply.results[1].error)
    assert.matches("35", reply.results[2].result, 1, true)
    assert.equal(0, support.booked)
  end)

  it("go on with what the call remembers, and keep what changed", function()
    support.memory.vars = { visits = 4 }
    ask { call("book", { time = "nine" }) }
    local kept
    for _, fact in ipairs(host.facts) do
      kept = fact.type == "vars" and fact.vars or kept
    end
    assert.same({ visits = 5 }, kept)
  end)

  it("have what the call remembers in the database before Vapi has their answer", function()
    local reply = host.reply
    local at_reply
    host.reply = function(...)
      at_reply = support.memory.state and support.memory.state.vars
      return reply(...)
    end
    ask { call("book", { time = "nine" }) }
    assert.same({ visits = 1 }, at_reply)
  end)

  it("of two webhooks at a time are one after the other, and both remember", function()
    local slept, sleep = {}, host.sleep
    support.held = "another node"
    host.sleep = function(ms)
      slept[#slept + 1] = ms
      if #slept == 3 then -- it is done, and has left this
        support.held, support.memory.vars = nil, { visits = 7 }
      end
      return sleep(ms)
    end
    assert.matches('"number":1', ask({ call("book", { time = "nine" }) }).results[1].result, 1, true)
    assert.same({ 20, 40, 80 }, slept)
    assert.equal(8, support.memory.state.vars.visits)
    assert.is_nil(support.held)
  end)

  it("do not wait for one that never comes to its end", function()
    support.held = "a node that hangs"
    assert.matches("35", ask({ call("eta", { zip = "60614" }) }).results[1].result, 1, true)
    assert.equal("vapi.call_busy", host.log_lines[#host.log_lines].event)
    assert.equal("a node that hangs", support.held)
  end)

  it("are stopped when a model is in a loop, whichever webhooks it comes by", function()
    support.memory.tools_lately = 40
    assert.matches("Too many tools", ask({ call("eta", { zip = "60614" }) }).results[1].result, 1, true)
  end)

  it("answer for all when one is late", function()
    ask { call("eta", { zip = "60614" }, "a"), call("eta", { zip = "60615" }, "b") }
    -- What C answers when that tool's time is over: set by the last tool that ran, with the first one's result.
    local late
    local deadline = host.deadline
    support.begin()
    host.deadline = function(_, document)
      late = late or document
    end
    tools.run(support.payload { tools = { call("eta", { zip = "60614" }, "a") } }, def)
    host.deadline = deadline
    assert.same({ { toolCallId = "a", name = "eta", error = "Say that we will text the time." } },
      json.decode(late).results)
  end)

  it("hang up and hand over by Vapi's own control, after their answer", function()
    ask { call("end_call", {}) }
    assert.same({ type = "end-call" }, host.controlled[1])
    ask { call("transfer_call", { to = "office" }) }
    assert.same({ type = "transfer", destination = { type = "number", number = "+13125550101" } }, host.controlled[2])
    assert.equal(1, support.memory.state.transfers)
  end)

  it("hang up and hand over by Twilio when Vapi's control is not known", function()
    local path = "POST Calls/" .. support.SID .. ".json"
    host.twilio_replies = { [path] = {} }
    ask({ call("end_call", {}) }, { control = false })
    ask({ call("transfer_call", { to = "office" }) }, { control = false })
    assert.same({}, host.controlled)
    assert.equal("Status=completed", host.twilio_requests[1].form)
    assert.matches("%2B13125550101", host.twilio_requests[2].form, 1, true)
  end)
end)

describe("tools of a call that Vapi lost, and OpenAI has now,", function()
  local sessions = require "ringdown.session"
  local session, def

  before_each(function()
    support.begin()
    def = support.agent { vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11", route = "bridge" } }
    session = sessions.new(def, { CallSid = support.SID, From = support.CALLER, To = support.OURS })
    session:runs_here "vapi"
  end)
  after_each(support.finish)

  local function by_webhook(time)
    local p = support.payload { tools = { { id = "w", name = "book", arguments = { time = time } } } }
    tools.run(p, def)
    return host.replies[#host.replies].results[1].result
  end

  local function by_line(time)
    return (session:tool("book", json.encode { time = time }))
  end

  it("do not write again what a webhook wrote, and know what it remembered", function()
    local first = by_webhook "nine"
    assert.equal(first, by_line "nine")
    assert.equal(1, support.booked)
    assert.equal(1, session.call.vars.visits)
    assert.equal('{"number":2}', by_line "ten")
    assert.equal(2, session.call.vars.visits)
  end)

  it("came to what the ledger says, also while the records have no answer yet", function()
    local first = by_webhook "nine"
    support.memory.history = { { tool = "book", arguments = json.encode { time = "nine" } } }
    assert.equal(first, by_line "nine")
    assert.equal(1, support.booked)
    support.memory.history = nil
  end)

  it("are not written again by a webhook that comes late", function()
    local first = by_line "nine"
    assert.equal(first, by_webhook "nine")
    assert.equal(1, support.booked)
  end)

  it("may be tried again when they were refused", function()
    by_line "never"
    assert.same({}, support.writes)
  end)

  it("write nothing when nobody can say what Vapi did", function()
    host.database_down = "no route"
    assert.has_error(function()
      by_line "nine"
    end, "nothing was done, because perhaps it was done at Vapi already: no route")
    assert.equal(0, support.booked)
    host.database_down = nil
    assert.equal('{"number":1}', by_line "nine")
  end)

  it("write all the same where OpenAI had the call from the beginning", function()
    session:runs_here "openai"
    host.database_down = "no route"
    assert.equal('{"number":1}', by_line "nine")
  end)
end)

describe("where to transfer", function()
  local destination, def = require "ringdown.vapi.destination", nil

  before_each(function()
    support.begin()
    def = support.agent()
  end)
  after_each(support.finish)

  local function ask(arguments)
    local asked = arguments and { { id = "t", name = "transferCall", arguments = arguments } }
    destination.run(support.payload { tools = asked }, def)
    return host.replies[#host.replies]
  end

  it("is one of the people whom transfer_call may reach", function()
    assert.same({ destination = { type = "number", number = "+13125550101" } }, ask { destination = "office" })
    assert.same({ destination = { type = "number", number = "+13125550101" } }, ask())
  end)

  it("is nobody else, least of all a number that a model says", function()
    assert.matches("Nobody is called 'on_call'", ask({ to = "on_call" }).error, 1, true)
    assert.matches("Nobody is called '+19005550100'", ask({ to = "+19005550100" }).error, 1, true)
  end)
end)

describe("who answers", function()
  it("is the agent's assistant, which knows caller and site", function()
    support.begin()
    require "ringdown.vapi.assistant".run(support.payload(), support.agent())
    local reply = host.replies[1]
    assert.equal("5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11", reply.assistantId)
    local values = reply.assistantOverrides.variableValues
    assert.same({ support.SID, "books", support.CALLER, "Books" },
      { values.ringdown_call, values.agent, values.caller.number, values.site.name })
    support.finish()
  end)
end)

describe("a call on Vapi that cannot be told what to do", function()
  before_each(support.begin)
  after_each(support.finish)

  it("is in the log with what Twilio answered, and without its words", function()
    host.twilio_replies = { ["POST Calls/" .. support.SID .. ".json"] = { status = 400,
      body = '{"code":21211,"message":"The number +13125550142 is not valid"}' } }
    local control = require "ringdown.vapi.control"
    assert.is_nil((control.transfer(support.payload { control = "https://down" }, "+13125550142")))
    local line = json.encode(host.log_lines[#host.log_lines])
    assert.matches("Twilio answered 400", line, 1, true)
    assert.is_nil((line:find("3125550142", 1, true)))
  end)
end)

describe("a call that is begun at Vapi before it is sent there", function()
  local bypass, def = require "ringdown.vapi.bypass", nil

  before_each(function()
    support.begin()
    def = support.agent { vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11", route = "bypass" } }
    table.insert(host.query_handlers, { part = "numbers_seen", answer = { { "number-1" } } })
  end)
  after_each(support.finish)

  local function ask(reply)
    host.vapi_replies = { ["POST /call"] = reply }
    bypass.run(support.payload(), def)
    return host.replies[#host.replies]
  end

  local good = { status = 201, body = json.encode { id = support.ID, status = "queued",
    phoneCallProviderDetails = { twiml = '<?xml version="1.0"?><Response><Connect/></Response>' } } }

  it("is answered with Vapi's own document, unchanged", function()
    assert.same({ twiml = '<?xml version="1.0"?><Response><Connect/></Response>' }, ask(good))
    local body = json.decode(host.vapi_requests[1].body)
    assert.same({ true, "number-1", support.CALLER, support.SID }, { body.phoneCallProviderBypassEnabled,
      body.phoneNumberId, body.customer.number, body.assistantOverrides.variableValues.ringdown_call })
    assert.same({ "vapi", support.ID, "bypass" }, { host.facts[1].type, host.facts[1].vapi_id, host.facts[1].route })
  end)

  it("asks Vapi for the number's id when nobody has looked", function()
    table.insert(host.query_handlers, { part = "numbers_seen", answer = {} })
    host.vapi_replies = { ["POST /call"] = good,
      ["GET /phone-number?limit=1000"] = { body = json.encode { { id = "n2", number = support.OURS } } } }
    bypass.run(support.payload(), def)
    assert.equal("n2", json.decode(host.vapi_requests[2].body).phoneNumberId)
  end)

  it("is redirected, and so are the next ones, when this account has no bypass", function()
    assert.matches("no document", ask({ status = 201, body = '{"id":"x"}' }).redirect, 1, true)
    assert.matches("no bypass", ask(good).redirect, 1, true)
    assert.equal(1, #host.vapi_requests)
  end)

  it("is redirected when Vapi refuses, or does not answer", function()
    assert.matches("must be a UUID", ask({ status = 400, body = '{"message":["x must be a UUID"]}' }).redirect, 1, true)
    assert.matches("lost", ask({ lost = true }).redirect, 1, true)
    assert.matches("twiml", json.encode(ask(good)), 1, true) -- the next call is not held to it
  end)

  it("is in the log with what Vapi answered, and without its words", function()
    ask { status = 400, body = '{"message":"customer +13125550142 is no number"}' }
    local line = json.encode(host.log_lines[#host.log_lines])
    assert.matches("Vapi answered 400, wrong", line, 1, true)
    assert.is_nil((line:find("3125550142", 1, true)))
  end)

  it("is not begun once whoever waits has gone on without it, and ended if that was in the meantime", function()
    host.vapi_replies = { ["POST /call"] = good }
    bypass.run(support.payload { by_ms = host.now_ms() + 600 }, def)
    assert.same({}, host.vapi_requests)
    assert.equal("vapi.no_bypass", host.log_lines[#host.log_lines].event)
    local vapi = host.vapi
    function host.vapi(...)
      host.sleep(5000)
      return vapi(...)
    end
    local answer = json.decode(good.body)
    answer.monitor = { controlUrl = support.CONTROL }
    host.vapi_replies = { ["POST /call"] = { status = 201, body = json.encode(answer) } }
    bypass.run(support.payload { by_ms = host.now_ms() + 4000 }, def)
    assert.equal(3500, host.vapi_requests[1].timeout_ms)
    assert.same({ { type = "end-call" } }, host.controlled)
    assert.is_nil(host.replies[#host.replies].twiml)
    assert.same({}, host.facts)
  end)

  it("may go to the other system when Vapi takes no more", function()
    assert.same({ full = true }, ask { status = 400, body = '{"message":"Over Concurrency Limit"}' })
  end)
end)
