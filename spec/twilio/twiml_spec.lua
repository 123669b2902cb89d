-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local twiml = require "ringdown.twilio.twiml"

local HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<Response>'

local function fallback(more)
  complaints.start("x")
  local spec = { name = "x", greeting = "Hello.", prompt = "Help." }
  for key, value in pairs(more) do
    spec[key] = value
  end
  local def = agent(spec)
  assert.equal("", complaints.text())
  local function inner(text)
    assert.equal(HEAD, text:sub(1, #HEAD))
    assert.equal("</Response>\n", text:sub(-12))
    return text:sub(#HEAD + 1, -13)
  end
  return inner(twiml.fallback(def)), inner(twiml.nobody(def))
end

describe("the fallback of an agent", function()
  it("connects to the office first, and asks how that went", function()
    local text = fallback { people = { office = "+13125550101", on_call = { "+13125550188", "+13125550189" } } }
    assert.matches('^<Say language="en%-US">[^<]+</Say>'
      .. '<Dial timeout="25" action="/twilio/resume%?after=fallback" method="POST">'
      .. '<Number>%+13125550101</Number></Dial>$', text)
  end)

  it("says that nobody is there to who was not taken, and to no one else", function()
    local text, nobody = fallback { people = { office = "+13125550101" } }
    local sentence = nobody:match('^<Say language="en%-US">([^<]+)</Say><Hangup/>$')
    assert.is_nil(text:find(sentence, 1, true))
  end)

  it("rings everyone on call when there is no office", function()
    local text = fallback { people = { on_call = { "+13125550188", "+13125550189" } } }
    assert.matches("<Number>+13125550188</Number><Number>+13125550189</Number>", text, 1, true)
  end)

  it("connects whoever there is, whatever they are called", function()
    local text = fallback { people = { team = "+13125550188" } }
    assert.matches("<Dial .*<Number>%+13125550188</Number></Dial>", text)
  end)

  it("apologises in the agent's own words when there is nobody", function()
    local text = fallback { apology = 'Sorry, "we" & our <phone> are down.' }
    assert.matches("Sorry, &quot;we&quot; &amp; our &lt;phone&gt; are down.", text, 1, true)
    assert.is_nil(text:find("<Dial", 1, true))
    assert.matches('<Say language="es%-MX">Lo sentimos', (fallback { languages = { "es" } }))
  end)
end)

describe("handing over to Vapi", function()
  it("is one redirect and nothing else", function()
    assert.equal(HEAD .. '<Redirect method="POST">https://api.vapi.ai/twilio/inbound_call</Redirect></Response>\n',
      twiml.vapi_redirect())
  end)
end)
