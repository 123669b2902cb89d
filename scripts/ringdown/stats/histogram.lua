-- SPDX-License-Identifier: Apache-2.0
-- stats.histogram: how many waits were how long, in eight buckets between a number and its double, as sql/ counts them
-- (bucket_of). They add up over hours, agents and sites; a percentile is the middle of its bucket, which is at most a
-- sixteenth away from what it stands for.
local M = {}

local LONGEST = 134217727

---@param n integer ms or seconds
---@return integer
function M.bucket(n)
  n = math.min(n, LONGEST)
  if n < 8 then
    return math.max(n, 0)
  end
  local e = 3
  while n >> (e + 1) > 0 do
    e = e + 1
  end
  return 8 * (e - 2) + (n >> (e - 3)) - 8
end

---The first and the last number of a bucket.
---@param bucket integer
---@return integer low
---@return integer high
function M.bounds(bucket)
  if bucket < 8 then
    return bucket, bucket
  end
  local shift = bucket // 8 - 1
  local low = (bucket % 8 + 8) << shift
  return low, low + (1 << shift) - 1
end

---@param bucket integer
---@return integer
function M.middle(bucket)
  local low, high = M.bounds(bucket)
  return (low + high) // 2
end

---Adds what another row has.
---@param into table<integer, integer> bucket → how many
---@param pairs_of integer[][]? { { bucket, n }, … }
function M.add(into, pairs_of)
  for _, one in ipairs(pairs_of or {}) do
    into[one[1]] = (into[one[1]] or 0) + one[2]
  end
end

---@param counts table<integer, integer>
---@return integer
function M.count(counts)
  local n = 0
  for _, times in pairs(counts) do
    n = n + times
  end
  return n
end

---The least number that so large a share does not exceed (nearest rank); nil of nothing.
---@param counts table<integer, integer>
---@param share number 0.95
---@return integer?
function M.quantile(counts, share)
  local buckets, rank, seen = {}, math.ceil(share * M.count(counts)), 0
  for bucket in pairs(counts) do
    buckets[#buckets + 1] = bucket
  end
  table.sort(buckets)
  for _, bucket in ipairs(buckets) do
    seen = seen + counts[bucket]
    if seen >= rank then
      return M.middle(bucket)
    end
  end
end

return M
