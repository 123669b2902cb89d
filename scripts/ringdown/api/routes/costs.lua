-- SPDX-License-Identifier: Apache-2.0
-- Costs: what some time cost, the calls behind it, both systems over the same calls, and prices, each with the day it
-- begins. What is not known is told as not known, and never 0. Money is whole micro-dollars, and dollars for people.
local behind = require "ringdown.stats.behind"
local budgets = require "ringdown.stats.budgets"
local costs = require "ringdown.stats.costs"
local host = require "ringdown.host"
local jobs = require "ringdown.jobs"
local json = require "ringdown.json"
local owners = require "ringdown.api.owners"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local rates = require "ringdown.stats.rates"
local read = require "ringdown.stats.read"

local open = { type = "object", open = true, ours = true, required = true }
local maybe = { type = "string", nullable = true }
local time = { type = "string", format = "time" }
local whats = { "openai", "twilio_voice", "twilio_stream", "twilio_dial", "sms", "hosting" }

local rate_fields = {
  what = { type = "string", one_of = whats, required = true }, model = { type = "string", required = true },
  unit = { type = "string", required = true }, micro_usd_per_million = { type = "integer", required = true,
    about = "micro-dollars for a million units" },
  usd = { type = "string", required = true, about = "dollars for one `per`" },
  per = { type = "string", required = true, about = "minute, segment, month, or 1M tokens" },
  valid_from = time, valid_to = { type = "string", format = "time", nullable = true }, source = maybe,
  now = { type = "boolean", nullable = true, about = "it holds now" } }

local function saving(about)
  return { type = "object", required = true, about = about, fields = {
    micro_usd = { type = "integer", nullable = true, about = "null: not known, and reason says why" },
    low_micro_usd = { type = "integer", nullable = true }, high_micro_usd = { type = "integer", nullable = true },
    calls = { type = "integer", required = true }, left_out = { type = "integer", nullable = true,
      about = "calls whose cost is not known" }, reason = maybe } }
end

