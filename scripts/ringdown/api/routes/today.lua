-- SPDX-License-Identifier: Apache-2.0
-- Today: one day in one sentence, its numbers, and what opens the calls behind each (ringdown.stats.today).
local owners = require "ringdown.api.owners"
local problem = require "ringdown.api.problem"
local today = require "ringdown.stats.today"

local count = { type = "integer", required = true }
local money = { type = "integer", nullable = true, about = "null: not known" }
local maybe = { type = "string", nullable = true }
local day = { type = "string", format = "date", required = true }
local time = { type = "string", format = "time", required = true }

local brief = { calls = count, answered = count, missed = count, bookings = count, emergencies = count,
  micro_usd = money, unknown_calls = count }

local function with(more)
  local fields = {}
  for _, some in ipairs { brief, more } do
    for name, field in pairs(some) do
      fields[name] = field
    end
  end
  return { type = "object", fields = fields, nullable = true }
end

local part = { type = "object", fields = {
  name = { type = "string", required = true, one_of = { "answered", "missed", "fallback", "bookings", "emergencies",
    "cost", "vapi" } },
  text = { type = "string", required = true },
  opens = { type = "object", nullable = true, about = "the list of its calls", fields = {
    list = { type = "string", required = true, about = "a path of this API" },
    query = { type = "object", open = true, ours = true, required = true } } } } }

local schemas = {
  Today = { type = "object", about = "one day, by the clock at each site; what is not known is null", fields = {
    day = day, name = { type = "string", required = true, about = "Friday, November 27" },
    zone = { type = "string", required = true, about = "whose clock says which day is today" }, zone_note = maybe,
    so_far = { type = "boolean", required = true, about = "the day is not over" }, agent = maybe, site = maybe,
    sentence = { type = "string", required = true, about = "all of it, for people" },
    parts = { type = "array", of = part, required = true, about = "the sentence in its parts" },
    calls = count, answered = count, missed = count, missed_texted = count,
    missed_waiting = { type = "integer", required = true, about = "texts that wait until they may go out" },
    fallback = count, failed = count, bookings = count,
    emergencies = { type = "object", required = true, fields = { all = count, confirmed = count, open = count,
      abandoned = count, slowest_s = { type = "integer", nullable = true },
      items = { type = "array", required = true, about = "20 at most", of = { type = "object", fields = {
        call = { type = "string", required = true }, rule = { type = "string", required = true }, severity = maybe,
        state = { type = "string", required = true }, matched_at = time,
        seconds = { type = "integer", nullable = true, about = "until somebody took it" } } } } } },
    cost = { type = "object", required = true, fields = { micro_usd = money, known_calls = count,
      unknown_calls = count } },
    on_vapi = { type = "object", required = true, about = "what the same calls would cost if Vapi had all of them",
      fields = { micro_usd = money, low_micro_usd = money, high_micro_usd = money, half_micro_usd = money,
        saved_micro_usd = money, n = { type = "integer", nullable = true, about = "by so many calls that Vapi had" },
        calls = { type = "integer", required = true, about = "that were on OpenAI" },
        minutes = { type = "number", required = true, about = "of these" },
        reason = { type = "string", nullable = true, about = "why it is not known" } } },
    before = with { day = day, by_now = with { ["until"] = time } },
    behind = { type = "object", open = true, ours = true, nullable = true, about = "what is not counted yet" },
  } },
}

local function refuse(why)
  problem(422, "fields", "The request is not what this route takes", { detail = (why:gsub("^%-%-", "")) })
end

return {
  schemas = schemas,
  { method = "GET", path = "/today", role = "viewer", scoped = true,
    about = "one day in one sentence, its numbers, and what opens the calls behind each",
    query = {
      day = { type = "string", max = 10, default = "today", about = "a day like 2026-11-27, today or yesterday" },
      agent = { type = "string", format = "agent" }, site = { type = "string", format = "label" } },
    answers = { [200] = "Today" }, example = { path = "/today", query = "day=yesterday" },
    run = function(r)
      return 200, owners.change("It is not counted", refuse, today.read, owners.asked(r))
    end },
}
