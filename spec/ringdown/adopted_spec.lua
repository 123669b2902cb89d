-- SPDX-License-Identifier: Apache-2.0
local adopted = require "ringdown.adopted"
local agent = require "ringdown.agent"
local fake = require "ringdown.fake"
local host = require "ringdown.host"
local tool = require "ringdown.tool"

describe("a call that another process had", function()
  local booked

  local function call_with(more)
    more = more or {}
    booked = 0
    return fake.call { agent = agent {
      name = "books", numbers = { "+13125550100" }, greeting = "Hello.", prompt = "You book.",
      vars = more.vars or { zip = "", visits = 0 },
      tools = { tool { name = "book", about = "Books.", effect = "write", failed = "Say that it failed.",
        args = { time = { type = "string", about = "When." } },
        run = function(call)
          booked = booked + 1
          call.vars.visits = call.vars.visits + 1
          return { number = booked }
        end } },
      on = { started = function() error "hooks do not run again" end, dtmf = more.dtmf },
    } }
  end

  local function take_over(known)
    local call = call_with()
    return call, adopted.take_over(call.session, known)
  end

  it("remembers its vars, and what was said and done", function()
    local call, brief = take_over { noticed = true, vars = { zip = "60614", gone = 1 }, history = {
      { role = "agent", text = "Hello." }, { role = "caller", text = "At nine, please" } } }
    assert.equal("60614", call.session.call.vars.zip)
    assert.matches("At nine, please", brief.instructions, 1, true)
    assert.matches("60614", brief.instructions, 1, true)
    assert.matches("interrupted for a moment", brief.opening, 1, true)
  end)

  it("begins with the greeting when nothing was said yet", function()
    local call, brief = take_over { history = {} }
    assert.equal(call.session:brief().opening, brief.opening)
  end)

  it("does not write again what was written", function()
    local call = take_over { history = { { tool = "book", id = "t1", arguments = '{"time":"nine"}',
      output = '{"number":7}' } } }
    assert.equal('{"number":7}', (call.session:tool("book", '{"time":"nine"}')))
    assert.equal(0, booked)
    call.session:tool("book", '{"time":"ten"}')
    assert.equal(1, booked)
  end)

  it("does not repeat a write whose outcome nobody kept", function()
    local call, brief = take_over { history = { { tool = "book", id = "t1", arguments = '{"time":"nine"}' } } }
    assert.matches("not certain", (call.session:tool("book", '{"time":"nine"}')), 1, true)
    assert.equal(0, booked)
    assert.matches("unknown", brief.instructions, 1, true)
  end)

  it("may try again what was refused", function()
    local call = take_over { history = { { tool = "book", id = "t1", arguments = '{"time":"nine"}',
      output = '{"refused":"closed"}' } } }
    call.session:tool("book", '{"time":"nine"}')
    assert.equal(1, booked)
  end)

  it("keeps its vars whenever they changed, and only then", function()
    local call = call_with()
    call.session:tool("book", '{"time":"nine"}')
    call:hears "thanks"
    local kept = {}
    for _, fact in ipairs(host.facts) do
      if fact.type == "vars" then
        table.insert(kept, fact.vars)
      end
    end
    assert.same({ { zip = "", visits = 1 } }, kept)
  end)

  it("keeps no keys that its caller pressed", function()
    local call = call_with {
      vars = { all = "", list = {}, number = 0, house = "" },
      dtmf = function(c, key)
        c.vars.all = c.vars.all .. key
        c.vars.list[#c.vars.list + 1] = key
        c.vars.number = c.vars.number * 10 + tonumber(key)
        c.vars.house = "Elm Street 4711, door " .. c.vars.all
      end,
    }
    call:presses "90816354"
    assert.equal("90816354", call.session.call.vars.all)
    local last = host.facts[#host.facts]
    assert.same({ all = "********", list = { "*", "*", "*", "*", "*", "*", "*", "*" }, number = 0,
      house = "Elm Street 4711, door ********" }, last.vars)
    for _, fact in ipairs(host.facts) do
      assert.is_nil(require("ringdown.json").encode(fact.vars or {}):find("90", 1, true))
    end
  end)

  it("keeps the one key of a choice", function()
    local call = call_with { vars = { menu = "" }, dtmf = function(c, key) c.vars.menu = key end }
    call:presses "2"
    assert.same({ menu = "2" }, host.facts[#host.facts].vars)
  end)
end)
