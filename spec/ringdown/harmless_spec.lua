-- SPDX-License-Identifier: Apache-2.0
-- What an agent is in a synthetic call: a voice, and nothing that could touch anybody.
local harmless = require "ringdown.harmless"
local json = require "ringdown.json"

describe("an agent in a synthetic call", function()
  local def

  before_each(function()
    def = {
      name = "dentist", tools = { { name = "send_sms" }, { name = "end_call" }, { name = "report_emergency" } },
      on = { started = function() error "a hook ran" end }, emergencies = { { id = "gas" } },
      sms = { missed = "sorry" },
      people = { on_call = { "+13125550188" } }, routing = function() return "vapi" end, wants_customer = true,
      greeting_words = "hello",
    }
  end)

  it("keeps its voice, and the tool that hangs up", function()
    local less = harmless.of(def)
    assert.equal("hello", less.greeting_words)
    assert.same({ { name = "end_call" } }, less.tools)
    assert.same({ {}, {}, {} }, { less.on, less.emergencies, less.people })
    assert.same({ false }, { less.wants_customer })
    assert.is_nil(less.sms)
    assert.is_nil(less.routing)
    assert.equal(3, #def.tools, "the agent itself stays as it is")
  end)

  it("offers the model nothing but that, and is not recorded", function()
    local brief = harmless.brief { record = true,
      tools_json = json.encode { { name = "send_sms" }, { name = "end_call" } } }
    assert.same({ { name = "end_call" } }, json.decode(brief.tools_json))
    assert.is_false(brief.record)
    assert.equal("[]", harmless.brief { tools_json = "[]" }.tools_json)
  end)

  it("goes where the call says, and decides nothing", function()
    local session = { form = {}, runs_here = function(_, system) return system == "openai" end }
    local system, reason, _, facts = harmless.route(session)
    assert.same({ "openai", "synthetic", "default" }, { system, reason, facts.first_reason })
    session.form.RingdownSystem = "vapi"
    assert.has_error(function() harmless.route(session) end)
    session.runs_here = function() return true end
    assert.equal("vapi", (harmless.route(session)))
  end)
end)
