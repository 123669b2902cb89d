-- SPDX-License-Identifier: Apache-2.0
-- rollout.statistics: what two shares can be said to differ by. Pure.
--
-- Calls of one caller are no independent samples: whom a system annoys hangs up each time. So a share is reckoned over
-- callers, and its interval is as wide as that many calls of that many callers deserve (`weighed`).
local M = {}

local LOG_2PI = math.log(2 * math.pi)

---Wilson's interval of a share.
---@param k number how many of them
---@param n number how many there were
---@param z number
---@return number low
---@return number high
function M.wilson(k, n, z)
  if n <= 0 then
    return 0, 1
  end
  local p, zz = k / n, z * z
  local centre = (p + zz / (2 * n)) / (1 + zz / n)
  local half = z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
  return math.max(centre - half, 0), math.min(centre + half, 1)
end

---Newcombe's interval of the difference of two shares: the canary's less the baseline's.
---@return number difference
---@return number low
---@return number high
function M.newcombe(k_canary, n_canary, k_baseline, n_baseline, z)
  local p1, p2 = k_canary / n_canary, k_baseline / n_baseline
  local l1, u1 = M.wilson(k_canary, n_canary, z)
  local l2, u2 = M.wilson(k_baseline, n_baseline, z)
  local d = p1 - p2
  return d, d - math.sqrt((p1 - l1) ^ 2 + (u2 - p2) ^ 2), d + math.sqrt((u1 - p1) ^ 2 + (p2 - l2) ^ 2)
end

---How many independent calls these are worth, and how many of those failed. `spread` has, summed over callers, the
---squares of their calls (nn), of those that failed (kk), and the products (kn).
---@param k number
---@param n number
---@param spread { nn: number, kn: number, kk: number }? nil: one call of each caller
---@return number k
---@return number n
function M.weighed(k, n, spread)
  if not spread or n <= 0 or k <= 0 or k >= n then
    return k, n
  end
  local p = k / n
  local between = spread.kk - 2 * p * spread.kn + p * p * spread.nn
  local effect = between / (n * p * (1 - p))
  if effect <= 1 then
    return k, n
  end
  return k / effect, n / effect
end

---Pearson's statistic of a split that should be share : 1 - share; above 10.83 it is so by chance in one of 1,000.
function M.chi_squared(canary, baseline, share)
  local n = canary + baseline
  if n == 0 or share <= 0 or share >= 1 then
    return 0
  end
  local a, b = n * share, n * (1 - share)
  return (canary - a) ^ 2 / a + (baseline - b) ^ 2 / b
end

-- Of the gamma function, for x >= 1: Stirling's series.
local function log_gamma(x)
  local shift = 0
  while x < 8 do
    shift = shift - math.log(x)
    x = x + 1
  end
  local r = 1 / (x * x)
  return shift + (x - 0.5) * math.log(x) - x + LOG_2PI / 2 + (1 / 12 - r * (1 / 360 - r / 1260)) / x
end

local function log_beta(a, b)
  return log_gamma(a) + log_gamma(b) - log_gamma(a + b)
end

local PRIOR = 200 -- callers: how near the asked share another one is believed to be

---The odds that the split is another one than asked for, against that it is as asked for. If it is as asked for, then
---whoever looks as often as they like sees more than 1 / a with a probability of a at most.
---@return number odds
function M.split_odds(canary, baseline, share)
  if share <= 0 or share >= 1 then
    return (share <= 0 and canary > 0 or share >= 1 and baseline > 0) and math.huge or 0
  end
  local a, b = PRIOR * share, PRIOR * (1 - share)
  return math.exp(log_beta(a + canary, b + baseline) - log_beta(a, b) - canary * math.log(share)
    - baseline * math.log(1 - share))
end

---Of n independent calls, each failing with probability p, at least k fail.
function M.at_least(k, n, p)
  local below, term = 0, (1 - p) ^ n
  for i = 0, k - 1 do
    below = below + term
    term = term * (n - i) / (i + 1) * p / (1 - p)
  end
  return math.max(1 - below, 0)
end

return M
