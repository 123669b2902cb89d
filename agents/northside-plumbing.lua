-- SPDX-License-Identifier: Apache-2.0
-- Northside Plumbing: answers the phone and books visits, every day of the week.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local time = require "ringdown.time"

local FIRST, LAST = "08:00", "18:00" -- when a visit may begin
local DAYS_AHEAD = 60

local book_visit = tool {
  name = "book_visit",
  about = "Book a plumber's visit. Use it as soon as the caller has named a day and a time.",
  effect = "write",
  args = {
    day = { type = "string", about = "today, tomorrow, a weekday, or a date like 2026-11-24", max = 30 },
    time = { type = "string", about = "when the visit begins, 24 hours, like 09:00", pattern = "^%d%d?:%d%d$" },
    name = { type = "string", about = "the caller's name, if given", optional = true, max = 80 },
  },
  failed = "Say the calendar is not answering and that we will call back to agree on a time.",
  run = function(call, args)
    local now = call:now()
    local day, why = time.day(now, args.day)
    local minutes = time.minutes(args.time)
    if not day then
      return nil, why
    elseif not minutes then
      return nil, args.time .. " is no time of day; ask again."
    elseif minutes < time.minutes(FIRST) or minutes > time.minutes(LAST) then
      return nil, "Visits begin between 8 am and 6 pm; offer a time in between."
    elseif day < now.date or day == now.date and minutes <= now.minutes then
      return nil, "That is in the past; offer the next free day."
    elseif time.days_between(now.date, day) > DAYS_AHEAD then
      return nil, "We book at most two months ahead; offer an earlier day."
    end
    call.vars.visit = { day = day, time = args.time, name = args.name }
    return { booked = true, day = time.day_text(day), time = time.clock_text(minutes) }
  end,
}

return agent {
  name = "northside-plumbing",
  numbers = { "+13125550100" },
  time_zone = "America/Chicago",
  languages = { "en", "es" },
  hours = { mon_fri = "08:00-17:00", sat = "09:00-12:00", closed = { "2026-12-25" } },
  people = { on_call = { "+13125550188", "+13125550189" }, office = "+13125550101" },
  vars = { visit = {} },
  openai = { voice = "marin" },
  notice = { ai = true, recording = true },
  greeting = {
    en = "Northside Plumbing, how can I help?",
    es = "Northside Plumbing, ¿en qué puedo ayudar?",
  },
  prompt = agent.file "northside-plumbing.md",
  tools = { book_visit, tools.end_call },
  silence = { after = "12s", times = 2 },
  max_call = "15m",
}
