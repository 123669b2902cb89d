-- SPDX-License-Identifier: Apache-2.0
-- The arithmetic of spec/chaos/books.lua: a comparison that finds nothing must be one that can find something.
local books = require "spec.chaos.books"
local talk = require "spec.chaos.talk"

describe("the books of a chaotic hour", function()
  local function call(o)
    o.said, o.heard, o.streams = o.said or {}, o.heard or {}, o.streams or { { open = 0 } }
    if o.report == nil then
      table.insert(o.said, { from = 30000, to = 30000, text = talk.goodbye })
    end
    o.report = o.report or { ok = true }
    return o
  end

  it("say how long it took until the agent talked again", function()
    local c = call { streams = { { open = 0, closed = 5000 }, { open = 6000, closed = 9000 }, { open = 9500 } },
      heard = { { from = 100, to = 4000 }, { from = 7200, to = 9000 }, { from = 10100, to = 11000 } } }
    assert.same({ 1200, 600 }, books.talking(c))
  end)

  it("say never when nobody talked again, and when there was no other stream", function()
    assert.same({ math.huge }, books.talking(call { streams = { { open = 0, closed = 5000 }, { open = 6000 } },
      heard = { { from = 100, to = 4000 } } }))
    assert.same({ math.huge }, books.talking(call { streams = { { open = 0, closed = 5000 } },
      report = { ok = false } }))
    assert.same({ math.huge }, books.talking(call { streams = { { open = 0, closed = 5000 } }, report = { ok = true },
      said = { { from = 3000, to = 4000, text = talk.once[1] } } })) -- an end, but not a good one
    assert.same({}, books.talking(call { streams = { { open = 0, closed = 35000 } } }))
  end)

  it("count as a gap only what callers waited longer than usual", function()
    local said = { { from = 2000, to = 3000 }, { from = 6000, to = 7000 }, { from = 12000, to = 13000 } }
    local heard = { { from = 0, to = 1500 }, { from = 3600, to = 5000 }, { from = 9600, to = 11000 },
      { from = 13600, to = 14000 } }
    local gaps, usual = books.gaps({ CA1 = call { said = said, heard = heard } }, { CA1 = { 7500 } })
    assert.equal(600, usual)
    assert.same({ 2000 }, gaps)
    assert.same({ 0 }, (books.gaps({ CA1 = call { said = said, heard = heard } }, { CA1 = { 500 } })))
  end)

  it("owe what was said while the stream stood, and long enough to be understood", function()
    local c = call { streams = { { open = 0, closed = 20000 }, { open = 21000 } } }
    assert.is_true(books.is_owed(c, { from = 1000, to = 2000 }))
    assert.is_false(books.is_owed(c, { from = 15000, to = 16000 }))
    assert.is_false(books.is_owed(c, { from = 20100, to = 20900 }))
    assert.is_false(books.is_owed(c, { from = 1000 }))
    assert.is_true(books.is_owed(c, { from = 22000, to = 23000 }))
  end)

  it("find a turn that is missing and one that is there twice", function()
    local text = talk.once[1]
    local out = { said = 0, owed = 0, lost_turns = {}, double_turns = {} }
    local said = { { from = 1000, to = 2000, text = text } }
    books.count_turns({ CA1 = call { said = said }, CA2 = call { said = said }, CA3 = call { said = said } },
      { CA2 = { ["caller " .. text] = 2 }, CA3 = { ["caller " .. text] = 1 } }, out)
    assert.same({ "CA1: " .. text }, out.lost_turns)
    assert.same({ "CA2: " .. text }, out.double_turns)
    assert.equal(3, out.owed)
  end)
end)
