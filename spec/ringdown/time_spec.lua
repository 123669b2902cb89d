-- SPDX-License-Identifier: Apache-2.0
local time = require "ringdown.time"

describe("the agent's clock", function()
  it("reads durations", function()
    assert.equal(500, time.duration "500ms")
    assert.equal(4000, time.duration "4s")
    assert.equal(600000, time.duration "10m")
    assert.equal(3600000, time.duration "1h")
    assert.equal(90 * 86400000, time.duration "90d")
    for _, wrong in ipairs { "4", "s", "4 s", "4w", "-4s", "" } do
      assert.is_nil(time.duration(wrong))
    end
    assert.is_nil(time.duration(4))
  end)

  it("knows the wall clock of a zone, in summer and in winter", function()
    assert.equal("Sunday, November 22, 2026, 10:47 am", time.at("America/Chicago", 1795366071).text)
    assert.equal("2026-07-01", time.at("America/Chicago", 1782882000).date)
    assert.equal("00:00", time.at("America/Chicago", 1782882000 ).time)
    assert.equal("23:59", time.at("America/Chicago", 1782881999).time)
    assert.equal(1795366020, time.unix_of("America/Chicago", "2026-11-22 10:47"))
    assert.equal(1782882000, time.unix_of("America/Chicago", "2026-07-01 00:00"))
    assert.is_nil(time.zone("Nowhere/At_All"))
    assert.is_nil(time.zone("../../etc/passwd"))
  end)

  it("understands days as people say them", function()
    local tuesday = { date = "2026-11-24" }
    assert.equal("2026-11-24", time.day(tuesday, "today"))
    assert.equal("2026-11-25", time.day(tuesday, "Tomorrow"))
    assert.equal("2026-12-01", time.day(tuesday, "tuesday"))
    assert.equal("2026-11-30", time.day(tuesday, "next Monday"))
    assert.equal("2028-02-29", time.day(tuesday, "2028-02-29"))
    assert.is_nil(time.day(tuesday, "2026-02-29"))
    assert.matches("a weekday", select(2, time.day(tuesday, "whenever")))
    assert.equal("Tuesday, February 29", time.day_text "2028-02-29")
    assert.equal(31, time.days_between("2026-12-01", "2027-01-01"))
  end)

  it("tells opening hours in words", function()
    local hours = time.hours_shape({ sat = "09:00-12:30", mon_fri = "08:00-17:00", closed = { "2026-12-25" } }, "hours",
      error)
    assert.equal("Monday to Friday 8 am to 5 pm; Saturday 9 am to 12:30 pm; closed on December 25, 2026",
      time.hours_text(hours))
  end)
end)
