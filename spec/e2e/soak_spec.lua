-- SPDX-License-Identifier: Apache-2.0
-- takes: 130 s
-- A soak of less than half a minute: callers of several kinds, a few events. What it may leave behind is asked as in
-- scripts/soak, but for memory, which a sanitizer keeps to itself; the long ones do (scripts/test --only soak).
local report = require "spec.soak.report"
local run = require "spec.soak.run"

local CALLS, SECONDS = 8, 24
local SHORT = { "drop", "drop-in-tool", "stream", "reload", "reload-broken", "share", "twilio", "vapi",
  "database-stops", "database-hangs" }

describe("callers who come and go while things change and fail #long", function()
  local result, verdict

  setup(function()
    result = run { calls = CALLS, seconds = SECONDS, nodes = 1, seed = 5, every = 2, sample = 2, quiet = 4,
      events = SHORT, sanitized = true }
    verdict = report.judge(result)
  end)

  it("leave nothing behind, and the books agree", function()
    assert.same({}, verdict.wrong)
  end)

  it("were there, and so was what happened", function()
    assert.is_true(result.over > CALLS)
    assert.is_true(#result.timeline >= 6)
    assert.is_true(result.books.n_usage > 0)
    assert.is_true((result.answers["200"] or 0) > 10)
  end)

  it("would be told of what a call had left", function()
    local after = result.idle.after[1]
    after.scripts, after.fds = after.scripts + 1, after.fds + 40
    table.insert(result.books.wrong_texts, "SM1: is in no row")
    local wrong = table.concat(report.judge(result).wrong, "\n")
    assert.matches("scripts was 0 and is 1", wrong)
    assert.matches("fds was %d+ and is", wrong)
    assert.matches("SM1: is in no row", wrong)
  end)
end)
