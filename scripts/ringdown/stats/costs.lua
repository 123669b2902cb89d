-- SPDX-License-Identifier: Apache-2.0
-- stats.costs: the operation `cost`: what some time cost, which calls that was, prices, and both systems compared.
--
--   range    what for, how it is known, by day, agent, system or site      calls    the calls behind it, dearest first
--   compare  a minute, a call, a booking on either system                  turns    one call, answer by answer
--   caps     what calls may cost, each and in a day
--   rates    prices                                                        rates set   another price, from a day on
local compare = require "ringdown.stats.compare"
local db = require "ringdown.stats.db"
local draw = require "ringdown.stats.draw"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local period = require "ringdown.stats.period"
local read = require "ringdown.stats.read"

local M = {}

local COMPARE_MS = 60000

local function say(tell, lines)
  for _, line in ipairs(lines) do
    tell { text = line }
  end
end

-- ── a time ──────────────────────────────────────────────────────────────────────────────────────

local item_words = { model = "the model", transcription = "transcription", provider = "Vapi, as it bills",
  carrier = "the carrier's minutes", stream = "its streams", transfer = "legs to people", texts = "texts",
  hosting = "hosting" }
local bases = { { "billed", "they told the amount" }, { "reported", "they told the quantity" },
  { "estimated", "by our clock, or estimated" } }

-- A price for each month is for none of the calls: it stands beside them.
local function hosting_of()
  return db.must([[select to_json(micro_usd_per_million / 1000000)::text from rates where what = 'hosting'
    and unit = 'month' and valid_from <= now() and (valid_to is null or valid_to > now())]], {})
end

-- What the cluster spent on trying itself: real money, and in none of the other lines.
local synthetic_sql = [[select jsonb_build_object('calls', count(*), 'unknown_calls', count(*) - count(k.micro_usd),
    'micro_usd', coalesce(sum(k.micro_usd), 0))::text
  from calls c left join call_costs k using (call)
  where c.trial = 'synthetic' and c.started_at >= coalesce($1::timestamptz, $2::date)
    and c.started_at < coalesce($3::timestamptz, $4::date) and ($5::text is null or c.agent = $5)]]

local function synthetic_of(when, agent)
  return db.must(synthetic_sql, { when.from or false, when.local_from or false, when.to or false,
    when.local_to or false, agent or false })
end

