-- SPDX-License-Identifier: Apache-2.0
local fake_host = require "ringdown.fake.host"
package.loaded["ringdown.host"] = package.loaded["ringdown.host"] or fake_host

local dates = require "ringdown.texts.dates"
local quiet = require "ringdown.texts.quiet"
local segments = require "ringdown.texts.segments"
local time = require "ringdown.time"
local zones = require "ringdown.texts.zones"

describe("the parts of a text", function()
  local function parts(unit, n)
    return (segments.count(unit:rep(n)))
  end

  it("hold 160 characters of the GSM alphabet, 153 when there are several", function()
    assert.same({ 1, "gsm" }, { segments.count "" })
    assert.same({ 1, 2, 2, 3 }, { parts("a", 160), parts("a", 161), parts("a", 306), parts("a", 307) })
    assert.same({ 1, "gsm" }, { segments.count(("ñ"):rep(160)) })
  end)

  it("count some characters twice, and tear none of them", function()
    assert.same({ 1, 2 }, { parts("€", 80), parts("€", 81) })
    assert.equal(2, parts("€", 152)) -- 76 in each part, one unit of which stays empty
    assert.equal(3, parts("€", 153))
    assert.equal(2, (segments.count(("a"):rep(152) .. "€" .. ("a"):rep(151))))
    assert.equal(3, (segments.count(("a"):rep(152) .. "€" .. ("a"):rep(152))))
  end)

  it("hold 70 and 67 characters as soon as one is foreign", function()
    assert.same({ 1, "ucs2" }, { segments.count(("a"):rep(69) .. "á") })
    assert.equal(2, (segments.count(("a"):rep(70) .. "á")))
    assert.same({ 2, 3 }, { parts("á", 134), parts("á", 135) })
    assert.same({ 1, 2 }, { parts("😀", 35), parts("😀", 36) })
    assert.equal(3, parts("😀", 67)) -- 33 in each part
  end)

  it("are saved by plain quotes, where that is enough", function()
    assert.equal("It's \"ok\" - really...", segments.plain "It’s “ok” — really…")
    assert.equal("¿Está “bien”?", segments.plain "¿Está “bien”?") -- á is foreign anyway
  end)
end)

describe("a phone number", function()
  it("tells the time zone, or all it may be", function()
    assert.same({ "America/Chicago" }, zones.of "+13125550142")
    assert.same({ "America/Los_Angeles" }, zones.of "+14155550142")
    assert.same({ "America/New_York", "America/Chicago" }, zones.of "+18505550142")
    assert.same({ "Europe/London" }, zones.of "+447700900123")
    assert.is_nil(zones.of "+18005550142")
  end)
end)

describe("quiet hours", function()
  local night = { from = 21 * 60, to = 8 * 60 }

  local function until_when(number, text)
    local due = quiet.until_when(night, number, "America/Chicago", time.unix_of("America/Chicago", text))
    return due and time.at("America/Chicago", due).date .. " " .. time.at("America/Chicago", due).time
  end

  it("are those of whoever gets the text", function()
    assert.is_nil(until_when("+13125550142", "2026-11-24 20:59"))
    assert.equal("2026-11-25 08:00", until_when("+13125550142", "2026-11-24 21:00"))
    assert.equal("2026-11-24 08:00", until_when("+13125550142", "2026-11-24 02:10"))
    assert.equal("2026-11-25 07:00", until_when("+12125550142", "2026-11-24 20:59")) -- New York: 21:59
    assert.equal("2026-11-24 10:00", until_when("+14155550142", "2026-11-24 08:30")) -- San Francisco: 06:30
    assert.is_nil(until_when("+14155550142", "2026-11-24 21:30"))
  end)

  it("last until it is day in all the zones a number may be in", function()
    assert.equal("2026-11-24 08:00", until_when("+18505550142", "2026-11-24 07:30"))
    assert.equal("2026-11-25 08:00", until_when("+18505550142", "2026-11-24 20:30"))
  end)

  it("are the agent's where the number tells nothing, and may lie within a day", function()
    assert.equal("2026-11-25 08:00", until_when("+18005550142", "2026-11-24 23:00"))
    local noon = { from = 12 * 60, to = 13 * 60 }
    local at = time.unix_of("America/Chicago", "2026-11-24 12:20")
    assert.equal(at + 40 * 60, quiet.until_when(noon, "+13125550142", "UTC", at))
    assert.is_nil(quiet.until_when(noon, "+13125550142", "UTC", at + 41 * 60))
  end)

  it("end at the right hour when the clocks change that night", function()
    assert.equal("2026-03-08 08:00", until_when("+13125550142", "2026-03-07 23:00"))
    assert.equal("2026-11-01 08:00", until_when("+13125550142", "2026-10-31 23:00"))
  end)
end)

describe("a moment in a text", function()
  local at = { zone = "America/Chicago", language = "en" }
  local unix = time.unix_of("America/Chicago", "2026-11-24 09:00")

  it("reads as people write it", function()
    assert.equal("Tuesday, November 24 at 9 am", dates.day_time(unix, at))
    assert.equal("Tuesday, November 24 at 2:30 pm", dates.day_time("2026-11-24 14:30", at))
    assert.equal("Tuesday, November 24", dates.date("2026-11-24", at))
    assert.equal("9 am", dates.time({ unix = unix }, at))
    assert.equal("next week", dates.day_time("next week", at))
  end)

  it("reads so in Spanish, too", function()
    at.language = "es"
    assert.equal("martes 24 de noviembre a las 9:00", dates.day_time(unix, at))
    assert.equal("sábado 5 de diciembre", dates.date("2026-12-05", at))
  end)

  it("stands beside numbers that can be read", function()
    assert.equal("(312) 555-0142", dates.phone "+13125550142")
    assert.equal("+447700900123", dates.phone "+447700900123")
  end)
end)
