-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local routing = require "ringdown.routing"

local VAPI = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" }

local function define(more)
  complaints.start("sales")
  local spec = { name = "sales", greeting = "Hello.", prompt = "Help." }
  for key, value in pairs(more) do
    spec[key] = value
  end
  local def = agent(spec)
  return def, complaints.text()
end

local function system_of(more, from)
  local def, wrong = define(more)
  assert.equal("", wrong)
  local call = fake.call { agent = def, from = from }
  return call.system, call.reason
end

describe("a bucket", function()
  it("is the one that others compute, too", function()
    assert.equal(2166136261, routing.fnv1a32 "")
    assert.equal(3826002220, routing.fnv1a32 "a")
    assert.equal(3214735720, routing.fnv1a32 "foobar")
    assert.equal(3916700011, routing.fnv1a32 "rollout:sales:v1:+14155550100")
    for _, v in ipairs { { "seed", "a", 505 }, { "seed", "b", 2696 }, { "foo", "ab", 2575 }, { "foo", "def", 2019 },
      { "89123klj", "8952klfjas09ujkasdf", 1240 }, { "90850943850283058242805", "123", 7516 },
      { "()**(%$##$%#$#", "___)((*\":&", 128 } } do
      assert.equal(v[3], routing.bucket(v[1], v[2]))
    end
  end)

  it("differs between agents and salts", function()
    local vectors = { ["+14155550100"] = { 9671, 618, 4537 }, ["+14155550101"] = { 3095, 9942, 5525 },
      ["+14155550102"] = { 7213, 3675, 6093 }, ["+442071838750"] = { 8660, 7369, 6381 },
      ["+498912345678"] = { 3950, 8229, 3119 }, CA00000000000000000000000000000001 = { 8081, 6633, 3410 },
      CAdeadbeefdeadbeefdeadbeefdeadbeef = { 7598, 7773, 4743 } }
    for key, buckets in pairs(vectors) do
      assert.same(buckets, { routing.bucket("rollout:sales:v1:", key), routing.bucket("rollout:support:v1:", key),
        routing.bucket("rollout:sales:v2:", key) })
    end
  end)

  it("takes its share of callers, and a larger share only adds to it", function()
    local quarter, half = 0, 0
    for i = 0, 19999 do
      local bucket = routing.bucket("rollout:sales:v1:", ("+1415%07d"):format(i))
      quarter, half = quarter + (bucket < 2500 and 1 or 0), half + (bucket < 5000 and 1 or 0)
    end
    assert.is_true(math.abs(quarter - 5000) < 200 and math.abs(half - 10000) < 250)
  end)

  it("belongs to the call when the number is withheld", function()
    for _, number in ipairs { "", "anonymous", "+266696687", "+7378742833", "client:bob" } do
      assert.equal("CA1", routing.key(number, "CA1"))
    end
    assert.equal("CA1", routing.key(nil, "CA1"))
    assert.equal("+14155550100", routing.key("+14155550100", "CA1"))
  end)
end)

describe("routing", function()
  it("is fixed, split, or a function of the call", function()
    assert.same({ "vapi", "fixed" }, { system_of { routing = "vapi", vapi = VAPI } })
    assert.same({ "openai", "fixed" }, { system_of { routing = "openai", vapi = VAPI } })
    assert.same({ "openai", "split" },
      { system_of({ routing = { split = { openai = 31 } }, vapi = VAPI }, "+14155550101") })
    assert.same({ "vapi", "split" },
      { system_of({ routing = { split = { openai = 30.95 } }, vapi = VAPI }, "+14155550101") })
    assert.same({ "openai", "split" }, { system_of { routing = { split = { openai = 100 } } } })
    local vip = function() return "vapi", "vip" end
    assert.same({ "vapi", "vip" }, { system_of { routing = vip, vapi = VAPI } })
    assert.same({ "openai", "default" }, { system_of { routing = function() end, vapi = VAPI, openai = {} } })
    assert.same({ "vapi", "default" }, { system_of { vapi = VAPI } })
    assert.same({ "openai", "default" }, { system_of {} })
  end)

  it("says at load what cannot work at a call", function()
    local function wrong(value)
      local _, text = define { routing = value }
      return text
    end
    assert.matches("routing: sends calls to Vapi, but there is no vapi table", wrong "vapi")
    assert.matches("routing: sends calls to Vapi", wrong { split = { openai = 25 } })
    assert.matches("routing: \"opena1\" is unknown; did you mean 'openai'?", wrong "opena1", 1, true)
    assert.matches("routing.split.openai: must be a number from 0 to 100", wrong { split = { openai = 101 } }, 1, true)
    assert.matches("routing.split.openai: has steps of 0.01", wrong { split = { openai = 0.005 } }, 1, true)
    assert.matches("routing: 'split' is missing", wrong {})
    assert.matches("routing: must be", wrong(7))
  end)
end)
