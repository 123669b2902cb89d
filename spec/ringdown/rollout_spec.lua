-- SPDX-License-Identifier: Apache-2.0
local rollout = require "ringdown.rollout"

-- Every caller of a prefix, from the first number on.
local function each_caller(n, visit)
  for i = 0, n - 1 do
    visit(("+1415%07d"):format(i))
  end
end

describe("the hash of a rollout", function()
  it("is the one that others compute, too", function()
    assert.equal(2166136261, rollout.fnv1a32 "")
    assert.equal(3826002220, rollout.fnv1a32 "a")
    assert.equal(3214735720, rollout.fnv1a32 "foobar")
    assert.equal(717764279, rollout.fnv1a32 "seeda")
    assert.equal(3916700011, rollout.fnv1a32 "rollout:sales:v1:+14155550100")
    for _, v in ipairs { { "seed", "a", 505 }, { "seed", "b", 2696 }, { "foo", "ab", 2575 }, { "foo", "def", 2019 },
      { "89123klj", "8952klfjas09ujkasdf", 1240 }, { "90850943850283058242805", "123", 7516 },
      { "()**(%$##$%#$#", "___)((*\":&", 128 } } do
      assert.equal(v[3], rollout.bucket(v[1], v[2]), v[1] .. v[2])
    end
  end)

  it("differs between agents and salts", function()
    local vectors = { ["+14155550100"] = { 9671, 618, 4537 }, ["+14155550101"] = { 3095, 9942, 5525 },
      ["+14155550102"] = { 7213, 3675, 6093 }, ["+442071838750"] = { 8660, 7369, 6381 },
      ["+498912345678"] = { 3950, 8229, 3119 }, CA00000000000000000000000000000001 = { 8081, 6633, 3410 },
      CAdeadbeefdeadbeefdeadbeefdeadbeef = { 7598, 7773, 4743 } }
    for key, buckets in pairs(vectors) do
      assert.same(buckets, { rollout.bucket(rollout.seed "sales", key), rollout.bucket(rollout.seed "support", key),
        rollout.bucket(rollout.seed("sales", "v2"), key) })
    end
  end)
end)

describe("a share of 200,000 callers", function()
  local sales, quarter, half, all, other_agent, other_salt = rollout.seed "sales", 0, 0, 0, 0, 0
  local lost, hundredths = 0, {}

  setup(function()
    local support, again = rollout.seed "support", rollout.seed("sales", "v2")
    each_caller(200000, function(number)
      local bucket = rollout.bucket(sales, number)
      local in_25, in_50 = rollout.is_on(bucket, 2500), rollout.is_on(bucket, 5000)
      local in_100 = rollout.is_on(bucket, rollout.WHOLE)
      quarter, half, all = quarter + (in_25 and 1 or 0), half + (in_50 and 1 or 0), all + (in_100 and 1 or 0)
      lost = lost + ((in_25 and not in_50 or in_50 and not in_100) and 1 or 0)
      hundredths[bucket // 100] = (hundredths[bucket // 100] or 0) + 1
      if in_25 then
        other_agent = other_agent + (rollout.is_on(rollout.bucket(support, number), 2500) and 1 or 0)
        other_salt = other_salt + (rollout.is_on(rollout.bucket(again, number), 2500) and 1 or 0)
      end
    end)
  end)

  it("is what was asked for, within 0.3 points", function()
    assert.is_true(math.abs(quarter / 200000 - 0.25) < 0.003, quarter)
    assert.is_true(math.abs(half / 200000 - 0.5) < 0.003, half)
    assert.equal(200000, all)
  end)

  it("only grows", function()
    assert.equal(0, lost)
  end)

  it("is spread evenly", function()
    local chi2 = 0
    for i = 0, 99 do
      chi2 = chi2 + ((hundredths[i] or 0) - 2000) ^ 2 / 2000
    end
    assert.is_true(chi2 < 148.2, chi2) -- p = 0.001 at 99 degrees of freedom
  end)

  it("says nothing about another agent's, or about the same after its salt was changed", function()
    assert.is_true(math.abs(other_agent / quarter - 0.25) < 0.01, other_agent / quarter)
    assert.is_true(math.abs(other_salt / quarter - 0.25) < 0.01, other_salt / quarter)
  end)
end)

describe("the edges of a share", function()
  it("are exact", function()
    assert.is_false(rollout.is_on(0, 0))
    assert.is_true(rollout.is_on(9999, rollout.WHOLE))
    assert.is_false(rollout.is_on(2500, 2500))
    assert.is_true(rollout.is_on(2499, 2500))
    assert.is_true(rollout.is_on(rollout.bucket(rollout.seed "sales", "+14155550101"), 3096))
    assert.is_false(rollout.is_on(rollout.bucket(rollout.seed "sales", "+14155550101"), 3095))
  end)
end)

describe("what a caller is known by", function()
  it("is the number, however it is written", function()
    for _, party in ipairs { "+14155550100", " +14155550100", "+1 (415) 555-0100", "+1.415.555.0100",
      "sip:+14155550100@trunk.example.com", "sips:+14155550100;user=phone@example.com" } do
      assert.equal("+14155550100", rollout.key("caller", party, "CA1"), party)
    end
  end)

  it("is the call, when the number is withheld or none", function()
    for _, party in ipairs { "", "anonymous", "Anonymous", "unknown", "restricted", "private", "unavailable", "blocked",
      "withheld", "+266696687", "+86282452253", "+8656696", "+2562533", "+7378742833", "client:bob",
      "sip:bob@x.example", "sip:+266696687@x.example", "+", "+0123", "14155550100", "+1415abc" } do
      assert.equal("CA1", rollout.key("caller", party, "CA1"), party)
    end
    assert.equal("CA1", rollout.key("caller", nil, "CA1"))
  end)

  it("is the call, when the plan counts calls", function()
    assert.equal("CA1", rollout.key("call", "+14155550100", "CA1"))
  end)

  it("spreads those who withhold theirs over all buckets", function()
    local on = 0
    for i = 1, 20000 do
      local key = rollout.key("caller", "anonymous", ("CA%032x"):format(i))
      on = on + (rollout.is_on(rollout.bucket(rollout.seed "sales", key), 2500) and 1 or 0)
    end
    assert.is_true(math.abs(on / 20000 - 0.25) < 0.01, on)
  end)
end)
