-- SPDX-License-Identifier: Apache-2.0
-- takes: 30 s
-- Calls between two nodes while everything breaks that a call must outlive, at moments that were chosen so that each
-- hits somebody. The same without an end, and by chance: scripts/chaos.
local books = require "spec.chaos.books"
local proc = require "spec.e2e.support.proc"
local run = require "spec.chaos.run"

local CALLS = 10

describe("while sessions, streams and nodes die,", function()
  local result

  setup(function()
    result = run { calls = CALLS, waves = 1, short = true, nodes = 2, seed = 3, script = {
      { 2, "drop-in-tool" }, { 2.5, "drop" }, { 4, "drop" }, { 5, "1011-in-answer" }, { 6, "stream" }, { 7.5, "drop" },
      { 9, "kill" },
    } }
  end)

  it("every caller comes to a good end", function()
    assert.same({}, result.books.cut)
    assert.same({}, result.books.refused)
    assert.equal(CALLS, result.books.well)
  end)

  it("the agent talks again within three seconds of the carrier's new stream", function()
    assert.is_true(#result.books.talking >= 2)
    assert.equal(1, run.share_within(result.books.talking, 1000 * proc.promised(3)))
  end)

  it("a model that is lost is hardly heard", function()
    assert.is_true(result.books.breaks >= 3)
    assert.is_true(books.rank(result.books.gaps, 1) <= 1000 * proc.promised(1.5),
      tostring(books.rank(result.books.gaps, 1)))
  end)

  it("nothing that was said and written down is lost, and nothing is done twice", function()
    assert.same({}, run.wrong(result))
    assert.is_true(result.books.owed > 0)
    assert.is_true(result.books.visits > CALLS / 2)
  end)
end)
