-- SPDX-License-Identifier: Apache-2.0
-- The verdict of scripts/soak: one that finds nothing must be one that can find something.
local flat = require "spec.soak.flat"

local MB = 1048576
local MEMORY = { share = 0.02, plus = MB }

describe("a series", function()
  local function dice(seed)
    return function()
      seed = (seed * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff
      return (seed >> 33) / 0x40000000 - 1 -- from -1 to 1
    end
  end

  -- One point each 5 s; value(t) plus noise.
  local function series(seconds, value, noise)
    local chance, list = dice(7), {}
    for t = 0, seconds, 5 do
      list[#list + 1] = { t = t, v = value(t) + (noise or 0) * chance() }
    end
    return list
  end

  it("that only wavers is flat", function()
    assert.is_true(flat.judge(series(600, function() return 60 * MB end, 3 * MB), MEMORY).ok)
    assert.is_true(flat.judge(series(600, function(t) return 60 * MB + 5 * MB * math.sin(t / 20) end), MEMORY).ok)
  end)

  it("that fills up while it warms is flat", function()
    local verdict = flat.judge(series(600, function(t) return (40 + math.min(t, 110) / 5) * MB end, MB), MEMORY)
    assert.is_true(verdict.ok)
  end)

  it("with a few wild points at its end is flat", function()
    local verdict = flat.judge(series(600, function(t) return (t > 490 and 90 or 60) * MB end, MB / 10), MEMORY)
    assert.is_true(verdict.grew > verdict.allowed)
    assert.is_true(verdict.ok)
  end)

  it("that loses 1 KB with each call is found, beside noise of a thousand times that", function()
    local calls_per_s = 1.5
    local verdict = flat.judge(series(3600, function(t) return 40 * MB + 1024 * calls_per_s * t end, MB), MEMORY)
    assert.is_false(verdict.ok)
    assert.is_true(verdict.trend > 2 * MB)
  end)

  it("that climbs by stairs is found", function()
    local verdict = flat.judge(series(600, function(t) return (40 + t // 60) * MB end, MB), MEMORY)
    assert.is_false(verdict.ok)
  end)

  it("of something that must be the same has no room at all", function()
    assert.is_true(flat.judge(series(600, function() return 40 end), { plus = 2 }).ok)
    assert.is_false(flat.judge(series(600, function(t) return 40 + t // 100 end), { plus = 2 }).ok)
  end)

  it("of thousands of points is judged as quickly", function()
    assert.is_false(flat.judge(series(86400, function(t) return 40 * MB + 100 * t end, MB), MEMORY).ok)
    assert.is_true(flat.judge(series(86400, function() return 40 * MB end, MB), MEMORY).ok)
  end)

  it("is held against what it follows: more scripts take more memory, and that is no leak", function()
    local scripts = series(600, function(t) return 10 + t // 60 + t // 5 % 3 * 4 end)
    local function memory(leak)
      local list = series(600, function(t) return 20 * MB + leak * t end, MB / 5)
      for i, point in ipairs(list) do
        point.v = point.v + 300000 * scripts[i].v
      end
      return list
    end
    assert.is_false(flat.judge(memory(0), MEMORY).ok)
    local adjusted, price = flat.without(memory(0), scripts)
    assert.is_true(math.abs(price - 300000) < 100000, price)
    assert.is_true(flat.judge(adjusted, MEMORY).ok)
    assert.is_false(flat.judge(flat.without(memory(MB / 100), scripts), MEMORY).ok)
  end)

  it("that is too short says nothing", function()
    assert.is_nil(flat.judge(series(30, function() return 1 end), MEMORY))
  end)
end)

describe("two moments without calls", function()
  local ALLOWED = { per_call = 512, plus = 65536 }

  it("may differ by what is allowed for each call, and not by 1 KB a call", function()
    assert.is_true(flat.leak(10 * MB, 10 * MB + 400 * 500, 400, ALLOWED).ok)
    assert.is_false(flat.leak(10 * MB, 10 * MB + 400 * 1024, 400, ALLOWED).ok)
    assert.is_true(flat.leak(12 * MB, 10 * MB, 400, ALLOWED).ok)
  end)
end)
