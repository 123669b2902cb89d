-- SPDX-License-Identifier: Apache-2.0
-- The rules of the example agents against the corpus. spec/triage/corpus/README.md defines the numbers.
-- RINGDOWN_CORPUS_SHOW=tune prints what the tuning half gets wrong. There is no such thing for the held-out half.
local corpus = require "spec.support.corpus"

local function measured(half)
  local rows = corpus.read(half)
  if #rows == 0 then
    return nil
  end
  local m = corpus.measure(rows)
  print("\n" .. corpus.report(half, m))
  if half == "tune" and os.getenv "RINGDOWN_CORPUS_SHOW" == "tune" then
    print(table.concat(m.wrong, "\n"))
  end
  return m
end

describe("the corpus of emergencies", function()
  it("is recognised where the rules were made with it in view", function()
    local m = assert(measured "tune")
    assert.is_true(m.count >= 220)
    assert.is_true(m.life_recall >= 0.99)
    assert.is_true(m.precision >= 0.98)
    assert.is_true(m.acted_at_once >= 0.7)
    assert.is_true(m.other_recall >= 0.92)
    assert.is_true(m.needless_questions <= 0.15)
    assert.is_true(m.asked >= 0.9)
  end)

  it("is recognised in the half that nobody has looked at", function()
    local m = assert(measured "heldout", "the held-out half is gone")
    assert.is_true(m.count >= 200)
    assert.is_true(m.life_recall >= 0.99)
    assert.is_true(m.precision >= 0.95)
  end)
end)
