-- SPDX-License-Identifier: Apache-2.0
-- A create with an Idempotency-Key is done once, and a change from what was seen or not at all.
local problem = require "ringdown.api.problem"
local route = require "ringdown.api.route"
local world = require "spec.api.world"

describe("asking again", function()
  local n, how
  local shelves = {
    schemas = { Shelf = { type = "object", fields = { n = { type = "integer", required = true } } } },
    { method = "POST", path = "/shelves", role = "operator", about = "a shelf", idempotent = true,
      body = { name = { type = "string", required = true } }, answers = { [201] = "Shelf" }, example = {},
      run = function(r)
        n = n + 1
        if how == "refused" then
          problem(409, "full", "No room")
        elseif how == "away" then
          problem.away "gone"
        elseif how == "not_begun" then
          problem(503, "not-begun", "It was not begun", { not_begun = true })
        end
        return 201, { n = n }, { location = "/shelves/" .. r.body.name }
      end },
    { method = "PUT", path = "/shelves/{name}", role = "operator", about = "a shelf", if_match = true,
      answers = { [200] = "Shelf" }, example = {},
      run = function(r)
        r.must_match(7, { n = 7 })
        return 200, { n = 8 }, { etag = '"8"' }
      end },
  }

  setup(function()
    world.begin()
    route.modules.shelves = "shelves"
    package.loaded["ringdown.api.routes.shelves"] = shelves
  end)
  teardown(function()
    route.modules.shelves = nil
    package.loaded["ringdown.api.routes.shelves"] = nil
    world.finish()
  end)
  before_each(function()
    world.fresh()
    n, how = 0, nil
  end)

  local function make(key, name, token)
    return world.ask("POST", "/shelves", { token = token, headers = { ["idempotency-key"] = key },
      body = { name = name or "a" } })
  end

  it("gets the same answer, and nothing is done", function()
    local status, value, answer = make "k1"
    local again, same, replayed = make "k1"
    assert.same({ 201, 201, 1 }, { status, again, n })
    assert.same(value, same)
    assert.equal(answer.headers.location, replayed.headers.location)
    assert.equal("true", replayed.headers["idempotent-replayed"])
  end)

  it("for something else with the same key is refused", function()
    make "k2"
    local status, value = make("k2", "b")
    assert.equal(422, status)
    assert.matches("idempotency%-key%-used$", value.type)
    assert.equal(1, n)
  end)

  it("with somebody else's key is no matter", function()
    make("k3", "a", world.token {})
    make("k3", "a", world.token {})
    assert.equal(2, n)
  end)

  it("after a refusal is done, after an outage is not: nobody knows what came of it", function()
    how = "refused"
    assert.equal(409, (make "k4"))
    how = nil
    assert.equal(201, (make "k4"))
    how = "away"
    assert.equal(503, (make "k5"))
    how = nil
    local status, value = make "k5"
    assert.equal(409, status)
    assert.matches("in%-progress$", value.type)
    assert.equal(3, n)
  end)

  it("after it was not begun is done", function()
    how = "not_begun"
    local status, value = make "k8"
    assert.same({ 503 }, { status, value.not_begun })
    how = nil
    assert.equal(201, (make "k8"))
  end)

  it("needs a key that is one", function()
    for _, key in ipairs { "", ("k"):rep(129), "a b", "ä" } do
      assert.equal(400, (make(key)))
    end
    assert.equal(0, n)
  end)

  it("is forgotten after a day, and with the caller whose number is in it", function()
    make "k6"
    world.rows "update api_requests set at = now() - interval '25 hours' where key = 'k6' returning 1"
    make "k7"
    world.rows "update api_requests set body = '{\"to\":\"+13125550142\"}' where key = 'k7' returning 1"
    world.rows "select * from maintain()"
    assert.same({}, world.rows "select 1 from api_requests where key = 'k6'")
    assert.same({ { n = 1 } }, world.rows "select count(*) as n from api_requests where key = 'k7'")
    world.rows "select erase_caller('+13125550142', null)"
    assert.same({}, world.rows "select 1 from api_requests where key = 'k7'")
  end)

  describe("from what was seen", function()
    local function put(tag)
      return world.ask("PUT", "/shelves/a", { headers = { ["if-match"] = tag } })
    end

    it("is done, or told what it is by now", function()
      assert.equal(200, (put '"7"'))
      assert.equal(200, (put "*"))
      local status, value, answer = put '"6"'
      assert.equal(412, status)
      assert.same({ n = 7 }, value.current)
      assert.equal('"7"', answer.headers.etag)
      assert.equal(412, (put 'W/"7"'))
    end)

    it("must be said", function()
      assert.equal(428, (put(nil)))
      for _, tag in ipairs { "7", '"', '"7", "8"', "" } do
        assert.equal(400, (put(tag)), tag)
      end
    end)
  end)

  it("with a key where none is heeded is refused, and not done", function()
    for _, what in ipairs { { "PUT", "/shelves/a" }, { "POST", "/tokens" }, { "POST", "/tickets" } } do
      local status, why = world.ask(what[1], what[2], { headers = { ["idempotency-key"] = "k", ["if-match"] = "*" },
        body = what[2] == "/tokens" and { name = "twice", role = "viewer" } or what[2] == "/tickets"
          and { purpose = "events" } or nil })
      assert.same({ 400, "This route takes no Idempotency-Key" }, { status, why.title })
    end
    assert.same({}, world.rows "select 1 as one from tokens where name = 'twice'")
  end)

  it("is told when, whatever is away", function()
    local problems = require "ringdown.api.problem"
    assert.equal("5", problems.new(503, "x", "X").headers["retry-after"])
    assert.equal("60", problems.new(503, "x", "X", { headers = { ["retry-after"] = "60" } }).headers["retry-after"])
  end)
end)
