-- SPDX-License-Identifier: Apache-2.0
-- stats.rates: prices, each with the day it begins. One changes by another one that begins later: what was reckoned
-- keeps its price. A price that begins in the past is refused, unless whoever asks has those calls reckoned anew.
local db = require "ringdown.stats.db"
local draw = require "ringdown.stats.draw"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local period = require "ringdown.stats.period"
local time = require "ringdown.time"

local M = {}

local TOKENS = { "text_in", "text_cached", "audio_in", "audio_cached", "image_in", "image_cached", "text_out",
  "audio_out" }

-- What has which units; of a model's tokens the price is for a million, of all others for one.
local kinds = {
  openai = { model = true, units = { "minute", table.unpack(TOKENS) } },
  twilio_voice = { units = { "minute" } },
  twilio_stream = { units = { "minute" } },
  twilio_dial = { units = { "minute" } },
  sms = { units = { "segment" } },
  hosting = { units = { "minute", "month" } },
}
local names = { "openai", "twilio_voice", "twilio_stream", "twilio_dial", "sms", "hosting" }
local PORTION = 200

local list_sql = [[select coalesce(jsonb_agg(to_jsonb(r) - 'id' || jsonb_build_object('now',
    valid_from <= now() and (valid_to is null or valid_to > now())) order by what, model, unit, valid_from), '[]')::text
  from rates r where $1::text is null or what = $1]]

local function is_token(unit)
  for _, one in ipairs(TOKENS) do
    if one == unit then
      return true
    end
  end
  return false
end

---What a price is of: dollars for one minute, segment or month, or for a million tokens.
---@param rate { unit: string, micro_usd_per_million: integer }
---@return number dollars
---@return string per
function M.price(rate)
  if is_token(rate.unit) then
    return rate.micro_usd_per_million / 1000000, "1M tokens"
  end
  return rate.micro_usd_per_million / 1000000000000, rate.unit
end

---@param what string?
---@return table[]
function M.list(what)
  return json.array(db.must(list_sql, { what or false }))
end