local schemas = {
  Costs = { type = "object", about = "what some time cost", fields = {
    period = open, zone = { type = "string", required = true }, agent = maybe, site = maybe, system = maybe, by = maybe,
    usd = { type = "string", required = true, about = "of the calls whose cost is known" },
    total = open, groups = { type = "array", of = { type = "object", open = true, ours = true }, required = true },
    hosting_month_micro_usd = { type = "integer", nullable = true, about = "each month, beside all of this" },
  } },
  CostCalls = { type = "object", about = "the calls behind some dollars, the dearest first", fields = {
    period = open, next = { type = "string", nullable = true,
      about = "`cursor` of the next page; none: this is the last" }, calls = { type = "array", required = true,
        max = 200, of = { type = "object", fields = {
      call = { type = "string", required = true }, started_at = time, agent = maybe, site = maybe, system = maybe,
      outcome = maybe, talk_ms = { type = "integer", nullable = true }, micro_usd = { type = "integer", nullable = true,
        about = "none: not known" }, known_part_micro_usd = { type = "integer", required = true,
        about = "what is known of it" }, amount_micro_usd = { type = "integer", nullable = true,
        about = "the same as micro_usd, or the part that item or basis asks for" }, reason = { type = "string",
          nullable = true, about = "why it is not known" } } } },
  } },
  CostCompared = { type = "object", about = "a minute, a call, a booking on either system, over the same mix of calls",
    fields = { agent = { type = "string", required = true }, period = open, calls = open, measures = open,
      changed = { type = "integer", nullable = true } } },
  CostSavings = { type = "object", about = "what OpenAI saves against Vapi; below 0 it costs more", fields = {
    period = open, zone = { type = "string", required = true }, agent = maybe, so_far = saving("in that time"),
    at_all = saving("in 30 days, if OpenAI had all calls"),
    agents = { type = "array", required = true, of = { type = "object", fields = {
      agent = { type = "string", required = true },
      share = { type = "number", required = true, about = "of its calls that were on OpenAI" },
      so_far = saving(), at_all = saving() } } } } },
  CostCap = { type = "object",
    about = "what calls may cost: at 80 % somebody is told, then new calls hear the fallback", fields = {
      agent = { type = "string", nullable = true, required = true, about = "null: all together" },
      day_micro_usd = { type = "integer", nullable = true, about = "each day of the agent's clock; UTC for all" },
      call_micro_usd = { type = "integer", nullable = true, about = "each call" },
      version = { type = "string", required = true, about = "its etag: send it as If-Match" },
      set_by = { type = "string", nullable = true, about = "null: the agent's file says it" },
      set_at = { type = "string", format = "time", nullable = true },
      spent_micro_usd = { type = "integer", nullable = true, about = "today" },
      unknown_calls = { type = "integer", nullable = true, about = "of today, whose cost is not all known" },
      state = { type = "string", one_of = { "ok", "near", "over" }, nullable = true },
      ["until"] = { type = "string", format = "time", nullable = true, about = "the day is over" },
      looked_at = { type = "string", format = "time", nullable = true } } },
  CostCapSet = { type = "object", fields = { caps = { type = "array", of = { ref = "CostCap" }, required = true,
      about = "as they are now" },
    changed = { type = "boolean", required = true, about = "false: it was so already" },
    version = { type = "string", required = true, about = "the etag of this one" },
    dry_run = { type = "boolean", nullable = true, about = "nothing was written" },
    was = { type = "object", nullable = true, about = "what was set here; null: nothing", fields = {
      day_micro_usd = { type = "integer", nullable = true }, call_micro_usd = { type = "integer", nullable = true },
      set_by = maybe } },
    said = { type = "array", of = { type = "string" }, required = true, about = "what one should know" },
    next_call = { type = "string", required = true } } },
  Rate = { type = "object", about = "a price", fields = rate_fields },
  RateSet = { type = "object", fields = { rate = { ref = "Rate", required = true },
    was = { type = "object", nullable = true, fields = rate_fields,
      about = "the price that held then; null: none did" },
    version = { type = "string", required = true, about = "of the prices of this: its etag" },
    dry_run = { type = "boolean", nullable = true, about = "nothing was written: this is what would be" },
    calls = { type = "integer", nullable = true,
      about = "of a dry run with `recost`: how many calls would be reckoned anew; 100000: so many or more" },
    next_call = { type = "string", required = true } } },
  RateBegun = { type = "object", about = "a job reckons calls anew", fields = {
    job = { type = "string", format = "id", required = true }, next_call = { type = "string", required = true } } },
}

local function refuse(why)
  problem(422, "fields", "The request is not what this route takes", { detail = owners.plain(why) })
end

local function dollars(micro)
  return ("%.2f"):format(micro / 1000000)
end

-- A price for each month is of none of the calls.
local function hosting()
  for _, rate in ipairs(rates.list "hosting") do
    if rate.now and rate.unit == "month" then
      return rate.micro_usd_per_million // 1000000
    end
  end
end

local function range(r)
  local answer = owners.change("It is not reckoned", refuse, read.range, owners.asked(r))
  answer.usd = dollars(answer.total.cost.micro_usd)
  answer.hosting_month_micro_usd = not r.agents and owners.read(hosting) or nil
  return 200, answer
end

local function calls(r)
  local ask = owners.asked(r)
  ask.after = page.read(ask.cursor, { "text", "time", "text" })
  if ask.after and not math.tointeger(tonumber(ask.after[1])) then
    refuse "cursor: this is none of this list"
  end
  ask.limit = r.query.limit + 1
  local list, when = owners.change("It is not reckoned", refuse, behind.calls, ask)
  local answer = page.answer(list, r.query.limit, behind.key)
  return 200, { period = when, calls = answer.items, next = answer.next }
end

local function saved(r)
  return 200, owners.change("It is not reckoned", refuse, require("ringdown.stats.savings").read, owners.asked(r))
end

