-- SPDX-License-Identifier: Apache-2.0
local savings = require "ringdown.stats.savings"

-- So many calls of one to eight minutes, at so many micro-dollars a minute, more or less.
local function seen(n, price, noise)
  local s = { n = n, x = 0, m = 0, xx = 0, xm = 0, mm = 0 }
  for i = 1, n do
    local m = 1 + i % 8
    local x = price * m + (i % 2 == 0 and noise or -noise)
    s.x, s.m, s.xx, s.xm, s.mm = s.x + x, s.m + m, s.xx + x * x, s.xm + x * m, s.mm + m * m
  end
  return s
end

describe("what OpenAI saves", function()
  local vapi, openai = seen(200, 140000, 5000), seen(200, 60000, 3000)

  it("so far is what its calls would have cost on Vapi, less what they cost", function()
    local so_far = savings.weigh({ calls = 100, known = 98, x = 18000000, m = 300, all_m = 306 }, nil, openai, vapi, 30)
    assert.is_true(math.abs(so_far.value - (300 * 140000 - 18000000)) < 200000)
    assert.is_true(so_far.variance > 0)
    assert.same({ 98, 2 }, { so_far.calls, so_far.left_out })
  end)

  it("each month is for all calls of either system, at the prices of both", function()
    local _, at_all = savings.weigh({ calls = 100, known = 100, x = 18000000, m = 300, all_m = 300 },
      { calls = 50, all_m = 100 }, openai, vapi, 15)
    assert.is_true(math.abs(at_all.value - 800 * 80000) < 800 * 2000)
    assert.equal(150, at_all.calls)
  end)

  it("may be less than nothing", function()
    local row = { calls = 10, known = 10, x = 9000000, m = 30, all_m = 30 }
    local so_far, at_all = savings.weigh(row, nil, vapi, openai, 30)
    assert.is_true(so_far.value < 0 and at_all.value < 0)
  end)

  it("is not known without calls enough, and says of which system", function()
    local row = { calls = 10, known = 10, x = 9, m = 30, all_m = 30 }
    local so_far, at_all = savings.weigh(row, nil, openai, seen(29, 140000, 1), 30)
    assert.is_nil(so_far.value or at_all.value)
    assert.matches("of Vapi, it had 29 calls", so_far.reason)
    so_far, at_all = savings.weigh(row, nil, nil, vapi, 30)
    assert.is_number(so_far.value)
    assert.matches("of OpenAI, it had no call", at_all.reason)
    assert.matches("no call of known cost was on OpenAI", (savings.weigh(nil, row, openai, vapi, 30)).reason)
  end)
end)
