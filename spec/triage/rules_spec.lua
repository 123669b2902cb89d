-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local definition = require "ringdown.definition"
local emergencies = require "lib.emergencies"
local json = require "ringdown.json"
local lint = require "ringdown.triage.lint"
local template = require "ringdown.template"

local people = { on_call = { "+13125550188" }, office = "+13125550101" }

-- What loading an agent with these rules says, and the agent.
local function load_agent(rules, more)
  complaints.start("agents.x")
  local spec = { name = "x", greeting = "Hello.", prompt = "Help.", languages = { "en", "es" }, people = people,
    emergencies = rules }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  local def = agent(spec)
  return complaints.text(), def
end

local function rule(more)
  local r = { id = "gas-leak", severity = "life", any = { "smell gas" }, say = "Leave the building, then call 911.",
    transfer = "on_call" }
  for key, value in pairs(more) do
    r[key] = value
  end
  return r
end

local function complains(expected, rules, more)
  local text = load_agent(rules, more)
  assert.is_truthy(text:find(expected, 1, true), ("%s\n  is not in\n%s"):format(expected, text))
end

describe("emergencies of an agent", function()
  it("may be as short as words, what to say and whom to ask", function()
    local text, def = load_agent { rule {} }
    assert.equal("", text)
    assert.same({ en = "Leave the building, then call 911." }, def.emergencies[1].say)
    assert.equal("on_call", def.emergencies[1].transfer)
    assert.same({}, select(2, load_agent(nil)).emergencies)
  end)

  it("may text somebody, with what was said", function()
    local text, def = load_agent { rule { text = { to = "office",
      body = "GAS {{caller.number}}: {{match.words}}" } } }
    assert.equal("", text)
    assert.matches("GAS .*555.*smell", template.render(def.emergencies[1].text.body,
      { caller = { number = "+13125550142" }, match = { words = "I smell gas" } }))
  end)

  it("are told what they lack, all at once", function()
    local text = load_agent { {}, rule { id = "Gas Leak", severity = "deadly", any = {} },
      rule { near = { "smell", "gas" } } }
    for _, expected in ipairs {
      "emergencies[1]: 'id' is missing", "emergencies[1]: 'severity' is missing",
      "emergencies[1]: can never match: give it any, near, all, ask or ask_near",
      'emergencies[2].id: "Gas Leak" is not a name',
      'emergencies[2].severity: "deadly" is unknown; allowed: life, urgent, normal',
      "emergencies[2].any: is empty", 'emergencies[3].near: must say how close: { "smell", "gas", within = 6 }',
    } do
      assert.is_truthy(text:find(expected, 1, true), expected .. "\n" .. text)
    end
  end)

  it("about life must say something to the caller and tell somebody", function()
    local text = load_agent { { id = "a", severity = "life", any = { "smoke" } } }
    assert.matches("'say' is missing: what the caller must hear at once", text)
    assert.matches("nobody would be told; give it transfer", text)
    assert.equal("", (load_agent { { id = "a", severity = "normal", any = { "smoke" } } }))
  end)

  it("are in languages that are understood", function()
    local de = { languages = { "de" }, silence = { say = "Noch da?", bye = "Ade." }, apology = "Leider.",
      moment = "Moment.", max_call = { after = "10m", say = "Ende." }, unanswered = "Niemand." }
    local only = "emergencies are not understood in 'de', only in en (English) and es (Spanish); give no rules"
    complains("emergencies[1].say.de: " .. only, { rule { say = "Raus hier." } }, de)
    complains("emergencies[1]: " .. only, { { id = "a", severity = "urgent", any = { "wasser" } } }, de)
    local both = { languages = { "en", "de" } }
    complains("emergencies[1].languages[1]: " .. only, { rule { languages = { "de" } } }, both)
    complains("emergencies[1].say.de: " .. only, { rule { say = { en = "Leave.", de = "Raus." } } }, both)
    assert.equal("", (load_agent({ rule {} }, both)))
    assert.matches("callers who speak German are not understood by these rules", complaints.warnings(), 1, true)
  end)

  it("may tell nobody, and check says so", function()
    assert.equal("", (load_agent { { id = "a", severity = "urgent", any = { "smoke" } } }))
    assert.matches("emergencies[1]: 'a' tells nobody, it is only recorded; if somebody shall know",
      complaints.warnings(), 1, true)
  end)

  it("know only people of the agent, and guess who was meant", function()
    complains("emergencies[1].transfer: 'oncall' is none of people; did you mean 'on_call'?",
      { rule { transfer = "oncall" } })
    complains("emergencies[1].text.to: 'boss' is none of people; allowed: office, on_call",
      { rule { text = { to = "boss", body = "x" } } })
    complains("names nobody: this agent has no people", { rule {} }, { people = {} })
  end)

  it("know only templates that exist", function()
    complains("{{match.wrods}}: unknown path; did you mean 'match.words'?", { rule { text = { to = "office",
      body = "{{match.wrods}}" } } })
  end)

  it("have ids of their own", function()
    complains("emergencies[2].id: rule 1 is called 'gas-leak' already", { rule {}, rule { any = { "gas odor" } } })
  end)

  it("never dial 911, by whatever name", function()
    for _, number in ipairs { "911", "+1 911", "112", "+44 999", "9-1-1" } do
      complains("must be dialled by the caller, never by the agent", { rule { transfer = number } })
      complains("must be dialled by the caller, never by the agent; give the number of a person", { rule {} },
        { people = { on_call = number, police = number } })
    end
  end)

  it("never claim that help was called", function()
    for _, claim in ipairs {
      "Stay calm, help is on the way.", "I have called 911.", "I've called nine one one for you.",
      "The ambulance is coming.", "We are sending the fire department.",
      "La ayuda está en camino.", "Ya llamé al 911.", "Hemos avisado a los bomberos.", "Los bomberos ya vienen.",
      "An ambulance has been called.", "Help will arrive shortly.", "The firefighters are already driving to you.",
      "Get out; the police are en route.", "The ambulance is five minutes away.",
      "Ask for help, stay outside of the house where they can see you, and help will arrive.",
      "An ambulance should be with you in ten minutes.", "Paramedics are on their way.", "There is help coming.",
      "Los bomberos llegan enseguida.", "La ambulancia está a cinco minutos.", "Ya vienen los bomberos.",
      "La policía se dirige a su casa.", "Los bomberos están de camino.", "Una ambulancia acude a su casa.",
      "Hemos pedido una ambulancia.",
    } do
      complains("claims that help was called", { rule { say = claim } })
    end
    for _, honest in ipairs { "Leave the building now, then call 911.", "Hang up and call 911.",
      "Salga del edificio y llame al 911.", "Is help needed? Call 911.",
      "Stay there until help comes to you.", "Wait outside until the fire department arrives.",
      "We do not know when help will arrive.", "Call 911 before driving home.", "Wait for the ambulance to arrive.",
      "Call for help and wait outside for it to arrive.", "Espere fuera hasta que lleguen los bomberos.",
      "Espere hasta que la ambulancia llegue.", "No sabemos cuando llega la ayuda." } do
      assert.is_nil(lint.claim(honest), honest)
    end
  end)

  it("are refused when they can never match", function()
    complains('emergencies[1].any[2]: "gas bill leak" can never match: one of unless is in it',
      { rule { any = { "smell gas", "gas bill leak" }, unless = { "gas bill" } } })
    complains("emergencies[1].all[1]: can never match: one of unless is in it", { rule { all = { { "gas bill" } },
      unless = { "gas bill" } } })
    complains("emergencies[1].near[1]: can never match: one of unless is in it", { rule { near = { "gas bill", "leak",
      within = 4 }, unless = { "gas bill" } } })
    complains("emergencies[1].near.within: can never match: 3 words are at least 2 apart", { rule { near = { "a lot",
      "gas", "leak", within = 1 } } })
    complains("emergencies[1].any[1]: has no word in it", { rule { any = { "?!" } } })
  end)

  it("are refused when an earlier one hears all they do", function()
    complains("emergencies[2]: is shadowed by 'gas-leak' above", { rule {}, rule { id = "gas", any = { "smelling gas",
      "smells of gas" } } })
    assert.equal("", (load_agent { rule {}, rule { id = "gas", any = { "smelling gas", "propane" } } }))
    assert.equal("", (load_agent { rule { severity = "urgent" }, rule { id = "gas" } })) -- the later one is graver
    assert.equal("", (load_agent { rule { languages = { "es" } }, rule { id = "gas" } }))
  end)

  it("guess keys that were meant", function()
    complains("emergencies[1].unles: unknown key; did you mean 'unless'?", { rule { unles = { "gas bill" } } })
    complains("emergencies[1].near.witin", { rule { near = { "gas", "leak", within = 3, witin = 3 } } })
    complains("emergencies[1].phrases: must name a module below agents/", { rule { phrases = "ringdown.host" } })
  end)

  it("are shared from the library of agents, with more words and another way to act", function()
    local text, def = load_agent { emergencies.gas_leak { transfer = "office", any = { "the stove whistles" },
      say = "Out, then call 911." } }
    assert.equal("", text)
    assert.equal("life", def.emergencies[1].severity)
    assert.same({ en = "Out, then call 911." }, def.emergencies[1].say)
    local any = table.concat(def.emergencies[1].any, "|")
    assert.matches("smell gas", any)
    assert.matches("the stove whistles", any)
  end)

  it("do not burden a call with their words", function()
    local text, def = load_agent { emergencies.gas_leak { transfer = "office", text = { to = "office",
      body = "{{match.words}}" } } }
    assert.equal("", text)
    local r = json.decode(definition.texts(def)["ringdown.def.emergencies"])[1]
    assert.same({ "gas-leak", "life", "office" }, { r.id, r.severity, r.transfer })
    assert.is_nil(r.any)
    assert.is_truthy(r.say.es)
    assert.equal('"I smell gas"', template.render(r.text.body, { match = { words = "I smell gas" } }))
  end)
end)

describe("an agent whose calls may go to Vapi", function()
  local vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" }

  it("is warned that nobody listens for emergencies there, unless it knows", function()
    assert.equal("", (load_agent({ rule {} }, { vapi = vapi })))
    assert.matches("warning: vapi: calls that go to Vapi are searched for 'gas%-leak' only .*no_triage = \"accepted\"",
      complaints.warnings())
    load_agent({ rule {} }, { vapi = { assistant = vapi.assistant, no_triage = "accepted" } })
    assert.equal("", complaints.warnings())
    load_agent({ rule { severity = "normal" } }, { vapi = vapi })
    assert.equal("", complaints.warnings())
    assert.matches("vapi.no_triage: true is unknown; allowed: accepted", (load_agent(nil,
      { vapi = { assistant = vapi.assistant, no_triage = true } })))
  end)
end)
