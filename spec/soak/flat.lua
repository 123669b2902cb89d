-- SPDX-License-Identifier: Apache-2.0
-- Does a series of measurements stay where it is? Pure.
--
--   flat.judge(points, { share = 0.02, plus = 1048576 })
--       points   { { t = seconds, v = value }, … }, ascending
--       -> { ok =, early =, late =, grew =, trend =, allowed = }; nil: too few to tell
--   flat.without(points, driver)    the same points as if `driver`, measured at the same times, had not moved
--   flat.leak(before, after, calls, { per_call = 1024, plus = 262144 })
--       the same of two moments without calls
--
-- The first fifth of the time is left out: whatever fills once (caches, pools, connections) fills there. What is left
-- counts as grown when two views agree, because each is fooled by something that is no leak:
--
--   grew    the median of the last fifth less the median of the second one: a burst at the end fools it
--   trend   the Theil-Sen slope (the median of all slopes between two points), over the same time: a step that
--           happened once, late, fools it less than a line of least squares, and single points do not at all
--
-- The smaller of the two must be at most early * share + plus.
local flat = {}

local FEWEST, MOST = 10, 300 -- points: pairs are their square

function flat.median(values)
  local list = table.move(values, 1, #values, 1, {})
  table.sort(list)
  local middle = #list // 2
  return #list == 0 and nil or #list % 2 == 1 and list[middle + 1] or (list[middle] + list[middle + 1]) / 2
end

-- Those between two shares of the time.
local function between(points, from, to)
  local first, last, list = points[1].t, points[#points].t, {}
  for _, point in ipairs(points) do
    local share = (point.t - first) / (last - first)
    if share >= from and share <= to then
      list[#list + 1] = point
    end
  end
  return list
end

local function values(points)
  local list = {}
  for i, point in ipairs(points) do
    list[i] = point.v
  end
  return list
end

-- At most MOST of them, each the median of its neighbours.
local function thinned(points)
  local width = math.ceil(#points / MOST)
  if width <= 1 then
    return points
  end
  local list = {}
  for i = 1, #points - width + 1, width do
    local some = table.move(points, i, i + width - 1, 1, {})
    list[#list + 1] = { t = some[(width + 1) // 2].t, v = flat.median(values(some)) }
  end
  return list
end

-- Per second.
function flat.slope(points)
  local few, slopes = thinned(points), {}
  for i = 1, #few - 1 do
    for k = i + 1, #few do
      if few[k].t > few[i].t then
        slopes[#slopes + 1] = (few[k].v - few[i].v) / (few[k].t - few[i].t)
      end
    end
  end
  return flat.median(slopes) or 0
end

local STEP = 3 -- of the driver, from one point to the next, before the two say anything

-- Memory follows how many scripts live: what one more of them costs is the median over neighbouring points between
-- which their number changed much. Neighbours are too near in time for a leak to tell.
function flat.without(points, driver)
  local prices, list, middle = {}, {}, flat.median(values(driver))
  for i = 2, #points do
    local step = driver[i].v - driver[i - 1].v
    if math.abs(step) >= STEP then
      prices[#prices + 1] = (points[i].v - points[i - 1].v) / step
    end
  end
  local price = math.max(0, flat.median(prices) or 0)
  for i, point in ipairs(points) do
    list[i] = { t = point.t, v = point.v - price * (driver[i].v - middle) }
  end
  return list, price
end

function flat.judge(points, allowance)
  if #points < FEWEST then
    return nil
  end
  local seconds = points[#points].t - points[1].t
  local early = flat.median(values(between(points, 0.2, 0.4)))
  local late = flat.median(values(between(points, 0.8, 1)))
  if not early or not late then
    return nil
  end
  local out = { early = early, late = late, grew = late - early, seconds = seconds,
    trend = flat.slope(between(points, 0.2, 1)) * 0.6 * seconds,
    allowed = early * (allowance.share or 0) + (allowance.plus or 0) }
  out.ok = math.min(out.grew, out.trend) <= out.allowed
  return out
end

function flat.leak(before, after, calls, allowance)
  local out = { early = before, late = after, grew = after - before, per_call = (after - before) / math.max(calls, 1),
    allowed = (allowance.per_call or 0) * calls + (allowance.plus or 0) }
  out.ok = out.grew <= out.allowed
  return out
end

return flat
