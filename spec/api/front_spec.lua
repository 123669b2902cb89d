-- SPDX-License-Identifier: Apache-2.0
-- The door of the admin API: who gets in, what is a request, and how it says no.
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local route = require "ringdown.api.route"
local shape = require "ringdown.api.shape"
local world = require "spec.api.world"

describe("the admin API's door", function()
  setup(function()
    world.begin()
  end)
  teardown(world.finish)
  before_each(world.fresh)

  describe("asks who it is", function()
    it("and says the same to nobody, a stranger, one that was revoked and one that expired", function()
      local revoked, expired = world.token { name = "gone" }, world.token { name = "late" }
      assert.equal(200, (world.ask("GET", "/me", { token = revoked })))
      world.ask("DELETE", "/tokens/" .. world.rows("select id from tokens where name = 'gone'")[1].id)
      world.rows "update tokens set expires_at = now() - interval '1 second' where name = 'late' returning 1 as one"
      local words
      for _, o in ipairs { { nobody = true }, { token = "rd_nobody" }, { token = revoked }, { token = expired } } do
        local status, value, answer = world.ask("GET", "/me", o)
        assert.equal(401, status)
        assert.equal('Bearer realm="ringdown"', answer.headers["www-authenticate"])
        words = words or answer.body
        assert.equal(words, answer.body)
        assert.equal("application/problem+json", answer.type)
        assert.truthy(value.fix)
      end
    end)

    it("before it tells which paths there are", function()
      assert.equal(401, (world.ask("GET", "/nothing", { nobody = true })))
      assert.equal(404, (world.ask("GET", "/nothing", { token = world.token {} })))
    end)

    it("and lets nobody in while the database is away, but whoever is at the machine", function()
      local token = world.token {}
      world.down = "connection refused"
      local status, value, answer = world.ask("GET", "/me", { token = token })
      assert.equal(503, status)
      assert.equal("5", answer.headers["retry-after"])
      assert.matches("connection refused", value.detail)
      assert.equal(200, (world.ask("GET", "/me")))
    end)

    it("and notes when, to ten minutes", function()
      local token = world.token { name = "used" }
      world.ask("GET", "/me", { token = token })
      local function last()
        return world.rows("select last_used_at as at from tokens where name = 'used'")[1].at
      end
      local first = last()
      assert.truthy(first)
      world.ask("GET", "/me", { token = token })
      assert.equal(first, last())
    end)

    it("by role and by agents", function()
      local viewer = world.token { role = "viewer", agents = { "northside-plumbing" } }
      local status, me = world.ask("GET", "/me", { token = viewer })
      assert.equal(200, status)
      assert.same({ "northside-plumbing" }, me.agents)
      assert.is_true(me.masked)
      local refused, why = world.ask("GET", "/tokens", { token = viewer })
      assert.equal(403, refused)
      assert.matches("needs the role admin; this token is a viewer's", why.detail)
      local scoped, about = world.ask("GET", "/tokens", { token = world.token { agents = { "x" } } })
      assert.equal(403, scoped)
      assert.matches("for x only", about.detail)
    end)
  end)

  describe("knows its paths", function()
    it("and what was meant", function()
      local status, value = world.ask("GET", "/tokenz")
      assert.equal(404, status)
      assert.matches("did you mean 'tokens'", value.detail)
    end)

    it("and their methods", function()
      local status, _, answer = world.ask("PUT", "/tokens")
      assert.equal(405, status)
      assert.equal("GET, POST", answer.headers.allow)
    end)

    it("and what stands for a name in them", function()
      local status, value = world.ask("GET", "/tokens/abc")
      assert.equal(404, status)
      assert.matches("{id} of /tokens/{id} is a number", value.detail)
    end)
  end)

  describe("reads what is wanted", function()
    local function refused(body, headers)
      local status, value = world.ask("POST", "/tokens", { body = body, headers = headers })
      return status, value.detail, value
    end

    it("and names each field that is wrong, with what was meant", function()
      local status, _, value = refused { nam = "x", role = "king", expires = 7 }
      assert.equal(422, status)
      local at = {}
      for _, one in ipairs(value.errors) do
        at[#at + 1] = one.at .. ": " .. one.message
      end
      assert.same({ 'body: unknown field "nam"; did you mean \'name\'? allowed: agents, expires, name, role, '
        .. "sees_personal", "body.expires: must be a string", "body.name: is missing",
        'body.role: "king" is unknown; allowed: viewer, operator, admin' }, at)
    end)

    it("and its query", function()
      local status, value = world.ask("GET", "/tokens?limitt=3")
      assert.equal(422, status)
      assert.matches('unknown parameter "limitt"; did you mean \'limit\'', value.detail)
      for _, query in ipairs { "limit=0", "limit=201", "limit=1.5", "limit=x", "all=maybe" } do
        assert.equal(422, (world.ask("GET", "/tokens?" .. query)), query)
      end
    end)

    it("as JSON, and nothing else", function()
      assert.equal(400, (refused "{"))
      assert.equal(422, (refused "[1]"))
      assert.equal(422, (refused ""))
      assert.equal(415, (refused("{}", { ["content-type"] = "text/plain" })))
      assert.equal(422, (refused '{"name":"a\\u0000b","role":"viewer"}'))
      assert.equal(422, (world.ask("DELETE", "/tokens/1", { body = {} })))
    end)

    it("and no cursor of another list", function()
      for _, cursor in ipairs { "x", "WyIxIl0a", page.cursor { "1", "2" }, page.cursor { "1; drop table" }, "%00" } do
        local status = world.ask("GET", "/tokens?cursor=" .. cursor)
        assert.truthy(status == 400 or status == 422, cursor .. " " .. status)
      end
    end)
  end)

  it("lists in pieces, each row once", function()
    for i = 1, 5 do
      world.token { name = "piece-" .. i }
    end
    local names, cursor = {}, ""
    repeat
      local status, value = world.ask("GET", "/tokens?all=true&limit=2" .. cursor)
      assert.equal(200, status)
      for _, token in ipairs(value.items) do
        assert.is_nil(names[token.name])
        assert.is_nil(token.hash)
        names[token.name] = true
      end
      cursor = value.next and "&cursor=" .. value.next
    until not cursor
    for i = 1, 5 do
      assert.is_true(names["piece-" .. i])
    end
  end)

  it("keeps of a token only what finds it", function()
    local status, made = world.ask("POST", "/tokens", { body = { name = "kept", role = "viewer" } })
    assert.equal(201, status)
    assert.matches("^rd_%x+$", made.token)
    local row = world.rows("select encode(hash, 'hex') as hash from tokens where name = 'kept'")[1]
    assert.equal(host.digest(made.token), row.hash)
    local noted = world.rows("select who, what, subject, after::text from audit where subject = 'kept'")[1]
    assert.equal("tokens.create", noted.what)
    assert.equal("control socket uid 0", noted.who)
    assert.is_nil(noted.after:find(row.hash, 1, true))
    assert.equal(409, (world.ask("POST", "/tokens", { body = { name = "kept", role = "viewer" } })))
  end)

  it("opens one stream by a ticket, once", function()
    local token = world.token { role = "viewer" }
    local _, made = world.ask("POST", "/tickets", { token = token, body = { purpose = "events" } })
    assert.equal(401, (world.ask("GET", "/me", { ticket = made.ticket })))
    assert.equal(422, (world.ask("POST", "/tickets", { token = token, body = { purpose = "tokens" } })))
  end)

  it("refuses what it cannot describe: a mistake of ours is no problem of theirs", function()
    assert.error_matches(function()
      problem.of(422, "x", "X", function()
        local nothing = nil
        return nothing.field
      end)
    end, "attempt to index")
    local done, why = pcall(problem.of, 422, "x", "X", error, "no such thing", 0)
    assert.is_false(done)
    assert.equal("no such thing", why.detail)
  end)
end)

describe("each route", function()
  local roles = { viewer = true, operator = true, admin = true }

  it("says all that is needed of it", function()
    for _, one in ipairs(route.all()) do
      local name = one.method .. " " .. one.path
      assert.truthy(roles[one.role], name)
      assert.truthy(one.about and one.example and one.run, name)
      assert.truthy(next(one.answers), name)
      for status in pairs(one.answers) do
        local s = route.answer(one, status)
        assert.truthy(not s or shape.resolve(s).type, name)
      end
      for segment in one.path:gmatch "{([%w_]+)}" do
        assert.truthy(route.param(one, segment).type, name)
      end
    end
  end)
end)

describe("an answer", function()
  it("holds what was described and nothing else, and hides what is personal", function()
    local s = { type = "object", fields = { from = { type = "string", personal = "number" },
      list = { type = "array", of = { type = "string", personal = "words" } },
      gone = { type = "string", nullable = true }, id = { type = "string" } } }
    local value = { from = "+13125550142", list = {}, secret = "x", id = "rt_1234567890" }
    assert.equal('{"from":"+13125550142","gone":null,"id":"rt_1234567890","list":[]}', shape.write(value, s))
    value.list = { "my boiler leaks" }
    assert.equal('{"from":"+1…42","gone":null,"id":"rt_1234567890","list":["[hidden]"]}', shape.write(value, s, true))
  end)

  it("that nobody described loses numbers wherever they stand", function()
    local text = shape.write({ subject = "+13125550142", after = { why = "called 312-555-0142 at 2026-11-27", n = 3 } },
      { type = "object", open = true }, true)
    assert.equal('{"after":{"n":3,"why":"called …42 at 2026-11-27"},"subject":"+1…42"}', text)
    assert.truthy(json.decode(text))
  end)
end)
