-- SPDX-License-Identifier: Apache-2.0
-- Statistics: what calls were like in some time, from the hours that are counted each minute (ringdown.stats), as JSON
-- or as a table for spreadsheets. Every group names the filter that opens its calls.
local owners = require "ringdown.api.owners"
local problem = require "ringdown.api.problem"
local read = require "ringdown.stats.read"

local maybe = { type = "string", nullable = true }

local schemas = {
  Statistics = { type = "object", about = "calls of some time, and what became of them", fields = {
    period = { type = "object", open = true, ours = true, required = true, about = "what time that was" },
    zone = { type = "string", required = true, about = "whose days these are: the agent's, else UTC" },
    agent = maybe, site = maybe, system = maybe, by = maybe,
    total = { type = "object", open = true, ours = true, required = true,
      about = "unless a site is asked for, also `model`: tokens, those that came from the cache, and their share" },
    errors = { type = "array", nullable = true,
      about = "without `by`: codes of errors, of the newest 500 calls that had any",
      of = { type = "object", fields = { code = { type = "string", required = true },
        n = { type = "integer", required = true }, call = { type = "string", required = true,
          about = "one that shows it" } } } },
    groups = { type = "array", of = { type = "object", open = true, ours = true }, required = true,
      about = "each with its filter for the list of calls" },
    percentile_error = { type = "number", required = true, about = "a percentile is this much off at most" },
    behind = { type = "object", open = true, ours = true, nullable = true, about = "what is not counted yet" },
  } },
}

local TEXT_CSV = "text/csv; charset=utf-8"

local function refuse(why)
  problem(422, "fields", "The request is not what this route takes", { detail = (why:gsub("^%-%-", "")) })
end

local function statistics(r)
  local answer = owners.change("It is not counted", refuse, read.range, owners.asked(r))
  if r.query.format == "csv" then
    return 200, table.concat(require("ringdown.stats.show").csv(answer), "\n") .. "\n", { ["content-type"] = TEXT_CSV }
  end
  return 200, answer
end

return {
  schemas = schemas,
  { method = "GET", path = "/statistics", role = "viewer", scoped = true,
    about = "volume, outcomes, waits, tools, emergencies, bookings and cost of some time",
    query = { agent = { type = "string", format = "agent" }, site = { type = "string", format = "label" },
      system = { type = "string", one_of = { "openai", "vapi", "fallback", "none" } },
      since = { type = "string", max = 40, default = "7d", about = "7d, 24h, or a day like 2026-11-02" },
      ["until"] = { type = "string", max = 40, about = "the last day" },
      by = { type = "string", one_of = read.by }, tests = { type = "boolean", about = "calls of our own as well" },
      imported = { type = "boolean", about = "calls that Vapi had before we answered as well" },
      format = { type = "string", one_of = { "json", "csv" }, default = "json" } },
    answers = { [200] = "Statistics" }, example = { path = "/statistics", query = "since=30d&by=weekday" },
    run = statistics },
}
