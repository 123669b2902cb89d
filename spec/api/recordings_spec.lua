-- SPDX-License-Identifier: Apache-2.0
-- Recordings in the admin API: who hears one, where from, and that it is written down.
local pg = require "spec.support.postgres"
local seed = require "spec.api.seed"
local world = require "spec.api.world"

local AUDIO = "/calls/" .. seed.call .. "/recording/audio"

describe("a recording in the API", function()
  local viewer, personal, scoped, operator

  setup(function()
    world.begin { seed = seed.fill }
    viewer = world.token { role = "viewer" }
    personal = world.token { name = "ears", role = "viewer", sees_personal = true }
    scoped = world.token { role = "operator", agents = { "brightsmile-dental" } }
    operator = world.token { name = "ops", role = "operator" }
  end)
  teardown(function()
    seed.leave()
    world.finish()
  end)
  before_each(function()
    world.fresh()
    seed.surround()
    pg.run(world.url, "update recordings set node = 'n1', gone_at = null, state = 'kept'; delete from tickets")
  end)

  local function hear(token, query)
    local status, value, answer = world.ask("GET", AUDIO .. (query or ""), { token = token })
    return status, value, answer
  end

  local function ticket_of(token, body)
    local status, value = world.ask("POST", "/tickets", { token = token, body = body or
      { purpose = "recording", call = seed.call } })
    return value.ticket, status, value
  end

  it("is a file of the node that answers, by its own name", function()
    local status, _, answer = hear(operator)
    assert.equal(200, status)
    assert.equal(seed.call .. "-1.wav", answer.file.name)
    assert.matches("^recordings/", answer.file.path)
  end)

  it("is for operators and granted viewers, and for their own agents only", function()
    assert.equal(200, (hear(personal)))
    local status, why = hear(viewer)
    assert.equal(403, status)
    assert.equal("a voice cannot be masked", why.detail)
    assert.equal(404, (hear(scoped)))
  end)

  it("that is elsewhere, gone, or another number, says so", function()
    assert.equal(404, (hear(operator, "?number=2")))
    pg.run(world.url, "update recordings set node = 'n2'")
    local status, why = hear(operator)
    assert.equal(409, status)
    assert.matches("disk of n2", why.detail)
    pg.run(world.url, "update recordings set node = 'n1', gone_at = now()")
    assert.equal(410, (hear(operator)))
    local _, list = world.ask("GET", "/calls/" .. seed.call .. "/recordings", { token = operator })
    assert.is_false(list.items[1].here)
    assert.equal(1, list.items[1].number)
  end)

  it("that was heard is in the audit: who, what, and once for all the pieces", function()
    pg.run(world.url, [[alter table audit disable trigger user; delete from audit;
      alter table audit enable trigger user]])
    hear(operator)
    hear(operator)
    hear(personal)
    hear(viewer)
    local rows = world.rows "select who, subject, after ->> 'node' as node from audit order by id"
    assert.same({ { who = "token ops (operator)", subject = seed.call, node = "n1" },
      { who = "token ears (viewer)", subject = seed.call, node = "n1" } }, rows)
  end)

  it("opens with a ticket, piece after piece, and nothing else does", function()
    local ticket = ticket_of(personal)
    assert.equal(200, (world.ask("GET", AUDIO, { ticket = ticket })))
    assert.equal(200, (world.ask("GET", AUDIO, { ticket = ticket })))
    assert.equal(401, (world.ask("GET", "/calls/" .. seed.ended .. "/recording/audio", { ticket = ticket })))
    assert.equal(401, (world.ask("GET", "/calls/" .. seed.call .. "/recordings", { ticket = ticket })))
    assert.equal(401, (world.ask("GET", "/events", { ticket = ticket })))
    pg.run(world.url, "update tickets set used_at = now() - interval '16 minutes'")
    assert.equal(401, (world.ask("GET", AUDIO, { ticket = ticket })))
  end)

  it("does not open with a ticket that waited a minute, or is of a stream; and a stream opens once", function()
    local ticket = ticket_of(personal)
    pg.run(world.url, "update tickets set expires_at = now()")
    assert.equal(401, (world.ask("GET", AUDIO, { ticket = ticket })))
    ticket = ticket_of(personal, { purpose = "events" })
    assert.equal(401, (world.ask("GET", AUDIO, { ticket = ticket })))
    assert.equal(200, (world.ask("GET", "/events", { ticket = ticket })))
    assert.equal(401, (world.ask("GET", "/events", { ticket = ticket })))
  end)

  it("has tickets for who may hear it only", function()
    assert.equal(403, (select(2, ticket_of(viewer))))
    assert.equal(404, (select(2, ticket_of(scoped))))
    assert.equal(422, (select(2, ticket_of(operator, { purpose = "recording" }))))
    assert.equal(422, (select(2, ticket_of(operator, { purpose = "events", call = seed.call }))))
  end)
end)
