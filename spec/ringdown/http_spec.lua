-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local host = require "ringdown.host"
local http = require "ringdown.http"
local json = require "ringdown.json"
local secret = require "ringdown.secret"
local tool = require "ringdown.tool"

local URL = "https://api.dispatch.example/eta"

local function call_that(run, more)
  local spec = { name = "ask", about = "ask", effect = "read", run = run, failed = "Say the map is not answering." }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  local t = tool(spec)
  local def = agent { name = "x", greeting = "Hello.", prompt = "Help.", tools = { t },
    needs = { hosts = { "api.dispatch.example" }, secrets = { "DISPATCH_KEY" } } }
  assert.equal("", complaints.text())
  return fake.call { agent = def }
end

local function complaints_of(needs, more)
  complaints.start("x")
  local spec = { name = "x", greeting = "Hello.", prompt = "Help.", needs = needs }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  local _ = agent(spec)
  return complaints.text()
end

before_each(function()
  complaints.start("x")
  fake.http {}
  fake.secret {}
end)

describe("asking a host", function()
  it("gives status, headers and body, and reads JSON on demand", function()
    fake.http { ["GET " .. URL] = { json = { minutes = 35 }, headers = { ["X-Trace"] = "t1" } } }
    local call = call_that(function()
      local reply = http.get(URL, { query = { zip = "60614", open = true, n = 2.0, q = "a b&c" } })
      return { minutes = reply.json.minutes, status = reply.status, trace = reply.headers["x-trace"],
        body = reply.body }
    end)
    assert.same({ minutes = 35, status = 200, trace = "t1", body = '{"minutes":35}' }, call:tool "ask")
    assert.equal(URL .. "?n=2&open=true&q=a%20b%26c&zip=60614", call.requests[1].url)
  end)

  it("has no json where there is none", function()
    fake.http { ["GET " .. URL] = { body = "<html>", status = 503 } }
    local call = call_that(function()
      local reply = http.get(URL)
      return { status = reply.status, json = reply.json == nil }
    end)
    assert.same({ status = 503, json = true }, call:tool "ask")
  end)

  it("sends a table as JSON", function()
    fake.http { ["POST " .. URL] = {} }
    local call = call_that(function()
      return { status = http.post(URL, { json = { b = 1, a = { 2 } } }).status }
    end)
    call:tool "ask"
    assert.equal('{"a":[2],"b":1}', call.requests[1].body)
    assert.equal("application/json", call.requests[1].header["Content-Type"])
  end)

  it("raises when nobody answers, and the model gets the tool's sentence", function()
    fake.http_down "api.dispatch.example"
    local call = call_that(function() return http.get(URL).json end)
    local answer, raised = call:tool "ask"
    assert.equal("Say the map is not answering.", answer.say)
    assert.matches("spec/ringdown/http_spec.lua:%d+: http: GET api.dispatch.example: connection refused", raised)
  end)

  it("reaches no host that the agent does not need", function()
    local call = call_that(function() return http.get("https://evil.example/").json end)
    local _, raised = call:tool "ask"
    assert.matches("evil.example is not in needs.hosts", raised, 1, true)
    assert.equal(0, #call.requests)
  end)

  it("points at the line of what is called wrongly", function()
    local function raised_by(...)
      local arguments = { ... }
      local call = call_that(function() return http.request(table.unpack(arguments)) end)
      local _, raised = call:tool "ask"
      assert.matches("^spec/ringdown/http_spec.lua:%d+: http: ", raised)
      return raised
    end
    assert.matches("unknown method 'FETCH'", raised_by("FETCH", URL))
    assert.matches("unknown option 'retires'; did you mean 'retries'?", raised_by("GET", URL, { retires = 1 }), 1, true)
    assert.matches("the URL must be", raised_by("GET", "api.dispatch.example"))
    assert.matches("retries must be", raised_by("GET", URL, { retries = 9 }))
    assert.matches("either body or json", raised_by("POST", URL, { body = "a", json = {} }))
    assert.matches("bearer must be a secret", raised_by("GET", URL, { bearer = "sk-live" }))
    assert.matches("timeout must be", raised_by("GET", URL, { timeout = 4 }))
  end)
end)

describe("an agent's own lookup", function()
  local function eta_agent()
    local eta = tool {
      name = "plumber_eta", about = "Minutes until the nearest free plumber arrives.", effect = "read",
      args = { zip = { type = "string", about = "5-digit ZIP code", pattern = "^%d%d%d%d%d$" } },
      timeout = "4s", filler = "Let me see who is closest.",
      failed = "Say the map is not answering and that we will text the time.",
      run  = function(call, args)
        local reply = http.get("https://api.dispatch.example/eta",
          { query = { zip = args.zip, site = call.site.id }, bearer = secret "DISPATCH_KEY", retries = 1 })
        if reply.status == 404 then return nil, "Nobody is free today; offer tomorrow morning." end
        return { minutes = reply.json.minutes }
      end,
    }
    local def = agent { name = "x", greeting = "Hello.", prompt = "Help.", tools = { eta },
      needs = { hosts = { "api.dispatch.example" }, secrets = { "DISPATCH_KEY" } } }
    assert.equal("", complaints.text())
    return def
  end

  it("reads as one", function()
    fake.http { ["GET https://api.dispatch.example/eta"] = { json = { minutes = 35 } } }
    local call = fake.call { agent = eta_agent(), from = "+13125550142" }
    assert.same({ minutes = 35 }, call:tool("plumber_eta", { zip = "60614" }))
    assert.equal("https://api.dispatch.example/eta?site=default&zip=60614", call.requests[1].url)
    fake.http { ["GET https://api.dispatch.example/eta"] = { status = 404 } }
    assert.matches("Nobody is free", call:tool("plumber_eta", { zip = "60614" }).refused)
    fake.http_down "api.dispatch.example"
    assert.matches("map is not answering", call:tool("plumber_eta", { zip = "60614" }).say)
  end)
end)

describe("asking again", function()
  local function tries(method, answers, opts)
    fake.http { [method .. " " .. URL] = answers }
    local call = call_that(function() return { status = http.request(method, URL, opts).status } end)
    local answer = call:tool "ask"
    return #call.requests, answer.status, answer.failed
  end

  it("does so as often as it may, where twice does no harm", function()
    assert.same({ 2, 200 }, { tries("GET", { { lost = true }, {} }, { retries = 1 }) })
    assert.same({ 3, 503 }, { tries("GET", { status = 503 }, { retries = 2 }) })
    assert.same({ 1, 503 }, { tries("GET", { status = 503 }) })
    assert.same({ 1, 500 }, { tries("GET", { status = 500 }, { retries = 2 }) })
  end)

  it("never sends twice what may have been done", function()
    assert.same({ 1, nil, true }, { tries("POST", { { lost = true }, {} }, { retries = 2 }) })
    assert.same({ 1, 503 }, { tries("POST", { { status = 503 }, {} }, { retries = 2 }) })
    assert.same({ 2, 200 }, { tries("POST", { { status = 429 }, {} }, { retries = 2 }) })
    assert.same({ 2, 200 }, { tries("POST", { { lost = true }, {} }, { retries = 2, idempotency_key = "k1" }) })
  end)

  it("waits as long as it was told", function()
    tries("GET", { { status = 429, headers = { ["Retry-After"] = "7" } }, {} }, { retries = 1 })
    assert.same({ 7000 }, host.naps)
  end)
end)

describe("a secret", function()
  it("goes into headers by its name only", function()
    fake.http { ["GET " .. URL] = {} }
    local call = call_that(function()
      http.get(URL, { bearer = secret "DISPATCH_KEY" })
      http.get(URL, { headers = { ["X-Key"] = secret "DISPATCH_KEY", ["X-Plain"] = "p" } })
      http.get(URL, { basic = { user = "u", password = secret "DISPATCH_KEY" } })
      http.get(URL, { basic = secret "DISPATCH_KEY" })
      return true
    end)
    call:tool "ask"
    local asked = call.requests
    assert.equal("DISPATCH_KEY", asked[1].bearer)
    assert.same({ ["X-Key"] = "DISPATCH_KEY" }, asked[2].secret_header)
    assert.same({ ["X-Plain"] = "p" }, asked[2].header)
    assert.same({ "u", "DISPATCH_KEY" }, { asked[3].user, asked[3].basic })
    assert.same({ nil, "DISPATCH_KEY" }, { asked[4].user, asked[4].basic })
  end)

  it("cannot be printed, joined, encoded, changed or put into a URL", function()
    local key = secret "DISPATCH_KEY"
    assert.equal("secret DISPATCH_KEY", tostring(key))
    assert.has_error(function() return "key=" .. key end)
    assert.has_error(function() return #key end)
    assert.has_error(function() key.value = 1 end)
    assert.has_error(function() return pairs(key) end)
    assert.is_nil(json.encode { key })
    assert.is_nil(next(key))
    assert.equal(key, secret "DISPATCH_KEY")
    local call = call_that(function() return http.get(URL, { query = { key = key } }).status end)
    local _, raised = call:tool "ask"
    assert.matches("a secret cannot go into a URL", raised)
  end)

  it("must be declared", function()
    local key = secret "DISPATCH_KAY"
    assert.is_truthy(key)
    assert.matches("secret \"DISPATCH_KAY\" is not in needs.secrets; did you mean 'DISPATCH_KEY'?",
      complaints_of({ secrets = { "DISPATCH_KEY" } }), 1, true)
  end)

  it("that an agent used in a call is nothing to the next agent", function()
    fake.http { ["GET " .. URL] = {} }
    local call = call_that(function() return http.get(URL, { bearer = secret "DISPATCH_KEY" }).status end)
    call:tool "ask"
    package.preload["front-desk"] = function()
      return agent { name = "front-desk", greeting = "Hello.", prompt = "Help." }
    end
    assert.equal("front-desk", fake.load("front-desk").name)
    package.preload["front-desk"] = nil
  end)

  it("that nobody gave makes its tools fail", function()
    fake.secret { DISPATCH_KEY = false }
    local call = call_that(function() return http.get(URL, { bearer = secret "DISPATCH_KEY" }).status end)
    local answer, raised = call:tool "ask"
    assert.is_true(answer.failed)
    assert.matches("secret DISPATCH_KEY has no value", raised)
  end)
end)

describe("needs", function()
  it("takes names of hosts and nothing wider", function()
    for _, wrong in ipairs { "https://a.example", "a.example/x", "*.example.com", "127.0.0.1", "::1", "a.example:8443",
      "localhost", "a..example", "a.example.", "", "169.254.169.254", "ex ample.com" } do
      assert.matches("needs.hosts[1]", complaints_of { hosts = { wrong } }, 1, true)
    end
    assert.equal("", complaints_of { hosts = { "API.Dispatch.example" } })
  end)

  it("keeps the node's own credentials out of reach", function()
    assert.matches("OPENAI_API_KEY belongs to the node itself", complaints_of { secrets = { "OPENAI_API_KEY" } })
    assert.matches("RINGDOWN_SECRET belongs to the node itself", complaints_of { secrets = { "RINGDOWN_SECRET" } })
    assert.matches("must be the name of a secret", complaints_of { secrets = { "a b" } })
  end)

  it("keeps each secret setting out of reach, those to come as well", function()
    local n, file = 0, assert(io.open "runtime/gateway/settings_table.c")
    local table = file:read("a"):gsub("\n    {", "\0")
    file:close()
    for setting in table:gmatch "%z([^%z]+)" do
      local name = setting:match '^"[%w_.]+", "([%u_]+)"'
      if name and setting:find(".secret = true", 1, true) then
        n = n + 1
        assert.matches(name .. " belongs to the node itself", complaints_of { secrets = { name } })
      end
    end
    assert.is_true(n >= 12, n .. " secret settings")
  end)
end)
