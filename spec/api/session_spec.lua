-- SPDX-License-Identifier: Apache-2.0
-- Logging in to the console: links, sessions, and how they end.
local sessions = require "ringdown.api.sessions"
local world = require "spec.api.world"

describe("a session of the console", function()
  setup(world.begin)
  teardown(world.finish)
  before_each(world.fresh)

  local function log_in(secret)
    local status, value = world.ask("POST", "/session", { token = secret })
    return status, value
  end

  local function me(secret)
    local status, value = world.ask("GET", "/me", { token = secret })
    return status, value
  end

  it("begins with a log-in link, once", function()
    local ticket = sessions.link { name = "maria", role = "operator", agents = { "northside-plumbing" } }
    assert.equal(401, (me(ticket))) -- it opens nothing else
    local status, session = log_in(ticket)
    assert.equal(201, status)
    assert.matches("^token maria%.%x+ %(operator%)$", session.who)
    local _, who = me(session.token)
    assert.same({ "operator", { "northside-plumbing" }, false }, { who.role, who.agents, who.masked })
    assert.near(os.time() + 12 * 3600, who.expires_unix, 60)
    assert.equal(401, (log_in(ticket)))
  end)

  it("does not begin with a link that is too old", function()
    local ticket = sessions.link { name = "late", role = "viewer" }
    world.rows "update tickets set expires_at = now() - interval '1 second' where used_at is null returning 1"
    assert.equal(401, (log_in(ticket)))
  end)

  it("begins with a token, and ends no later than it", function()
    local parent = world.token { role = "viewer", expires = "1d" }
    world.rows "update tokens set expires_at = now() + interval '1 hour' where not is_session returning 1"
    local status, session = log_in(parent)
    assert.equal(201, status)
    assert.is_true(session.masked)
    assert.near(os.time() + 3600, session.expires_unix, 60)
    local _, again = log_in(session.token)
    assert.near(os.time() + 3600, again.expires_unix, 60)
  end)

  it("is one of so many of a token: another one ends the one that was used longest ago", function()
    local parent = world.token { role = "viewer" }
    local of_parent = {}
    for i = 1, 32 do
      local _, session = log_in(parent)
      of_parent[i] = session.token
    end
    local of_another = select(2, log_in(world.token { role = "viewer" })).token
    world.rows "update tokens set last_used_at = now() - interval '1 hour' where session_of is not null returning 1"
    world.rows [[update tokens set last_used_at = now() where id = (select min(t.id) from tokens t where t.session_of =
      (select max(session_of) from (select session_of from tokens where session_of is not null group by 1
        having count(*) = 32) o)) returning 1]]
    local _, late = log_in(of_parent[5]) -- a session of a session counts for their token, and ends not its own
    assert.equal(200, (me(late.token)))
    assert.equal(200, (me(of_parent[1])))
    assert.equal(401, (me(of_parent[2])))
    assert.equal(200, (me(of_parent[3])))
    assert.equal(200, (me(of_parent[5])))
    assert.equal(200, (me(of_another)))
    assert.equal(1, #world.rows "select 1 as one from audit where what = 'console.end'")
  end)

  it("ends none of those that the new one comes of, however long ago they were used", function()
    local parent = world.token { role = "viewer" }
    local secrets = { parent }
    for i = 2, 33 do
      secrets[i] = select(2, log_in(i < 5 and secrets[i - 1] or parent)).token
    end
    local status, late = log_in(secrets[4])
    assert.equal(201, status)
    assert.equal(200, (me(late.token)))
  end)

  it("is over when the token it was made of is revoked", function()
    local parent = world.token { role = "operator" }
    local _, session = log_in(parent)
    assert.equal(200, (me(session.token)))
    world.rows "update tokens set revoked_at = now() where not is_session and revoked_at is null returning 1"
    assert.equal(401, (me(session.token)))
  end)

  it("is over, and so is what was made of it, when what they all come of is revoked", function()
    local first = world.token { role = "operator" }
    local secrets = { first }
    for i = 2, 4 do
      secrets[i] = select(2, log_in(secrets[i - 1])).token
    end
    assert.equal(200, (me(secrets[4])))
    world.rows "update tokens set revoked_at = now() where not is_session and revoked_at is null returning 1"
    for i = 1, 4 do
      assert.equal(401, (me(secrets[i])))
      assert.equal(401, (log_in(secrets[i])))
    end
  end)

  it("is over when it is logged out, and the token it was made of is not", function()
    local parent = world.token { role = "operator" }
    local _, session = log_in(parent)
    assert.same({ ended = true }, select(2, world.ask("DELETE", "/session", { token = session.token })))
    assert.equal(401, (me(session.token)))
    assert.same({ ended = false }, select(2, world.ask("DELETE", "/session", { token = parent })))
    assert.equal(200, (me(parent)))
  end)

  it("is in the audit, with who began and ended it", function()
    local rows = world.rows "select distinct what from audit where what like 'console.%' order by 1"
    local seen = {}
    for _, row in ipairs(rows) do
      seen[#seen + 1] = row.what
    end
    assert.same({ "console.begin", "console.end", "console.link" }, seen)
  end)

  it("is forgotten a week after its end", function()
    world.rows "select * from maintain(now() + interval '9 days')"
    assert.same({ { n = 0 } }, world.rows "select count(*) n from tokens where is_session")
  end)
end)

describe("ringdown console link", function()
  setup(world.begin)
  teardown(world.finish)
  before_each(world.fresh)

  local function run(payload)
    local lines = {}
    payload.verb = payload.verb or "link"
    local done, result = pcall(sessions.run, payload, function(line)
      lines[#lines + 1] = line.text or line.note
    end)
    return done, result, lines
  end

  it("prints an address with the ticket behind its #", function()
    local _, result, lines = run { listen = "0.0.0.0:8081", role = "viewer" }
    assert.matches("^http://127%.0%.0%.1:8081/#login=rt_" .. ("%x"):rep(64) .. "$", lines[1])
    assert.equal(lines[1], result.link)
    assert.matches("once, within 10 minutes, as viewer console", lines[2])
  end)

  it("takes another address", function()
    local _, result = run { url = "https://ops.example.com/" }
    assert.matches("^https://ops%.example%.com/#login=rt_", result.link)
  end)

  it("says what is wrong with what it was given", function()
    for payload, words in pairs {
      [{ expires = "13h" }] = "--expires: 13h is no time from 1m to 12h",
      [{ role = "king" }] = "--role: 'king' is none",
      [{ name = "a b" }] = "NAME: letters",
      [{ url = "javascript:alert(1)" }] = "--url: javascript:alert%(1%) is no address",
    } do
      local done, why = run(payload)
      assert.is_false(done)
      assert.matches(words, why)
    end
  end)
end)