local function caps(r)
  return 200, { items = owners.read(budgets.caps, r.agents) }
end

local function etag(version)
  return { etag = ('"%s"'):format(version) }
end

-- What is set of one of them here, and not in a file; and all of them.
local function cap_of(r, agent)
  local all = owners.read(budgets.caps, r.agents)
  for _, cap in ipairs(all) do
    if cap.agent == agent then
      return cap, all
    end
  end
  return { agent = agent, version = owners.read(budgets.seen, agent) }, all
end

local ALL_TOLD = "Nodes follow within seconds: at the cap new calls hear the fallback; nobody's call with an emergency "
  .. "is ended."
local NONE_TOLD = "Nothing is set here any more: what the agent's file says holds."

local function cap_told(cap, day)
  local said = json.array {}
  if day and cap.spent_micro_usd and cap.spent_micro_usd >= day then
    said[1] = ("$%s is spent today already: new calls hear the fallback at once."):format(dollars(cap.spent_micro_usd))
  end
  return said
end

local function of_all(r)
  if r.agents then
    problem(403, "scope", "This is about all agents", { detail = "this token is for some: say which agent" })
  end
end

-- "all" is all together, which no agent may be called.
local function put_cap(r, day, call)
  local agent = r.params.agent ~= "all" and r.params.agent or nil
  if agent then
    owners.see(r, agent)
    owners.change("There is no such agent", function(why)
      owners.none("There is no such agent", why, "GET /api/v1/agents lists them")
    end, require("ringdown.rollout.agents").one, agent)
  else
    of_all(r)
  end
  local cap, all = cap_of(r, agent)
  r.must_match(cap.version, cap)
  local done = owners.read(budgets.put, agent, day, call, r.who, { dry_run = r.query.dry_run,
    version = r.if_match ~= "*" and r.if_match or nil })
  local now, later = cap_of(r, agent)
  if done.stale then -- somebody was faster than we
    r.must_match(now.version, now)
  end
  local answer = { caps = r.query.dry_run and all or later, changed = done.changed, version = now.version,
    dry_run = r.query.dry_run or nil, said = cap_told(cap, day), was = done.was,
    next_call = (day or call) and ALL_TOLD or NONE_TOLD }
  return 200, answer, etag(now.version)
end

local function one_cap(r)
  local agent = r.params.agent ~= "all" and r.params.agent or nil
  if agent then
    owners.see(r, agent)
  else
    of_all(r)
  end
  local cap = cap_of(r, agent)
  return 200, cap, etag(cap.version)
end

local function set_cap(r)
  if not r.body.day_micro_usd and not r.body.call_micro_usd then
    refuse "how much? day_micro_usd, call_micro_usd, or both; DELETE takes it away"
  end
  return put_cap(r, r.body.day_micro_usd, r.body.call_micro_usd)
end

local function compared(r)
  return 200, owners.change("It is not reckoned", refuse, costs.compare, owners.asked(r))
end

local function shown(rate)
  local price, per = rates.price(rate)
  rate.usd, rate.per = ("%.6f"):format(price):gsub("0+$", ""):gsub("%.$", ""), per
  return rate
end

local function list(r)
  local all = owners.read(rates.list, r.query.what)
  for _, rate in ipairs(all) do
    shown(rate)
  end
  return 200, { items = all }
end

