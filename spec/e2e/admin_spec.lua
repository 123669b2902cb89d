-- SPDX-License-Identifier: Apache-2.0
-- takes: 20 s
-- The admin listener: a token opens it as far as the token goes, whoever is rude gets a problem or nothing, and callers
-- notice none of it.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local raw = require "spec.e2e.support.raw"

local CRLF = "\r\n"

describe("the admin listener", function()
  local n, admin, placed, token

  setup(function()
    n = node.start { agents = "spec/e2e/agents" }
    admin = { folder = n.folder, port = n.admin_port }
    token = n:ringdown("tokens", "create", "ops-1", "--role", "operator"):match "rd_%x+"
    placed = n:place { scenarios = { "keypad" }, calls = 2 }
  end)

  teardown(function()
    assert.equal(0, n:stop())
  end)

  local function bearer(more)
    local headers = { Authorization = "Bearer " .. token }
    for name, value in pairs(more or {}) do
      headers[name] = value
    end
    return headers
  end

  local function ask(path, o)
    o = o or {}
    return n:admin(path, { method = o.method, body = o.body, headers = bearer(o.headers) })
  end

  local function problem(a, status, slug)
    assert.equal(status, a.status, a.body)
    assert.equal("application/problem+json", a.headers["content-type"])
    assert.equal("https://ringdown.dev/problems/" .. slug, json.decode(a.body).type)
    assert.equal("nosniff", a.headers["x-content-type-options"])
    assert.equal("no-store", a.headers["cache-control"])
  end

  local function cpu_ticks()
    local fields = {}
    for word in proc.read("/proc/" .. n.child.pid .. "/stat"):match("%) (.*)"):gmatch "%S+" do
      table.insert(fields, word)
    end
    return tonumber(fields[12]) + tonumber(fields[13])
  end

  local function talk(...)
    return raw.talk(admin, { { send = table.concat { ... } }, { close_within_ms = 30000 } })
  end

  local function get(path, ...)
    return raw.request("GET", path, { "Authorization: Bearer " .. token, ... })
  end

  it("answers machines without a token, and nobody else", function()
    assert.equal("ok\n", n:admin("/livez").body)
    assert.equal("ok\n", n:admin("/readyz").body)
    assert.matches("%[%+%] accepts calls", n:admin("/readyz?verbose").body)
    local health = n:admin "/health"
    assert.equal("application/health+json", health.headers["content-type"])
    local metrics = n:admin "/metrics"
    assert.equal("text/plain; version=0.0.4; charset=utf-8", metrics.headers["content-type"])
    assert.matches("\nringdown_ready 1\n", metrics.body)
    assert.is_nil(metrics.body:find("+1312", 1, true))
    assert.is_table(json.decode(health.body).checks["calls:utilization"])
    assert.is_nil(health.body:find("+1312", 1, true))
    assert.matches("\nringdown_build_info{", metrics.body, 1, true)
    problem(n:admin "/api/v1/calls", 401, "unauthorized")
    problem(n:admin("/api/v1/calls", { headers = { Authorization = "Bearer rd_" .. ("0"):rep(64) } }), 401,
      "unauthorized")
    local me = ask "/api/v1/me"
    assert.equal(200, me.status, me.body)
    assert.equal("operator", json.decode(me.body).role)
  end)

  it("has the operator of this machine by the control socket", function()
    local text = proc.run(("curl -s --unix-socket %s/data/control.sock http://localhost/api/v1/me"):format(n.folder))
    assert.equal("admin", json.decode(text).role)
    assert.is_number(n:status().calls) -- the commands' own routes are there, too
  end)

  it("streams what happens, from where somebody left off", function()
    local first = raw.start(admin, { { send = get("/api/v1/events?after=0", "Accept: text/event-stream") },
      { ["until"] = '"type":"turn"', within_ms = 30000 } }):wait()[1]
    assert.equal(200, first.status, first.got)
    assert.matches("content-type: text/event-stream", first.got, 1, true)
    local id = first.got:match "id: (%d+)"
    local again = raw.start(admin, { { send = get("/api/v1/events", "Last-Event-ID: " .. id) },
      { ["until"] = "id: ", within_ms = 30000 } }):wait()[1]
    assert.equal(tonumber(id) + 1, tonumber(again.got:match "id: (%d+)"))
    assert.is_nil(again.got:find("missed", 1, true))
  end)

  it("refuses what is no request, with a problem", function()
    local long, whisper = ("x"):rep(9000), "/api/v1/calls/CA" .. ("0"):rep(32) .. "/whisper"
    local cases = {
      { raw.request("BREW", "/api/v1/calls"), 405 },
      { raw.request("GET", "/api/v1/../../etc/passwd"), 400 },
      { get "/api/v1/calls/../numbers", 400 },
      { get "/api/v1/calls/%2e%2e%2fnumbers", 400 },
      { get "/api/v1//calls", 400 },
      { get "/api/v1/calls/%ff", 400 },
      { get "/api/v1/calls?limit=1&limit=2", 400 },
      { get "/api/v1/calls?text=%00", 400 },
      { get("/api/v1/calls?token=" .. token), 400 },
      { get "/api/v1/no-such-thing", 404 },
      { get("/api/v1/calls", "X-Long: " .. long), 431 },
      { get("/api/v1/calls", "Authorization: Bearer x"), 400 },
      { get("/api/v1/calls", "Origin: https://evil.example"), 403 },
      { "GET /api/v1/calls HTTP/1.1" .. CRLF .. "Host: evil.example" .. CRLF .. CRLF, 403 },
      { "GET /api/v1/calls HTTP/1.1" .. CRLF .. CRLF, 400 },
      { "GET /api/v1/calls" .. CRLF, 400 },
      { "GET /a b HTTP/1.1" .. CRLF .. "Host: localhost" .. CRLF .. CRLF, 400 },
      { get("/api/v1/calls", "X-A: b\nX-C: d"), 400 },
      { raw.request("POST", whisper, { "Authorization: Bearer " .. token,
        "Content-Type: application/json", "Content-Length: 300000" }), 413 },
      { raw.request("POST", whisper, { "Authorization: Bearer " .. token,
        "Content-Type: application/json", "Transfer-Encoding: chunked" }, "0" .. CRLF .. CRLF), 411 },
      { raw.request("POST", whisper, { "Authorization: Bearer " .. token,
        "Content-Type: text/plain", "Content-Length: 2" }, "{}"), 415 },
      { raw.request("POST", whisper, { "Authorization: Bearer " .. token,
        "Content-Type: application/json", "Content-Length: 2" }, "\xff\xfe"), 400 },
      { raw.request("POST", whisper, { "Authorization: Bearer " .. token,
        "Content-Type: application/json", "Content-Length: 2" }, "{]"), 400 },
      { raw.request("GET", "/api/v1/events", { "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" }), 404 },
    }
    local plans = {}
    for i, case in ipairs(cases) do
      plans[i] = { { send = case[1] }, { close_within_ms = 30000 } }
    end
    local results = raw.start(admin, table.unpack(plans)):wait()
    for i, r in ipairs(results) do
      assert.equal(cases[i][2], r.status, cases[i][1]:sub(1, 100) .. " -> " .. r.got:sub(1, 300))
      assert.is_true(r.closed)
      if r.status ~= 404 or r.got:find("problem+json", 1, true) then
        assert.matches("x-frame-options: DENY", r.got, 1, true)
      end
    end
    assert.same({}, n:log "api.failed")
  end)

  it("answers one request of a packet, and gives no stream to who says more", function()
    local two = talk(get "/api/v1/me", get "/api/v1/me")
    assert.equal(200, two.status)
    assert.equal(1, select(2, two.got:gsub("HTTP/1.1", "")))
    local behind = talk(get "/api/v1/events", get "/api/v1/me")
    assert.equal(400, behind.status, behind.got)
    local later = raw.talk(admin, { { send = get "/api/v1/events" }, { ["until"] = "retry:", within_ms = 30000 },
      { send = get "/api/v1/me" }, { close_within_ms = 30000 } })
    assert.equal(200, later.status)
    assert.is_true(later.closed)
    assert.equal(1, select(2, later.got:gsub("HTTP/1.1", "")))
  end)

  it("has room for a thousand who say nothing, while somebody asks", function()
    local silent = raw.start(admin, { times = 500, steps = { { wait_ms = 1500 } } },
      { times = 480, steps = { { send = "GET /api/v1/calls HTTP/1.1" .. CRLF }, { wait_ms = 1500 } } },
      { times = 20, steps = { { drip = "GET /api/v1/calls HTTP/1.1", every_ms = 100 } } })
    local asked = ask "/api/v1/me"
    assert.equal(200, asked.status, asked.error)
    assert.equal("ok\n", n:admin("/livez").body)
    silent:wait()
  end)

  it("slows down whoever guesses tokens", function()
    local guess = raw.request("GET", "/api/v1/me", { "Authorization: Bearer rd_guess",
      "X-Forwarded-For: 198.51.100.9" })
    local results = raw.start(admin, { times = 40, steps = { { send = guess }, { close_within_ms = 8000 } } }):wait()
    local refused = {}
    for _, r in ipairs(results) do
      refused[tostring(r.status)] = (refused[tostring(r.status)] or 0) + 1
    end
    local more = talk(guess)
    assert.equal(429, more.status, json.encode(refused))
    assert.matches("retry-after: ", more.got, 1, true)
    assert.equal(200, ask("/api/v1/me").status) -- from another address
  end)

  it("costs the calls nothing, and nothing turns once it is quiet", function()
    local good, reports = placed:wait()
    assert.is_truthy(good)
    for _, report in ipairs(reports) do
      assert.equal("", report.why)
    end
    proc.run "sleep 0.5"
    local before = cpu_ticks()
    proc.run "sleep 1"
    assert.is_true(cpu_ticks() - before < 20, "a thread turns")
  end)
end)
