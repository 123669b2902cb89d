-- SPDX-License-Identifier: Apache-2.0
-- takes: 75 s
-- Three nodes on one PostgreSQL behind HAProxy, with the very file of examples/haproxy, under calls. Longer, and
-- to try things with: scripts/cluster.
local books = require "spec.chaos.books"
local chaos = require "spec.chaos.run"
local proc = require "spec.e2e.support.proc"
local proof = require "spec.cluster.proof"
local verdict = require "spec.cluster.verdict"

local CALLS = 10

describe("three nodes behind HAProxy", function()
  local r

  setup(function()
    r = proof { calls = CALLS, waves = 1, short = true }
  end)

  it("bring every caller to a good end, though one is killed and one is replaced", function()
    assert.same({}, r.books.cut)
    assert.same({}, r.books.refused)
    assert.is_true(r.books.well >= CALLS) -- another wave comes when a step was not over in time
  end)

  it("take streams whose webhook another one answered, and calls of those that are gone", function()
    assert.is_true(r.books.elsewhere > 0)
    assert.is_true(r.books.adopted > 0)
    assert.equal(1, chaos.share_within(r.books.talking, 1000 * proc.promised(3)))
    assert.is_true(books.rank(r.books.talking, 1) > 0)
  end)

  it("lose nothing and do nothing twice; what else was promised is so", function()
    assert.same({}, verdict.wrong(r, proc.promised(1)))
  end)

  it("all have a rollout's change and a release within a second", function()
    for _, took in ipairs { r.rollout_ms, r.release_ms } do
      assert.equal(3, #took)
      assert.is_true(math.max(table.unpack(took)) <= 1000 * proc.promised(1), table.concat(took, ", "))
    end
  end)

  it("tell of each other's calls, and the same statistics", function()
    for i = 1, 3 do
      assert.is_true(r.live[i].told)
      assert.equal(r.statistics[1], r.statistics[i])
    end
    assert.is_true(r.statistics[1] >= CALLS)
  end)

  it("are led by another one when the leader dies", function()
    assert.is_string(r.leaders[1])
    assert.is_string(r.leaders[2])
  end)

  it("refuse nobody while one drains, which says so to the balancer and cuts nobody off", function()
    assert.same({ code = 0, refused = 0, cut = 0, ready = 503 },
      { code = r.drain.code, refused = r.drain.refused, cut = r.drain.cut, ready = r.drain.ready })
  end)

  it("keep out who hammers by that one's own address, not by HAProxy's", function()
    for _, door in ipairs { "public", "admin" } do
      assert.is_true(r.fences[door][1] > 0, door)
      assert.equal(200, r.fences[door][2], door)
    end
  end)
end)
