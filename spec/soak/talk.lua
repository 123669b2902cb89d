-- SPDX-License-Identifier: Apache-2.0
-- What is said in a soak: the agent of spec/chaos/talk.lua, who also has people, emergencies and an assistant at Vapi;
-- and callers of several kinds, each a scenario of the simulated telephones.
--
--   talk.kinds             name -> { about, share, ends = by whom it is over when nothing breaks }
--   talk.write(folder)     the scenarios, for the model, the telephones and Vapi alike
--   talk.agent(n)          the n-th version of the agent's file: the same, but for what nobody hears
--   talk.broken(n)         one that does not load
local chaos = require "spec.chaos.talk"
local proc = require "spec.e2e.support.proc"

local talk = { number = "+13125550100", caller_number = chaos.caller_number } -- Vapi's double has this number

local OFFICE, ON_CALL = "+13125550188", "+13125550189"
local PERSON, LIST, ASIDE, GAS = "Please put me through to the office.", "Please tell me everything that you offer.",
  "Sorry, I only want the price of a room.", "Oh no, I smell gas in the kitchen."

local AGENT = [[
-- SPDX-License-Identifier: Apache-2.0
-- Version %d.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local db = require "ringdown.db"

local book_visit = tool {
  name = "book_visit", about = "Books the caller's visit.", effect = "write", failed = "Say that it is not certain.",
  run = function(call)
    db.exec("insert into visits (caller) values ($1)", call.caller.number)
    call.vars.booked = true
    return { booked = true }
  end,
}

return agent {
  name = "desk", numbers = { "%s" }, time_zone = "America/Chicago",
  people = { office = "%s", on_call = "%s" }, openai = { voice = "marin" }, vapi = { assistant = "%s" },
  greeting = "Front desk, good morning.", prompt = "You are the front desk of a small hotel.",
  vars = { booked = false }, needs = { tables = { visits = "write" } },
  emergencies = { { id = "gas-leak", severity = "life", any = { "smell gas" }, say = "Leave the building now.",
    transfer = "on_call", text = { to = "on_call", body = "GAS LEAK {{caller.number}}" } } },
  tools = { book_visit, tools.send_sms { templates = { "booked" } }, tools.transfer_call { to = { "office" } },
    tools.end_call },
  sms = { booked = "See you tomorrow at nine.", missed = "Sorry we missed you." },
}
]]

function talk.agent(n)
  return AGENT:format(n, talk.number, OFFICE, ON_CALL, "5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30")
end

function talk.broken(n)
  return talk.agent(n):gsub("return agent {", "return agent { greetings = ", 1)
end

local function says(text)
  return ('{ after = "agent", say = %q }'):format(text)
end

-- A goodbye that was not heard is repeated.
local function with_goodbyes(steps)
  for _ = 1, 4 do
    steps[#steps + 1] = says(chaos.goodbye)
  end
  return steps
end

local ROOM, BOOKING, LUGGAGE, TEXT = table.unpack(chaos.once)

-- `share`: of a hundred callers.
talk.kinds = {
  books = { share = 30, about = "four questions, a visit and a text", ends = "agent",
    steps = with_goodbyes { says(ROOM), says(BOOKING), says(LUGGAGE), says(TEXT) } },
  hurries = { share = 20, about = "a visit and a text", ends = "agent",
    steps = with_goodbyes { says(BOOKING), says(TEXT) } },
  interrupts = { share = 12, about = "cuts in while a long answer plays", ends = "agent", steps = with_goodbyes {
    says(LIST), ('{ during = "agent", at = "2500ms", say = %q }'):format(ASIDE), says(BOOKING) } },
  leaves = { share = 12, about = "hangs up in the middle of an answer", ends = "caller",
    steps = { says(ROOM), '{ during = "agent", at = "900ms", hangup = true }' } },
  regrets = { share = 4, about = "hangs up during the greeting", ends = "caller",
    steps = { '{ during = "agent", at = "300ms", hangup = true }' } },
  breaks = { share = 8, about = "the network loses the stream while the caller speaks", ends = "agent",
    steps = with_goodbyes { says(BOOKING), ('{ after = "agent", say = %q, breaks = "400ms" }'):format(LUGGAGE),
      says(TEXT) } },
  transfers = { share = 8, about = "wants a person, who takes the call", ends = "transfer",
    steps = { says(PERSON), '{ wait = "25s" }', '{ hangup = true }' } },
  smells_gas = { share = 6, about = "an emergency in mid-sentence: words, a text, somebody who presses 1",
    steps = { says(LIST), ('{ during = "agent", at = "1500ms", say = %q }'):format(GAS), '{ wait = "25s" }',
      '{ hangup = true }' } },
}

local MODEL = ([[
return {
  name = "model", from = "+13125550142", to = "%s", caller = { { wait = "1s" } },
  model = {
    { hears = "%s",
      says = "Yes, there is one on the second floor, with a view of the lake, and a very quiet one above the garden." },
    { hears = "%s", tool = { name = "book_visit" }, then_says = "You are booked for tomorrow at nine. What else?" },
    { hears = "%s", says = "Certainly, somebody is coming to carry it up for you." },
    { hears = "%s", tool = { name = "send_sms", arguments = { template = "booked" } },
      then_says = "The text is on its way to you." },
    { hears = "%s", says = "I am connecting you with the office.", tool = { name = "transfer_call",
      arguments = { to = "office" } } },
    { hears = "%s", says = "We offer rooms with one bed, rooms with two beds, breakfast from seven to ten, boats on "
        .. "the lake, a sauna, a library, and many other things that nobody wants to hear to the end of them." },
    { hears = "%s", says = "A room costs eighty nine dollars a night." },
    { hears = "%s", says = "Please tell me more about your kitchen." },
    { hears = "%s", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
}
]]):format(talk.number, ROOM, BOOKING, LUGGAGE, TEXT, PERSON, LIST, ASIDE, GAS, chaos.goodbye)

local CALLER = [[
return {
  name = "%s", from = "+13125550142", to = "%s", max = "120s",
  caller = {
    %s,
  },
  people = {
    ["%s"] = { answers = "human", after = "500ms", talks = "3s" },
    ["%s"] = { answers = "human", after = "500ms", presses = "1", talks = "2s" },
  },
  expect = { %s },
}
]]

-- A folder with all of them.
function talk.write(folder)
  proc.run("mkdir -p " .. proc.quote(folder))
  proc.write(folder .. "/model.lua", MODEL)
  for name, kind in pairs(talk.kinds) do
    proc.write(("%s/%s.lua"):format(folder, name), CALLER:format(name, talk.number, table.concat(kind.steps, ",\n    "),
      OFFICE, ON_CALL, kind.ends and ("ended_by = %q"):format(kind.ends) or ""))
  end
  return folder
end

-- Which kind the caller is that `roll` (1 to 100) falls on.
function talk.pick(roll)
  local names = {}
  for name in pairs(talk.kinds) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    roll = roll - talk.kinds[name].share
    if roll <= 0 then
      return name
    end
  end
  return names[#names]
end

return talk