local function range_lines(answer)
  local cost, lines = answer.total.cost, {}
  lines[1] = ("%s, %s: %s for %s calls whose cost is known"):format(answer.agent or "all agents", answer.period.text,
    draw.usd(cost.micro_usd), draw.count(cost.known_calls))
  for _, item in ipairs(read.items) do
    if cost.items[item] ~= 0 then
      lines[#lines + 1] = ("  %-24s %14s"):format(item_words[item], draw.usd(cost.items[item]))
    end
  end
  for _, basis in ipairs(bases) do
    lines[#lines + 1] = ("  %-24s %14s  %s"):format(basis[1], draw.usd(cost.bases[basis[1]]), basis[2])
  end
  if cost.unknown_calls > 0 then
    lines[#lines + 1] = ("  %s calls are not in the first line: their cost is not known. %s of it is, and is in the "
      .. "others"):format(draw.count(cost.unknown_calls), draw.usd(cost.unknown_part_micro_usd))
  end
  if answer.hosting_month_micro_usd then
    lines[#lines + 1] = ("  %-24s %14s  each month, beside all of this"):format("hosting",
      draw.usd(answer.hosting_month_micro_usd))
  end
  if answer.synthetic and answer.synthetic.calls > 0 then
    lines[#lines + 1] = ("  %-24s %14s  %s synthetic calls, beside all of this%s"):format("trying ourselves",
      draw.usd(answer.synthetic.micro_usd), draw.count(answer.synthetic.calls), answer.synthetic.unknown_calls > 0
      and (", %s of them not known"):format(draw.count(answer.synthetic.unknown_calls)) or "")
  end
  for _, group in ipairs(answer.groups) do
    lines[#lines + 1] = ("  %-24s %14s  %s calls%s"):format(draw.fit(group.name, 24), draw.usd(group.cost.micro_usd),
      draw.count(group.cost.known_calls), group.cost.unknown_calls > 0 and (", %s more not known"):format(
        draw.count(group.cost.unknown_calls)) or "")
  end
  return lines
end

local verbs = {}

-- Whoever waits at a terminal wants what is over now.
local function count_first()
  require("ringdown.stats.roll").run { rounds = 20 }
end

function verbs.range(payload, tell)
  payload.since = payload.since or "30d"
  count_first()
  local answer = read.range(payload)
  answer.hosting_month_micro_usd = hosting_of()
  if not payload.agents then -- who may see some agents only asks for their calls
    answer.synthetic = synthetic_of(answer.period, payload.agent)
  end
  say(tell, range_lines(answer))
  return answer
end

-- ── the calls behind it ─────────────────────────────────────────────────────────────────────────

function verbs.calls(payload, tell)
  local behind = require "ringdown.stats.behind"
  count_first()
  local list, when = behind.calls(payload)
  tell { text = ("%s, %s: %s%d calls"):format(payload.agent or "all agents", when.text,
    #list == behind.MOST and "the dearest " or "", #list) }
  for _, call in ipairs(list) do
    tell { text = ("  %s  %s  %-20s %-8s %-12s %9s  %s"):format(call.call, call.started_at:sub(1, 16):gsub("T", " "),
      draw.fit(call.agent, 20), call.system, call.outcome, draw.seconds(call.talk_ms / 1000),
      call.micro_usd and draw.usd(call.micro_usd) or "unknown: " .. tostring(call.reason)) }
  end
  return { period = when, calls = list, at_most = behind.MOST }
end

-- ── both systems ────────────────────────────────────────────────────────────────────────────────

---@param ask { agent: string, since: string?, until: string?, imported: boolean? }
---@return table answer
function M.compare(ask)
  local when = period.of(ask.since or "30d", ask["until"], read.zone(ask))
  local kinds = json.array { "real", ask.imported and "imported" or nil }
  local said = db.must("select cost_compare($1, $2::jsonb)::text", { ask.agent, json.encode { from = when.from,
    to = when.to, local_from = when.local_from, local_to = when.local_to, kinds = kinds } }, COMPARE_MS)
  local answer = compare.weigh(said)
  answer.agent, answer.period = ask.agent, when
  for _, system in ipairs { "openai", "vapi" } do -- what opens the calls behind its dollars
    answer.calls[system].filter = { agent = ask.agent, system = system, local_from = when.local_from,
      local_to = when.local_to, from = when.from, to = when.to, imported = ask.imported, compared = true }
  end
  return answer
end

local shown = { { "per_minute", "a minute", draw.usd }, { "per_call", "a call", draw.usd },
  { "per_booking", "a booking", draw.usd }, { "contained", "no person needed", draw.percent },
  { "transferred", "wanted a person", draw.percent }, { "failed", "broke off", draw.percent },
  { "booked", "booked", draw.percent } }

local function cell(one, form)
  if not one.value then
    return "-"
  end
  return one.low and ("%s (%s to %s)"):format(form(one.value), form(one.low), form(one.high))
    or form(one.value) .. " (?)"
end

local function verdict(answer)
  local d = answer.measures.per_minute.difference
  if not d then
    local a, b = answer.measures.per_minute.openai, answer.measures.per_minute.vapi
    return ("What a minute costs cannot be compared: %s on OpenAI, %s on Vapi."):format(
      a.why or ("%d calls"):format(a.n), b.why or ("%d calls"):format(b.n))
  elseif not d.certain then
    return ("A minute costs about the same: the difference is between %s and %s."):format(draw.usd(d.low),
      draw.usd(d.high))
  end
  local cheaper = d.value < 0 and "OpenAI" or "Vapi"
  local low, high = math.min(math.abs(d.low), math.abs(d.high)), math.max(math.abs(d.low), math.abs(d.high))
  return ("A minute costs %s less on %s (between %s and %s)."):format(draw.usd(math.abs(d.value)), cheaper,
    draw.usd(low), draw.usd(high))
end

local function compare_lines(answer)
  local openai, vapi = answer.calls.openai, answer.calls.vapi
  local lines = { ("%s, %s: the same mix of calls on both systems"):format(answer.agent, answer.period.text),
    ("  %-18s %-38s %s"):format("", "OpenAI", "Vapi"),
    ("  %-18s %-38s %s"):format("calls compared",
      ("%s of %s"):format(draw.count(openai.compared), draw.count(openai.calls)),
      ("%s of %s"):format(draw.count(vapi.compared), draw.count(vapi.calls))) }
  for _, row in ipairs(shown) do
    local m = answer.measures[row[1]]
    lines[#lines + 1] = ("  %-18s %-38s %s"):format(row[2], cell(m.openai, row[3]), cell(m.vapi, row[3]))
  end
  lines[#lines + 1] = verdict(answer)
  local notes = {}
  if openai.unknown + vapi.unknown > 0 then
    notes[#notes + 1] = ("not known what they cost: %s on OpenAI, %s on Vapi"):format(draw.count(openai.unknown),
      draw.count(vapi.unknown))
  end
  if openai.left_out + vapi.left_out > 0 then
    notes[#notes + 1] = ("nothing like them on the other system: %s on OpenAI, %s on Vapi"):format(
      draw.count(openai.left_out), draw.count(vapi.left_out))
  end
  if answer.changed > 0 then
    notes[#notes + 1] = ("went from one system to the other: %s"):format(draw.count(answer.changed))
  end
  for i, note in ipairs(notes) do
    lines[#lines + 1] = (i == 1 and "Left out: " or "          ") .. note
  end
  if answer.measures.per_booking.openai.why or answer.measures.per_booking.vapi.why then
    lines[#lines + 1] = "(?) there are too few to say how certain that is."
  end
  return lines
end

function verbs.compare(payload, tell)
  count_first()
  local answer = M.compare { agent = require("ringdown.rollout.agents").one(payload.agent).name, since = payload.since,
    ["until"] = payload["until"], imported = payload.imported }
  say(tell, compare_lines(answer))
  return answer
end

-- ── one call ────────────────────────────────────────────────────────────────────────────────────

function verbs.turns(payload, tell)
  local call = payload.words[1] or error("which call? ringdown cost turns CA…", 0)
  local list = db.must("select coalesce(jsonb_agg(to_jsonb(t) order by n), '[]')::text from turn_costs($1) t", { call })
  if #list == 0 then
    tell { note = ("no usage is known of %s"):format(call) }
    return { call = call, turns = json.array {}, failed = true }
  end
  for _, turn in ipairs(list) do
    tell { text = ("%4d  %s  %-13s %-22s %s"):format(turn.n, turn.at:sub(12, 19), turn.kind, turn.model or "",
      turn.micro_usd_exact and ("$%.6f"):format(turn.micro_usd_exact / 1000000) or
        (turn.complete and "unknown: no rate" or "unknown: the provider did not tell all")) }
  end
  return { call = call, turns = json.array(list) }
end

-- ── prices ──────────────────────────────────────────────────────────────────────────────────────

function verbs.rates(payload, tell)
  local rates = require "ringdown.stats.rates"
  local words = payload.words
  if words[1] == "set" then
    local model = #words > 4
    local done = rates.set({ what = words[2], model = model and words[3] or nil, unit = words[model and 4 or 3],
      price = words[model and 5 or 4], from = payload.from, source = payload.source, recost = payload.recost }, tell,
      payload.version)
    if done.stale then
      error("another price was set meanwhile, and nothing was changed; look at it and decide anew", 0)
    end
    return done
  elseif words[1] then
    error(("'%s' is not possible here; ringdown cost rates, or rates set WHAT [MODEL] UNIT DOLLARS --from DAY"):format(
      words[1]:sub(1, 40)), 0)
  end
  local list = rates.list()
  say(tell, rates.lines(list))
  return list
end

function verbs.caps(payload, tell)
  return require("ringdown.stats.budgets").command(payload, tell)
end

---@param payload { verb: string, words: string[] }
function M.run(payload, tell)
  local verb = verbs[payload.verb]
  if not verb then
    error(("'%s' is no call and nothing to do; %s"):format(tostring(payload.verb):sub(1, 64),
      nearest.hint(payload.verb, { "range", "calls", "caps", "compare", "rates", "turns" })), 0)
  end
  payload.words = payload.words or {}
  return verb(payload, tell)
end

return M