-- Reckoning calls anew may take minutes.
local function set_later(r, wish, version)
  local words = json.array { "set", wish.what }
  words[#words + 1] = wish.model
  words[#words + 1], words[#words + 2] = wish.unit, wish.price
  owners.change("It is no price", refuse, rates.checked, wish)
  local job = owners.change("It was not begun", function(why)
    problem(503, "not-begun", "It was not begun", { detail = why, not_begun = true,
      headers = { ["retry-after"] = "60" } })
  end, jobs.begin, "cost", { verb = "rates", words = words, from = wish.from, source = wish.source, recost = true,
      version = version }, host.who())
  return 202, { job = tostring(job), next_call = "The next call is reckoned by this price, and calls since its day are "
    .. "reckoned anew." }, { location = "/api/v1/jobs/" .. job }
end

local KEEPS = "The next call after that day is reckoned by this price; what was reckoned before keeps its own."

-- Raises 412 with the price there is.
local function fresh(r, result)
  if result.stale then
    r.must_match(result.stale, result.was and shown(result.was) or nil)
  end
  return result
end

local function priced(status, result, more)
  local answer = { rate = shown(result.rate), was = result.was and shown(result.was) or nil, version = result.seen,
    next_call = KEEPS }
  for name, value in pairs(more or {}) do
    answer[name] = value
  end
  return status, answer, etag(result.seen)
end

local function set(r)
  local version = r.if_match ~= "*" and r.if_match or nil
  if r.body.dry_run or r.body.recost and version then
    local result = fresh(r, owners.change("It is no price", refuse, rates.rehearsed, r.body, version))
    if r.body.dry_run then
      return priced(200, result, { dry_run = true, calls = result.calls, next_call = r.body.recost
        and "The next call is reckoned by this price, and calls since its day are reckoned anew." or KEEPS })
    end
  end
  if r.body.recost then
    return set_later(r, r.body, version)
  end
  local told = owners.told()
  return priced(201, fresh(r, owners.change("It is no price", refuse, rates.set, r.body, told.tell, version)))
end

local period = {
  agent = { type = "string", format = "agent" }, site = { type = "string", format = "label" },
  system = { type = "string", one_of = { "openai", "vapi", "fallback", "none" } },
  since = { type = "string", max = 40, default = "30d", about = "7d, 24h, or a day like 2026-11-02" },
  ["until"] = { type = "string", max = 40, about = "the last day" },
  tests = { type = "boolean", about = "calls of our own as well" },
  imported = { type = "boolean", about = "calls that Vapi had before we answered as well" },
}

local micro = { type = "integer", min = 1 }
local dry_query = { dry_run = { type = "boolean", about = "only tell what would be written" } }
local any = { ["if-match"] = "*" }

local function with(more, without)
  local query = {}
  for name, field in pairs(period) do
    query[name] = not (without or {})[name] and field or nil
  end
  for name, field in pairs(more) do
    query[name] = field
  end
  return query
end

-- Besides a period: what a group's filter says, and parts of a cost.
local behind_query = {
  limit = { type = "integer", min = 1, max = behind.MOST, default = behind.MOST, about = "at most so many" },
  cursor = page.query.cursor,
  agent = { type = "string", max = 64, about = "?: no agent was found for it" },
  since = { type = "string", max = 40, about = "7d, 24h, or a day; 30d when no time is said" },
  local_from = { type = "string", format = "date", about = "a day by the clock at each site" },
  local_to = { type = "string", format = "date", about = "before this day" },
  from = { type = "string", format = "time", about = "of hours as they are counted" },
  to = { type = "string", format = "time" },
  day = { type = "string", format = "date" },
  hour = { type = "integer", min = 0, max = 23, about = "of the day, by the clock at each site" },
  weekday = { type = "integer", min = 1, max = 7, about = "1 is Monday" },
  outcome = { type = "string", format = "label" },
  reason = { type = "string", max = 200, about = "as a group of /statistics?by=reason has it" },
  unknown = { type = "boolean", about = "only those whose cost is (not) known" },
  compared = { type = "boolean", about = "only those that /costs/compare counts" },
  item = { type = "string", one_of = behind.items, about = "that part of each call" },
  basis = { type = "string", one_of = behind.bases, about = "what is known that way of each call" },
}

return {
  schemas = schemas,
  { method = "GET", path = "/costs", role = "viewer", scoped = true,
    about = "what some time cost: the model, the carrier, texts, hosting, and how that is known",
    query = with { by = { type = "string", one_of = read.by } }, answers = { [200] = "Costs" },
    example = { path = "/costs", query = "since=30d&by=day" }, run = range },
  { method = "GET", path = "/costs/calls", role = "viewer", scoped = true,
    about = "the calls behind an aggregate, the dearest first: its `filter` is the query, and they add up to it",
    query = with(behind_query), answers = { [200] = "CostCalls" }, example = { path = "/costs/calls",
      query = "since=7d" }, run = calls },
  { method = "GET", path = "/costs/compare", role = "viewer", scoped = true,
    about = "Vapi against OpenAI for one agent, with how many calls and how certain that is",
    query = with({ agent = { type = "string", format = "agent", required = true } },
      { site = true, system = true, tests = true }),
    answers = { [200] = "CostCompared" }, example = { path = "/costs/compare", query = "agent=northside-plumbing" },
    run = compared },
  { method = "GET", path = "/costs/caps", role = "viewer", scoped = true,
    about = "what calls may cost, and what is spent today", answers = { [200] = { type = "object", fields = {
      items = { type = "array", of = { ref = "CostCap" }, required = true } } } },
    example = { path = "/costs/caps" }, run = caps },
  { method = "GET", path = "/costs/caps/{agent}", role = "viewer", scoped = true,
    about = "one of them, also where nothing is set; `all`: all together", answers = { [200] = "CostCap" },
    example = { path = "/costs/caps/northside-plumbing" }, run = one_cap },
  { method = "PUT", path = "/costs/caps/{agent}", role = "admin", scoped = true, if_match = true, query = dry_query,
    about = "what an agent's calls may cost, each day and each call; `all`: all together; before the agent's file. "
      .. "What is left out is not set any more: send both to keep both",
    body = { day_micro_usd = micro, call_micro_usd = micro }, answers = { [200] = "CostCapSet" },
    example = { path = "/costs/caps/northside-plumbing", headers = any, body = { day_micro_usd = 25000000 } },
    run = set_cap },
  { method = "DELETE", path = "/costs/caps/{agent}", role = "admin", scoped = true, if_match = true, query = dry_query,
    about = "what was set here is taken away; what the agent's file says holds", answers = { [200] = "CostCapSet" },
    example = { path = "/costs/caps/northside-plumbing", headers = any },
    run = function(r) return put_cap(r) end },
  { method = "GET", path = "/costs/savings", role = "viewer", scoped = true,
    about = "what OpenAI saved against Vapi, and what it would save each month if it had all calls",
    query = with({}, { site = true, system = true, tests = true, imported = true }),
    answers = { [200] = "CostSavings" }, example = { path = "/costs/savings", query = "since=30d" }, run = saved },
  { method = "GET", path = "/costs/rates", role = "viewer", scoped = true, about = "prices, each with its days",
    query = { what = { type = "string", one_of = whats } },
    answers = { [200] = { type = "object", fields = { items = { type = "array", of = { ref = "Rate" }, max = 2000,
      required = true } } } }, example = { path = "/costs/rates", query = "what=sms" }, run = list },
  { method = "POST", path = "/costs/rates", role = "admin", idempotent = true, if_match = "optional",
    about = "another price, from a day on; what was reckoned before keeps its own",
    body = { what = { type = "string", one_of = whats, required = true }, model = { type = "string", max = 128 },
      unit = { type = "string", max = 32, required = true },
      price = { type = "string", max = 24, required = true, about = "dollars like 0.0085: of tokens, for a million" },
      from = { type = "string", format = "date", about = "a day (UTC); from now on, if left out" },
      source = { type = "string", max = 400, about = "where it stands" },
      recost = { type = "boolean", about = "it may begin in the past: calls since then are reckoned anew, by a job" },
      dry_run = { type = "boolean", about = "only tell what would be written; its etag is of the prices there are" } },
    answers = { [200] = "RateSet", [201] = "RateSet", [202] = "RateBegun" },
    example = { path = "/costs/rates", status = 201,
      body = { what = "sms", unit = "segment", price = "0.0079", from = "2027-01-01", source = "the contract" } },
    run = set },
}