-- The exact micro-dollars of a million: never by way of a binary fraction.
local function per_million(text, unit)
  local whole, part = tostring(text):match "^%$?(%d+)%.?(%d*)$"
  local digits = is_token(unit) and 6 or 12
  if not whole or #whole > 6 or #part > digits then
    error(("'%s' is no price; write dollars like 0.0085"):format(tostring(text):sub(1, 40)), 0)
  end
  return math.tointeger(tonumber(whole .. part .. ("0"):rep(digits - #part)))
end

local function moment_of(text, again)
  if not text then
    return time.unix()
  end
  local days = time.days(text)
  if not days then
    error(("--from '%s' is no day; write it like 2026-12-01"):format(tostring(text):sub(1, 40)), 0)
  end
  -- Today is from now on: what was reckoned keeps its price.
  local today = time.unix() // 86400
  return days == today and not again and time.unix() or days * 86400
end

---@class ringdown.stats.rate
---@field what string
---@field model string?
---@field unit string
---@field price string dollars, "0.0085"
---@field from string? a day (UTC); now if left out
---@field source string? where it stands
---@field recost boolean? may begin in the past

---Checks everything, and raises what is wrong.
---@param wish ringdown.stats.rate
---@return table
function M.checked(wish)
  local kind = kinds[wish.what or ""]
  if not kind then
    error(("'%s' is nothing that has a price; %s"):format(tostring(wish.what):sub(1, 40),
      nearest.hint(wish.what, names)), 0)
  end
  period.one_of("unit", wish.unit, kind.units)
  local model = wish.model or ""
  if kind.model and model == "" then
    error("a price of openai is that of a model: openai gpt-realtime-2.1 audio_in 32", 0)
  elseif not kind.model and model ~= "" then
    error(("%s has no models: %s %s %s"):format(wish.what, wish.what, wish.unit, tostring(wish.price)), 0)
  elseif #model > 128 or model:find "%c" then
    error("the name of the model is too long, or has letters that no name has", 0)
  end
  local from = moment_of(wish.from, wish.recost)
  if from < time.unix() - 60 and not wish.recost then
    error(("a price from %s would be that of calls that are reckoned already; let it begin today or later, or say "
      .. "--recost, which reckons them anew"):format(wish.from), 0)
  end
  return { what = wish.what, model = model, unit = wish.unit, micro = per_million(wish.price, wish.unit), from = from,
    source = (wish.source or "set by " .. host.who()):sub(1, 400) }
end

-- Those calls anew, in portions, telling how far it is.
local function reckon_again(from, tell)
  local behind, n, changed = nil, 0, 0
  repeat
    local done = db.must("select cost_again($1::timestamptz, $2::jsonb, $3::integer)::text",
      { period.moment(from), behind and json.encode(behind) or false, PORTION }, 60000)
    if done then
      behind, n, changed = { call = done.call, at = done.at }, n + done.n, changed + done.changed_micro_usd
      tell { progress = ("%d calls reckoned anew"):format(n) }
    end
  until not done or host.stopping()
  return { calls = n, changed_micro_usd = changed, stopped = host.stopping() or nil }
end

-- Of those that would be reckoned anew, as many as are worth counting.
local COUNTED = 100000

---What would be written: the price, what holds there now, and how many calls would be reckoned anew.
---@param wish ringdown.stats.rate
---@param version string? as M.set()
---@return { rate: table, was: table?, seen: string, calls: integer?, stale: string? }
function M.rehearsed(wish, version)
  local rate = M.checked(wish)
  local made = M.put(rate, version, true)
  if made.stale then
    return made
  end
  local again = wish.recost and rate.from < time.unix() - 60
  return { rate = made, was = made.was, seen = made.seen, calls = again and db.must([[select count(*)::text
    from (select from calls where started_at >= $1::timestamptz limit $2::integer) c]],
    { period.moment(rate.from), COUNTED }) or nil }
end

---@param rate table as M.checked() gives it
---@param version string? only from this one
---@param dry_run boolean?
---@return table made with `was` and `seen`, its version; or { stale = version }
function M.put(rate, version, dry_run)
  local made = db.must("select rate_set($1, $2, $3, $4::bigint, $5::timestamptz, $6, $7, $8, $9::boolean)::text", {
    rate.what, rate.model, rate.unit, rate.micro, period.moment(rate.from), rate.source, host.who(), version or false,
    tostring(dry_run == true) })
  made.was = made.was and made.was.what and made.was or nil -- of none that held, nothing is known
  return made
end

---@param wish ringdown.stats.rate
---@param tell fun(value: table)
---@param version string? only from this one: else the result is { stale = version, was = … } alone
---@return table result
function M.set(wish, tell, version)
  local rate = M.checked(wish)
  local made = M.put(rate, version)
  if made.stale then
    return made
  end
  local result = { rate = made, was = made.was, seen = made.seen }
  made.was, made.seen = nil, nil
  local dollars, per = M.price(made)
  tell { text = ("%s%s: $%s for each %s, from %s on%s"):format(rate.what, rate.model ~= "" and " " .. rate.model or "",
    ("%.6f"):format(dollars):gsub("0+$", ""):gsub("%.$", ""), per == "1M tokens" and "million of " .. rate.unit or per,
    made.valid_from:sub(1, 16):gsub("T", " "), made.valid_to and " until " .. made.valid_to:sub(1, 10) or "") }
  if wish.recost and rate.from < time.unix() - 60 then
    result.again = reckon_again(rate.from, tell)
    tell { text = ("%d calls were reckoned anew: %s in all"):format(result.again.calls,
      draw.usd(result.again.changed_micro_usd)) }
  else
    tell { text = "What was reckoned before keeps its price." }
  end
  return result
end

---@param list table[]
---@return string[] lines
function M.lines(list)
  local lines = { ("%-14s %-28s %-13s %14s  %-10s  %-10s  %s"):format("WHAT", "MODEL", "UNIT", "USD", "FROM", "UNTIL",
    "SOURCE") }
  for _, rate in ipairs(list) do
    local dollars, per = M.price(rate)
    lines[#lines + 1] = ("%-14s %-28s %-13s %14s  %-10s  %-10s  %s"):format(rate.what, rate.model, rate.unit,
      (per == "1M tokens" and "%.2f/1M" or "%.6f"):format(dollars), rate.valid_from:sub(1, 10),
      rate.valid_to and rate.valid_to:sub(1, 10) or "", rate.source or "")
  end
  return lines
end

return M
