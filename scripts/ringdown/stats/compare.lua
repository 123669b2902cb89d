-- SPDX-License-Identifier: Apache-2.0
-- stats.compare: what a minute, a call, a booking costs on either system, over the same mix of calls. Pure.
--
-- Whom the rollout sends where is not whom they call for: at night, or for long, one system may have more of them. So
-- calls are compared within strata (part of the week, length), and each stratum counts as much as it does in both
-- systems together. Only strata in which both have calls whose cost is known take part; the others are counted, told.
-- Intervals are at 95 %, by the delta method; where there are too few calls there is none, and it is said.
--
-- Calls of one caller are taken as independent, which makes intervals a little too narrow; costs that are not known are
-- left out, which makes both shares told beside it worth a look.
local M = {}

local Z = 1.96
M.FEWEST, M.FEWEST_BOOKINGS = 30, 10
local SYSTEMS = { "openai", "vapi" }

-- Strata in which both have at least two calls of known cost.
local function matched(rows)
  local by, list = {}, {}
  for _, row in ipairs(rows) do
    local key = row.week_band .. "|" .. row.length_band
    local stratum = by[key]
    if not stratum then
      stratum = { week_band = row.week_band, length_band = row.length_band }
      by[key] = stratum
      list[#list + 1] = stratum
    end
    stratum[row.system] = row
  end
  local both, total = {}, 0
  for _, stratum in ipairs(list) do
    local a, b = stratum.openai, stratum.vapi
    if a and b and a.n >= 2 and b.n >= 2 then
      both[#both + 1] = stratum
      stratum.n = a.n + b.n
      total = total + stratum.n
    end
  end
  for _, stratum in ipairs(both) do
    stratum.weight = stratum.n / total
  end
  return both
end

-- A sum of squares becomes what a sample of n says about the spread of what it is of.
local function covariance(xy, x, y, n)
  return (xy - x * y / n) / (n - 1)
end

-- The weighed mean of x over that of y (nil: of calls), and its variance.
local function ratio(strata, system, x, y)
  local top, bottom = 0, 0
  for _, s in ipairs(strata) do
    local row = s[system]
    top = top + s.weight * row[x] / row.n
    bottom = bottom + s.weight * (y and row[y] / row.n or 1)
  end
  if bottom <= 0 then
    return nil
  end
  local r, variance = top / bottom, 0
  for _, s in ipairs(strata) do
    local row = s[system]
    local n = row.n
    local spread = covariance(row[x .. x], row[x], row[x], n)
    if y then
      spread = spread - 2 * r * covariance(row[x .. y], row[x], row[y], n)
        + r * r * covariance(row[y .. y], row[y], row[y], n)
    end
    variance = variance + s.weight ^ 2 * math.max(spread, 0) / n
  end
  return r, variance / bottom ^ 2
end

-- The weighed share of calls.
local function share(strata, system, what)
  local p, variance = 0, 0
  for _, s in ipairs(strata) do
    local row = s[system]
    local q = row[what] / row.n
    p = p + s.weight * q
    variance = variance + s.weight ^ 2 * q * (1 - q) / (row.n - 1)
  end
  return p, variance
end

local function told(value, variance, n, fewest)
  if not value then
    return { n = n, why = "there are none" }
  elseif n < fewest then
    return { n = n, value = value, why = ("%d are too few to say how certain that is; %d would do"):format(n, fewest) }
  end
  local half = Z * math.sqrt(variance)
  return { n = n, value = value, low = value - half, high = value + half }
end

-- One less the other; nil where one of them is not certain.
local function difference(a, va, b, vb)
  if not (a.low and b.low) then
    return nil
  end
  local d, half = a.value - b.value, Z * math.sqrt(va + vb)
  return { value = d, low = d - half, high = d + half, certain = d - half > 0 or d + half < 0 }
end

local measures = {
  { name = "per_minute", x = "x", y = "m" },
  { name = "per_call", x = "x" },
  { name = "per_booking", x = "x", y = "b", of = "booked", fewest = M.FEWEST_BOOKINGS },
  { name = "contained", share = true }, { name = "transferred", share = true }, { name = "failed", share = true },
  { name = "booked", share = true },
}

local function sum(strata, system, what)
  local n = 0
  for _, s in ipairs(strata) do
    n = n + s[system][what]
  end
  return n
end

local function all_of(rows, system)
  local all = { calls = 0, known = 0, unknown = 0, micro_usd = 0 }
  for _, row in ipairs(rows) do
    if row.system == system then
      all.calls, all.known = all.calls + row.calls, all.known + row.n
      all.unknown, all.micro_usd = all.unknown + row.unknown, all.micro_usd + (row.x or 0)
    end
  end
  return all
end

---@param said { strata: table[], changed: integer } what the database has (cost_compare)
---@return table result
function M.weigh(said)
  local strata = matched(said.strata)
  local result = { strata = #strata, changed = said.changed, measures = {}, calls = {} }
  for _, system in ipairs(SYSTEMS) do
    local all = all_of(said.strata, system)
    all.compared = sum(strata, system, "n")
    all.left_out = all.known - all.compared
    result.calls[system] = all
  end
  for _, m in ipairs(measures) do
    local both, variances = {}, {}
    for _, system in ipairs(SYSTEMS) do
      local value, variance
      if #strata > 0 and m.share then
        value, variance = share(strata, system, m.name)
      elseif #strata > 0 then
        value, variance = ratio(strata, system, m.x, m.y)
      end
      local n = m.of and sum(strata, system, m.of) or result.calls[system].compared
      both[system], variances[system] = told(value, variance, n, m.fewest or M.FEWEST), variance
    end
    result.measures[m.name] = { openai = both.openai, vapi = both.vapi, difference = difference(both.openai,
      variances.openai, both.vapi, variances.vapi) }
  end
  return result
end

return M
