-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local numbers = require "ringdown.numbers"

describe("a phone number", function()
  it("belongs to a country, also where several share a code", function()
    for number, country in pairs { ["+13125550142"] = "US", ["+14165550142"] = "CA", ["+18765550142"] = "JM",
      ["+447700900123"] = "GB", ["+4915112345678"] = "DE", ["+5215512345678"] = "MX",
      ["+441534123456"] = "JE", ["+77012345678"] = "KZ", ["+74951234567"] = "RU",
      ["+34910000000"] = "ES", ["+352123456"] = "LU" } do
      assert.equal(country, numbers.country(number), number)
    end
  end)

  it("belongs to no country when it cannot be one", function()
    for _, number in ipairs { "+1312555014", "+10125550142", "+13120550142", "+88213300000", "+999123456789",
      "+2101234567", "3125550142", "anonymous", "911", "+911" } do
      assert.is_nil(numbers.country(number), number)
    end
  end)

  it("of a service is never texted", function()
    for _, number in ipairs { "+19005550142", "+19115550142", "+18005550142", "+18335550142", "+13129765014",
      "+449011234567", "+447012345678", "+4990012345678" } do
      assert.is_true(numbers.takes_no_texts(number), number)
    end
    for _, number in ipairs { "+13125550142", "+447700900123", "+4915112345678", "+18305550142" } do
      assert.is_false(numbers.takes_no_texts(number), number)
    end
  end)
end)

describe("an agent's people", function()
  local function complaints_of(people, more)
    local spec = { name = "x", greeting = "Hello.", prompt = "Help.", numbers = { "+13125550100" }, people = people }
    for key, value in pairs(more or {}) do
      spec[key] = value
    end
    complaints.start("x")
    agent(spec)
    return complaints.text()
  end

  it("are never an emergency service or a premium number", function()
    local text = complaints_of { a = "+19115550100", b = "+13129115555", c = { "+13125550101", "+19005550100" },
      d = "+881612345678" }
    assert.matches("people.a[1]: +19115550100 is an emergency number", text, 1, true)
    assert.matches("people.b[1]: +13129115555 is an emergency number", text, 1, true)
    assert.matches("people.c[2]: +19005550100 is a premium", text, 1, true)
    assert.matches("people.d[1]: +881612345678 is a premium or satellite number", text, 1, true)
    assert.not_matches("+13125550101", text, 1, true)
  end)

  it("are somebody", function()
    assert.matches("people.on_call: has no number, so that nobody would be called or texted; give one, like",
      complaints_of { on_call = {}, office = "+13125550101" }, 1, true)
  end)

  it("are where the agent's numbers are, unless it says where it calls", function()
    assert.matches("people.a[1]: +442079460000 is in GB, where this agent calls nobody; add it to countries = {",
      complaints_of { a = "+442079460000" }, 1, true)
    assert.equal("", complaints_of({ a = "+442079460000" }, { countries = { "US", "GB" } }))
    assert.equal("", complaints_of({ a = "+442079460000" }, { numbers = {} }))
    assert.matches("is in US", complaints_of({ a = "+13125550101" }, { countries = { "GB" } }))
    assert.matches("'UK' is no country known here", complaints_of({}, { countries = { "UK" } }))
    assert.matches('countries%[1%]: "usa" is not a country', complaints_of({}, { countries = { "usa" } }))
  end)
end)
