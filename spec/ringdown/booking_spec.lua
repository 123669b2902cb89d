-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local fake_host = require "ringdown.fake.host"
local tools = require "ringdown.tools"

local function agent_with(more)
  complaints.start("x")
  local spec = { name = "x", greeting = "Hello.", prompt = "Help.", time_zone = "America/Chicago",
    hours = { mon_fri = "09:00-12:00", sat = "10:00-12:00", closed = { "2026-11-26" } },
    tools = { tools.check_availability, tools.book_appointment, tools.lookup_customer } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  local def = agent(spec)
  assert.equal("", complaints.text())
  return def
end

local function call_with(more, opts)
  local o = { agent = agent_with(more) }
  for key, value in pairs(opts or {}) do
    o[key] = value
  end
  return fake.call(o)
end

local function says(answer)
  local list = {}
  for i, slot in ipairs(answer.times) do
    list[i] = slot.say
  end
  return answer.day .. ": " .. table.concat(list, ", ")
end

describe("check_availability", function()
  before_each(function()
    fake.now "2026-11-24 07:30" -- a Tuesday
  end)

  it("offers a few times of the day, within the hours", function()
    local answer = call_with():tool("check_availability", { day = "wednesday" })
    assert.equal("Wednesday, November 25: 9 am, 9:30 am, 10 am, 11 am", says(answer.free))
    assert.equal(1, answer.free.more)
  end)

  it("leaves out what is taken, and what begins too soon", function()
    fake.booked { from = "2026-11-24 10:00", to = "2026-11-24 10:30" }
    local call = call_with()
    assert.equal("Tuesday, November 24: 10:30 am, 11 am", says(call:tool("check_availability", { day = "today" }).free))
  end)

  it("knows closed days, and says what is next", function()
    local answer = call_with():tool("check_availability", { day = "2026-11-26" })
    assert.is_false(answer.free)
    assert.equal("Friday, November 27", answer.next.day)
  end)

  it("offers a time as long as one of several people is free", function()
    fake.booked { from = "2026-11-25 09:00", to = "2026-11-25 12:00", resource = "anna" }
    local checks = tools.check_availability { resources = { "anna", "ben" }, length = "90m", step = "90m" }
    local more = { tools = { checks } }
    assert.equal("Wednesday, November 25: 9 am, 10:30 am",
      says(call_with(more):tool("check_availability", { day = "tomorrow" }).free))
    fake.booked { from = "2026-11-25 09:00", to = "2026-11-25 12:00", resource = "anna" }
    fake.booked { from = "2026-11-25 09:00", to = "2026-11-25 10:00", resource = "ben" }
    assert.equal("Wednesday, November 25: 10:30 am",
      says(call_with(more):tool("check_availability", { day = "tomorrow" }).free))
  end)

  it("narrows to a part of the day and to how long a service takes", function()
    local more = { hours = { mon_fri = "09:00-18:00" }, tools = { tools.check_availability {
      services = { checkup = "30m", surgery = "3h" }, step = "1h" } } }
    local call = call_with(more)
    assert.equal("Wednesday, November 25: 12 pm, 1 pm, 2 pm, 3 pm",
      says(call:tool("check_availability", { day = "tomorrow", part = "afternoon", service = "surgery" }).free))
    assert.matches("must be one of: checkup, surgery",
      call:tool("check_availability", { day = "tomorrow", service = "haircut" }).problems[1])
  end)

  it("does not offer the hour that summer time skips", function()
    fake.now "2027-03-13 08:00" -- the clock jumps from 2 to 3 on the 14th, in Chicago
    local more = { tools = { tools.check_availability { hours = { sun = "01:00-05:00" }, step = "30m" } } }
    local answer = call_with(more):tool("check_availability", { day = "2027-03-14" })
    assert.equal("Sunday, March 14: 1 am, 1:30 am, 3 am, 4 am", says(answer.free))
  end)

  it("refuses days that are over or too far", function()
    local call = call_with()
    assert.matches("is over", call:tool("check_availability", { day = "2026-11-23" }).refused)
    assert.matches("60 days ahead", call:tool("check_availability", { day = "2027-06-01" }).refused)
  end)

  it("has a sentence when the database is down", function()
    local call = call_with()
    fake.database_down()
    local answer, raised = call:tool("check_availability", { day = "tomorrow" })
    assert.matches("calendar is not answering", answer.say)
    assert.matches("does not answer", raised)
  end)

  it("goes by the site's hours and zone where the number has a site", function()
    local site = { id = "berlin", name = "Berlin", time_zone = "Europe/Berlin", hours = { mon_fri = "13:00-15:00" } }
    local answer = call_with(nil, { site = site }):tool("check_availability", { day = "tomorrow" })
    assert.equal("Wednesday, November 25: 1 pm, 1:30 pm, 2 pm", says(answer.free))
  end)

  it("tells mistakes in its options with the line", function()
    complaints.start("x")
    tools.check_availability { lenght = "1h", step = "1 hour" }
    assert.matches("check_availability.lenght: unknown key; did you mean 'length'?", complaints.text(), 1, true)
    assert.matches('booking_spec.lua:%d+: check_availability.step: "1 hour" is no duration', complaints.text())
    complaints.start("x")
    local _ = tools.end_call { now = true }
    assert.matches("booking_spec.lua:%d+: the tool 'end_call' takes no options; use it as it is", complaints.text())
  end)
end)

describe("book_appointment", function()
  before_each(function()
    fake.now "2026-11-24 07:30"
  end)

  it("books a free time, remembers it in call.visit and tells the agent", function()
    local told
    local call = call_with({ vars = { booked = false }, on = { booked = function(c, visit)
      told = visit
      c.vars.booked = true
    end } })
    local answer = call:tool("book_appointment", { day = "wednesday", time = "09:30", name = "Ann Lee",
      service = "drain" })
    assert.same({ booked = true, day = "Wednesday, November 25", time = "9:30 am", service = "drain" }, answer)
    assert.is_true(call.vars.booked)
    assert.equal(1795620600, call.visit.start)
    assert.equal(call.visit, told)
    assert.equal("Ann Lee", told.name)
  end)

  it("books once for who asks twice, in whatever words", function()
    local count = 0
    local call = call_with({ on = { booked = function() count = count + 1 end } })
    call:tool("book_appointment", { day = "wednesday", time = "09:30" })
    call:tool("book_appointment", { day = "2026-11-25", time = "9:30", name = "Ann" })
    assert.equal(1, #require("ringdown.fake.database").appointments())
    assert.equal(1, count)
  end)

  it("says what is nearest when somebody was faster", function()
    fake.booked { from = "2026-11-25 09:00", to = "2026-11-25 10:00" }
    local call = call_with()
    local answer = call:tool("book_appointment", { day = "wednesday", time = "09:30" })
    assert.is_false(answer.booked)
    assert.matches("just been taken", answer.say)
    assert.equal("Wednesday, November 25: 10 am, 10:30 am, 11 am", says(answer.nearest))
    assert.is_nil(call.visit)
  end)

  it("does not book when nobody works", function()
    local answer = call_with():tool("book_appointment", { day = "wednesday", time = "15:00" })
    assert.is_false(answer.booked)
    assert.matches("no visit can begin then", answer.say)
    assert.matches("60 days", call_with():tool("book_appointment", { day = "2027-03-01", time = "09:00" }).refused)
    assert.matches("no time of day", call_with():tool("book_appointment", { day = "friday", time = "29:00" }).refused)
  end)

  it("stands even when the agent's hook breaks", function()
    local call = call_with({ on = { booked = function() error "broken hook" end } })
    assert.is_true(call:tool("book_appointment", { day = "wednesday", time = "09:00" }).booked)
    local last = call.log[#call.log]
    assert.equal("booking.hook_failed", last.event)
  end)

  it("books nothing when the database is down, and says so", function()
    local call = call_with()
    fake.database_down()
    local answer = call:tool("book_appointment", { day = "wednesday", time = "09:00" })
    assert.matches("nothing is booked yet", answer.say)
    assert.is_nil(call.visit)
  end)

  it("asks as the agent that runs, whatever a script says it is", function()
    local call = call_with()
    call.session.call.agent.name = "someone-else"
    call:tool("book_appointment", { day = "wednesday", time = "09:00" })
    assert.equal("x", fake_host.queries[#fake_host.queries].params[1])
  end)
end)

describe("lookup_customer", function()
  local ann = { number = "+13125550142", name = "Ann Lee", email = "ann@example.com", facts = { gate_code = "1234" } }

  it("tells a first name and that we know them, and no more", function()
    fake.customer(ann)
    assert.same({ known = true, first_name = "Ann" }, call_with():tool "lookup_customer")
  end)

  it("knows nobody by a number that is new or withheld", function()
    fake.customer(ann)
    assert.same({ known = false }, call_with(nil, { from = "+13125550199" }):tool "lookup_customer")
    fake.customer(ann)
    assert.same({ known = false }, call_with(nil, { from = "anonymous" }):tool "lookup_customer")
  end)

  it("tells more only to a caller who was verified", function()
    local more = { tools = { tools.lookup_customer { show = { "name", "gate_code" } } },
      verify = { ask = { "postcode" }, check = function(_, answers)
        return answers.postcode == "60614"
      end } }
    fake.customer(ann)
    local call = call_with(more)
    assert.is_nil(call:tool("lookup_customer").gate_code)
    call:tool("verify_caller", { postcode = "60614" })
    assert.same({ known = true, name = "Ann Lee", gate_code = "1234" }, call:tool "lookup_customer")
  end)

  it("has a sentence when the database is down", function()
    local call = call_with()
    fake.database_down()
    assert.matches("cannot be opened", call:tool("lookup_customer").say)
  end)
end)

describe("who calls", function()
  local ann = { number = "+13125550142", name = "Ann Lee", facts = { vip = true } }

  it("is known to agents that ask for it", function()
    fake.customer(ann)
    local call = call_with({ prompt = 'Caller: {{caller.name or "unknown"}}.' }, { name = "ANN L" })
    assert.matches('Caller: "Ann Lee"', call.brief.instructions, 1, true)
    assert.is_true(call.session.call.caller.known)
  end)

  it("can decide where the call goes", function()
    fake.customer(ann)
    local call = call_with { vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" },
      routing = function(c) if c.caller.vip then return "vapi", "vip" end end }
    assert.equal("vapi", call.system)
    assert.equal("vip", call.reason)
  end)

  it("is not asked of the database for nothing", function()
    call_with()
    assert.same({}, fake_host.queries)
  end)

  it("is nobody when the carrier says that the number is forged, or the database is slow", function()
    fake.customer(ann)
    local prompt = { prompt = '{{caller.name or "unknown"}}' }
    local call = call_with(prompt, { form = { StirVerstat = "TN-Validation-Failed-C" } })
    assert.is_nil(call.session.call.caller.known)
    fake.query("from customers", function() return nil, "the database is slow", "down" end)
    assert.matches("^unknown", call_with(prompt).brief.instructions)
  end)
end)
