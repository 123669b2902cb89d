-- SPDX-License-Identifier: Apache-2.0
-- What everybody says in these calls: the agent, the model, and each caller with a number of their own. A caller books
-- a visit and has a text sent, once each; the agent's table and Twilio's double would both take a second one.
local proc = require "spec.e2e.support.proc"

local talk = {}

talk.number = "+13125550260"

talk.agent = ([[
-- SPDX-License-Identifier: Apache-2.0
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
  name = "desk", numbers = { "%s" }, time_zone = "America/Chicago", people = { office = "+13125550188" },
  greeting = "Front desk, good morning.", prompt = "You are the front desk of a small hotel.",
  vars = { booked = false }, needs = { tables = { visits = "write" } },
  tools = { book_visit, tools.send_sms { templates = { "booked" } }, tools.end_call },
  sms = { booked = "See you tomorrow at nine.", missed = "Sorry we missed you." },
}
]]):format(talk.number)

local BOOKING, TEXT, GOODBYE = "Can somebody come tomorrow at nine?", "Please text me the time.",
  "Thank you very much, bye bye."

talk.goodbye = GOODBYE

-- What is said once in a call at most: twice in the books is one too many. A goodbye that was not heard is repeated.
talk.once = {
  "Do you have a room with two beds?", BOOKING, "Could somebody carry my luggage?", TEXT,
}

local MODEL = ([[
return {
  name = "chaos", from = "+13125550142", to = "%s",
  caller = { { wait = "1s" } },
  model = {
    { hears = "Do you have a room with two beds?",
      says = "Yes, there is one on the second floor, with a view of the lake, and a very quiet one above the garden." },
    { hears = "%s", tool = { name = "book_visit" }, then_says = "You are booked for tomorrow at nine. What else?" },
    { hears = "Could somebody carry my luggage?", says = "Certainly, somebody is coming to carry it up for you." },
    { hears = "%s", tool = { name = "send_sms", arguments = { template = "booked" } },
      then_says = "The text is on its way to you." },
    { hears = "%s", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
}
]]):format(talk.number, BOOKING, TEXT, GOODBYE)

-- A folder with the model's part.
function talk.write_model(folder)
  proc.run("mkdir -p " .. folder)
  proc.write(folder .. "/model.lua", MODEL)
  return folder
end

local AREAS = { "201", "206", "212", "213", "214", "215", "216", "303", "305", "312", "313", "314", "317", "402", "404",
  "405", "407", "412", "414", "415", "502", "503", "504", "505", "512", "602", "612", "615", "617", "702", "713" }

-- No two callers have numbers that look alike: that would be a swarm, which gets no texts.
function talk.caller_number(i)
  return ("+1%s%03d%04d"):format(AREAS[i % #AREAS + 1], 320 + i % 80, 100 + i % 9900)
end

local function step(text)
  return ("    { after = \"agent\", say = %q },"):format(text)
end

-- A file with the part of the i-th caller; `short`: without the two questions that only take time.
function talk.write_caller(folder, i, short)
  local steps = {}
  for k, text in ipairs(talk.once) do
    if not short or k % 2 == 0 then
      steps[#steps + 1] = step(text)
    end
  end
  for _ = 1, 4 do -- until somebody hears it
    steps[#steps + 1] = step(GOODBYE)
  end
  return proc.write(("%s/caller-%d.lua"):format(folder, i), ([[
return {
  name = "caller-%d", from = "%s", to = "%s", max = "150s",
  caller = {
%s
  },
  expect = { ended_by = "agent" },
}
]]):format(i, talk.caller_number(i), talk.number, table.concat(steps, "\n")))
end

return talk
