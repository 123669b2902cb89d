-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local store = require "ringdown.store"

local function call(site)
  complaints.start("x")
  local def = agent { name = "x", greeting = "Hello.", prompt = "Help." }
  return fake.call { agent = def, site = site }
end

describe("the store", function()
  it("gives back what was kept, and nil for the rest", function()
    call()
    store.set("seen", { times = 3, names = { "a", "b" } })
    assert.same({ times = 3, names = { "a", "b" } }, store.get "seen")
    assert.is_nil(store.get "unseen")
    store.delete "seen"
    assert.is_nil(store.get "seen")
    store.set("n", 1)
    store.set("n", nil)
    assert.is_nil(store.get "n")
  end)

  it("forgets when the time is over", function()
    fake.now "2026-11-24 09:00"
    local c = call()
    store.set("offer", "10%", { ttl = "1h" })
    assert.equal("10%", store.get "offer")
    require("ringdown.fake.host").sleep(3600 * 1000)
    assert.is_nil(store.get "offer")
    assert.is_nil(c.hung_up)
  end)

  it("counts", function()
    call()
    assert.equal(1, store.incr "calls")
    assert.equal(3, store.incr("calls", 2, { ttl = "7d" }))
    store.set("word", "x")
    assert.has_error(function() store.incr "word" end, "store.incr: what 'word' holds is no number")
  end)

  it("is each site's own", function()
    call { id = "lakeview", name = "Lakeview" }
    store.set("k", 1)
    assert.equal("lakeview", require("ringdown.fake.host").queries[1].params[2])
  end)

  it("says what it takes", function()
    call()
    assert.has_error(function() store.get "" end)
    assert.has_error(function() store.get(("x"):rep(129)) end)
    assert.has_error(function() store.set("k", print) end, "store.set: a function is not possible in JSON")
    assert.has_error(function() store.set("k", ("x"):rep(17000)) end, "store.set: the value is larger than 16 KB")
    assert.has_error(function() store.set("k", 1, { tll = "1d" }) end,
      "'tll' is no option; did you mean 'ttl'? allowed: ttl")
    assert.has_error(function() store.set("k", 1, { ttl = 60 }) end)
  end)

  it("raises when the database is down", function()
    call()
    fake.database_down()
    assert.has_error(function() store.get "k" end, "the store did not answer: the database does not answer")
  end)
end)
