-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local json = require "ringdown.json"
local site = require "ringdown.site"

local SHOWN = "places"

-- Reads a file of sites as `sites import` does.
local function read(text, countries)
  package.preload[SHOWN] = load(text, "@places.lua")
  package.loaded[SHOWN] = nil
  local list, wrong = site.read(SHOWN, countries)
  package.preload[SHOWN], package.loaded[SHOWN] = nil, nil
  return list and json.decode(list), wrong
end

local function call_at(where, more)
  complaints.start("x")
  local spec = { name = "north-side", greeting = "Hello.",
    prompt = 'At {{site.name}}, {{site.parking or "no parking"}}.',
    time_zone = "America/Chicago", hours = { mon_fri = "08:00-17:00" },
    people = { office = "+13125550101", on_call = "+13125550188" } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  local def = agent(spec)
  assert.equal("", complaints.text())
  return fake.call { agent = def, site = where }
end

describe("a file of sites", function()
  it("becomes rows, sorted, with all facts in one object", function()
    local list = read [[return {
      loop = { name = "Loop" },
      lakeview = { name = "Lakeview", time_zone = "Europe/Berlin", hours = { mon = "08:00-12:00" },
        people = { office = "+13125550101" }, prices = { drain = 90 }, facts = { parking = "behind" } },
    }]]
    assert.same({ site = "lakeview", name = "Lakeview", time_zone = "Europe/Berlin", facts = { parking = "behind",
      hours = { mon = "08:00-12:00" }, people = { office = "+13125550101" }, prices = { drain = 90 } } }, list[1])
    assert.same({ site = "loop", name = "Loop", facts = {} }, list[2])
  end)

  it("tells all its mistakes at once", function()
    local _, wrong = read [[return {
      ["Lake View"] = { name = "x" },
      loop = { nme = "Loop", time_zone = "Chicago", people = { office = "312" } },
      north = { name = "North", facts = { hours = "all day" } },
    }]]
    assert.matches("is no site's id; use lower case letters", wrong)
    assert.matches("loop.nme: unknown key; did you mean 'name'?", wrong, 1, true)
    assert.matches("loop: 'name' is missing", wrong, 1, true)
    assert.matches("loop.time_zone: 'Chicago' is no time zone", wrong, 1, true)
    assert.matches('loop.people.office: "312" is not a phone number', wrong, 1, true)
    assert.matches("north.facts.hours: is a field of the site itself", wrong, 1, true)
  end)

  it("has prices that can be told", function()
    local list, wrong = read [[return {
      loop = { name = "Loop", prices = {
        drain = 1 / 0, visit = 0 / 0, tap = {} } },
    }]]
    assert.is_nil(list)
    assert.matches("%.lua:%d+: loop.prices.drain: must be a text or a number, not inf", wrong)
    assert.matches("loop.prices.visit: must be a text or a number, not %-?nan", wrong)
    assert.matches("loop.prices.tap: must be a text or a number, not table", wrong)
  end)

  it("is asked again whom the agent may call when a number is assigned to it", function()
    local people = '{"office":"+13125550101","boss":["+447700900123"]}'
    assert.is_nil(site.people_wrong("loop", people, nil))
    assert.is_nil(site.people_wrong("loop", people, '{"US":true,"GB":true}'))
    assert.matches("^loop.people.boss.1: %+447700900123 is in GB, where this agent calls nobody",
      site.people_wrong("loop", people, '{"US":true}'))
  end)

  it("names nobody who must not be called", function()
    local _, wrong = read [[return {
      loop = { name = "Loop", people = { office = "+19005550101", on_call = { "+13125550188", "+1911911" } } },
    }]]
    assert.matches("loop.people.office: %+19005550101 is a premium", wrong)
    assert.matches("loop.people.on_call%[2%]: %+1911911 is an emergency number", wrong)
    complaints.start("x")
    local call = call_at { id = "loop", people = { office = "+19005550101" } }
    assert.same({ office = { "+13125550101" }, on_call = { "+13125550188" } }, call.session.def.people)
  end)

  it("has somebody in every group of its people", function()
    local _, wrong = read [[return { loop = { name = "Loop", people = { team = {}, office = "+13125550101" } } }]]
    assert.matches("loop.people.team: has no number, so that nobody would be called or texted", wrong, 1, true)
    assert.matches("loop.people.team: has no number", site.people_wrong("loop", '{"team":[]}'), 1, true)
    local call = call_at { id = "loop", people = { on_call = {}, office = "+13125550199" } }
    assert.same({ office = { "+13125550199" }, on_call = { "+13125550188" } }, call.session.def.people)
  end)

  it("names nobody in a country where its agent calls nobody", function()
    local text = [[return { loop = { name = "Loop", people = { office = { "+13125550101", "+493055501" } } } }]]
    local _, wrong = read(text, '{"US":true}')
    assert.matches("loop.people.office[2]: +493055501 is in DE, where this agent calls nobody; add it to countries",
      wrong, 1, true)
    assert.is_table((read(text, '{"DE":true,"US":true}')))
    assert.is_table((read(text)))
    local call = call_at({ id = "loop", people = { office = "+493055501" } }, { countries = { "US" } })
    assert.matches("is in DE", select(2, call:transfer "office"))
  end)

  it("says when it is none", function()
    assert.matches("must end in: return", select(2, read "return 7"))
    assert.matches("must hold 1 to 2000 sites", select(2, read "return {}"))
    assert.matches("places.lua:1: ", select(2, read "error 'broken'"), 1, true)
  end)

  it("holds two hundred places", function()
    local list = read [[local t = {} for i = 1, 200 do t["shop_" .. i] = { name = "Shop " .. i } end return t]]
    assert.equal(200, #list)
  end)
end)

describe("a call's site", function()
  it("is the agent itself, without an assignment", function()
    local call = call_at(nil)
    assert.matches("At North Side, no parking.", call.brief.instructions, 1, true)
    assert.equal("default", call.session.call.site.id)
  end)

  it("goes before what the agent says", function()
    fake.now "2026-11-24 12:00"
    local call = call_at({ id = "berlin", name = "Berlin Mitte", time_zone = "Europe/Berlin", parking = "in the yard",
      hours = { sat = "10:00-12:00" }, people = { office = "+49301234567" } },
      { prompt = "At {{site.name}}, {{site.parking}}. {{hours.text}}. {{now.time}}" })
    assert.matches("At Berlin Mitte, in the yard. Saturday 10 am to 12 pm. 12:00", call.brief.instructions, 1, true)
    assert.equal("in the yard", call.session.call.site.parking)
    assert.same({ "+49301234567" }, call.session.def.people.office)
    assert.same({ "+13125550188" }, call.session.def.people.on_call)
  end)

  it("does not end calls when somebody broke its row by hand", function()
    local call = call_at({ id = "loop", name = "Loop", time_zone = "Mars", hours = "always", people = { office = 7 } })
    assert.equal("America/Chicago", call.session.def.time_zone)
    assert.same({ "+13125550101" }, call.session.def.people.office)
    assert.matches("8 am to 5 pm", call.session.def.hours_text)
    assert.equal("site.not_understood", call.log[1].event)
  end)
end)

describe("what is done beside a call", function()
  local host = require "ringdown.fake.host"
  local store = require "ringdown.store"
  local OURS, THEIRS = "+13125550100", "+13125550199"
  local berlin = { id = "berlin", name = "Berlin Mitte", time_zone = "Europe/Berlin", people = { on_call = THEIRS } }
  local heard

  local function call_of_berlin()
    heard = nil
    return call_at(berlin, { numbers = { OURS }, countries = { "US" },
      emergencies = { { id = "fire", severity = "life", any = { "fire" }, say = "Leave the building.",
        transfer = "on_call", text = { to = "on_call", body = "FIRE at {{site.name}}" } } },
      sms = { missed = "{{site.name}} missed you." },
      on = { sms = function(call)
        heard = { site = call.site.id, hour = call:now().time }
        store.set("last", 1)
        call:reply("This is " .. call.site.name)
      end } })
  end

  local function last_text(call)
    local text = call.texts[#call.texts]
    return text and text.to .. ": " .. text.body:match "^[^\n]*"
  end

  it("tells the people of the number's site of an emergency", function()
    local call = call_of_berlin()
    call:hears "there is a fire"
    assert.equal(THEIRS .. ": FIRE at Berlin Mitte", last_text(call))
    assert.matches(THEIRS:sub(2), host.twilio_requests[1].form, 1, true)
  end)

  it("goes on with an open emergency at its site", function()
    local call = call_of_berlin()
    pcall(require("ringdown.errand").run, call.def, "emergency", json.encode { call = "CA1", rule = "fire",
      severity = "life", source = "rule", words = "fire", from = "+13125550142", to = OURS, ended = true,
      resumed = true, steps = 3 })
    assert.matches("^%+13125550199: FIRE at Berlin Mitte", last_text(call))
  end)

  it("rehearses with the people of the site", function()
    local call = call_of_berlin()
    require("ringdown.errand").run(call.def, "drill", json.encode { drill = "d1", rule = "fire", who = "x" })
    local form = host.twilio_requests[1].form
    assert.matches(THEIRS:sub(2), form, 1, true)
    assert.matches("Berlin", form, 1, true)
  end)

  it("answers texts and missed calls as the site", function()
    fake.now "2026-11-24 18:00"
    local call = call_of_berlin()
    call:is_missed "gave_up"
    assert.equal("+13125550142: Berlin Mitte missed you.", last_text(call))
    call:texts_back "hello"
    assert.same({ site = "berlin", hour = "18:00" }, heard)
    assert.equal("+13125550142: This is Berlin Mitte", last_text(call))
  end)
end)
