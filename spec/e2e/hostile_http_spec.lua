-- SPDX-License-Identifier: Apache-2.0
-- takes: 20 s
-- Strangers at the public door: what is not Twilio's is refused, what is no HTTP is ended, and
-- whoever floods, drips or falls silent keeps no webhook waiting.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local raw = require "spec.e2e.support.raw"

local CRLF = "\r\n"
local FORM = "Content-Type: application/x-www-form-urlencoded"
local old_token = ("0f"):rep(16)

describe("at the public door", function()
  local n

  setup(function()
    local env = { TWILIO_AUTH_TOKEN = node.token .. "," .. old_token, RINGDOWN_MEDIA_THREADS = "2",
      RINGDOWN_MAX_CALLS_PER_CALLER = "0" }
    n = node.start { sim = false, env = env }
  end)

  teardown(function()
    assert.equal(0, n:stop())
  end)

  local function counter(name)
    for _, metric in ipairs(n:status().metrics) do
      if metric.name == name then
        return metric.value
      end
    end
    error("no metric is called " .. name)
  end

  -- How much a counter grows by `work`; refusals of the HTTP server are added up once a second.
  local function grows(name, by, work)
    local before = counter(name)
    work()
    proc.wait_for(function()
      return counter(name) >= before + by
    end, 5)
    assert.equal(by, counter(name) - before)
  end

  local function cpu_ticks()
    local fields = {}
    for word in proc.read("/proc/" .. n.child.pid .. "/stat"):match("%) (.*)"):gmatch "%S+" do
      table.insert(fields, word)
    end
    return tonumber(fields[12]) + tonumber(fields[13])
  end

  local function open_files()
    return tonumber((proc.run("ls /proc/" .. n.child.pid .. "/fd | wc -l")))
  end

  local function answers()
    local started = proc.now()
    local form = node.voice_form()
    local a = n:post_signed("/twilio/voice", form)
    assert.equal(200, a.status)
    assert.matches("<Stream url=", a.body, 1, true)
    form.CallStatus = "completed"
    assert.equal(200, n:post_signed("/twilio/status", form).status)
    return proc.now() - started
  end

  local function talk(...)
    return raw.talk(n, { { send = table.concat { ... } }, { close_within_ms = 30000 } })
  end

  describe("a signature", function()
    local form

    before_each(function()
      form = node.voice_form()
    end)

    local function refuses(path, o, fields)
      local a = n:post_signed(path, fields or form, o)
      assert.equal(403, a.status)
      assert.is_nil(a.body:find("<", 1, true))
    end

    it("is asked for wherever Twilio calls, and nothing is done without", function()
      local status = n:status()
      grows("refused_signature", 6, function()
        for _, path in ipairs { "/twilio/voice", "/twilio/resume", "/twilio/status" } do
          local a = n:request { path = path, method = "POST", body = node.form(form) }
          assert.equal(403, a.status)
          refuses(path, { signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" })
        end
      end)
      local after
      assert.is_true(proc.wait_for(function() -- what the node does by itself has VMs, too, and gives them back
        after = n:status()
        return after.vms <= status.vms
      end))
      assert.same({ status.calls, status.refused_full }, { after.calls, after.refused_full })
      assert.same({}, n:calls().live)
    end)

    it("is bound to token, address, form and its every byte", function()
      refuses("/twilio/voice", { token = "another token" })
      refuses("/twilio/voice", { token = "" })
      refuses("/twilio/voice", { signature = node.signature(n.url .. "/twilio/status", form) })
      refuses("/twilio/voice", { signature = node.signature("http://evil.example/twilio/voice", form) })
      refuses("/twilio/voice", { signature = node.signature(n.url .. "/twilio/voice", node.voice_form()) })
      refuses("/twilio/voice", { signature = node.signature(n.url .. "/twilio/voice", form):lower() })
      refuses("/twilio/voice", { signature = node.signature(n.url .. "/twilio/voice", form) .. "=" })
    end)

    it("is not believed for what the proxy claims", function()
      local fields = node.form(form)
      local a = n:request {
        path = "/twilio/voice", method = "POST", body = fields, headers = {
          Host = "evil.example", ["X-Forwarded-Host"] = "evil.example", ["Content-Type"] = FORM:match ": (.*)",
          ["X-Twilio-Signature"] = node.signature("http://evil.example/twilio/voice", form),
        },
      }
      assert.equal(403, a.status)
    end)

    it("does not cover a body that is no form", function()
      local signature = "X-Twilio-Signature: " .. node.signature(n.url .. "/twilio/voice", {})
      local body = node.form(form)
      for _, kind in ipairs { "text/plain", "application/json", "multipart/form-data; boundary=x" } do
        local a = talk(raw.request("POST", "/twilio/voice",
          { "Content-Type: " .. kind, "Content-Length: " .. #body, signature }, body))
        assert.equal(403, a.status)
      end
    end)

    it("may be by either token while they are rotated", function()
      for _, token in ipairs { node.token, old_token } do
        local mine = node.voice_form()
        assert.equal(200, n:post_signed("/twilio/voice", mine, { token = token }).status)
        mine.CallStatus = "completed"
        assert.equal(200, n:post_signed("/twilio/status", mine, { token = token }).status)
      end
      assert.same({}, n:calls().live)
    end)

    it("is not needed to see that the node lives", function()
      local a = n:get "/livez"
      assert.same({ 200, "ok\n" }, { a.status, a.body })
    end)
  end)

  describe("a request", function()
    it("has no second one behind it", function()
      local form = node.voice_form()
      local hook = raw.webhook(n, "/twilio/voice", form)
      local live = raw.request("GET", "/livez")
      local results = { talk(live, live), talk(live, hook), talk(hook, live), talk(hook, hook) }
      for _, r in ipairs(results) do
        assert.equal(200, r.status)
        assert.is_true(r.closed)
        assert.equal(1, select(2, r.got:gsub("HTTP/1%.1 ", "")))
      end
      form.CallStatus = "completed"
      n:post_signed("/twilio/status", form)
      assert.same({}, n:calls().live)
    end)

    it("is answered or ended, however it is made", function()
      local post = "POST /twilio/voice HTTP/1.1" .. CRLF .. "Host: x" .. CRLF
      local cases = {
        { 403, raw.request("POST", "/twilio/voice", { FORM }) },
        { 403, raw.request("POST", "/twilio/voice", { FORM }, "CallSid=CA1") },
        { 411, raw.request("POST", "/twilio/voice", { "Transfer-Encoding: chunked" }, "3\r\na=b\r\n0\r\n\r\n") },
        { 400, post .. "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\na=b" },
        { 400, post .. "Content-Length: 3\r\nContent-Length: 4\r\n\r\na=bc" },
        { 400, post .. "Content-Length: -1\r\n\r\n" },
        { 413, post .. "Content-Length: 999999999999999999\r\n\r\n" },
        { 413, post .. "Content-Length: 65537\r\n\r\n" .. ("a"):rep(65537) },
        { 431, raw.request("GET", "/livez", { "X-Long: " .. ("a"):rep(10000) }) },
        { 431, raw.request("GET", "/livez", { ("X: y\r\n"):rep(100) .. "Z: z" }) },
        { 400, "GET /livez HTTP/1.1\nHost: x\n\n" },
        { 400, "GET /livez\0 HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "GET /livez HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n" },
        { 400, "GET /livez HTTP/1.1\r\n\r\n" },
        { 400, "GET http://evil.example/livez HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 400, "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n" },
        { 505, "GET /livez HTTP/2.0\r\nHost: x\r\n\r\n" },
        { 405, raw.request("PUT", "/livez") },
        { 405, raw.request("GET", "/twilio/voice") },
        { 404, raw.request("GET", "/twilio/../etc/passwd") },
        { 404, raw.request("GET", "/%0d%0aSet-Cookie:%20a=b") },
        { 400, ("\0\xff\x16\x03\x01"):rep(100) .. CRLF .. CRLF },
      }
      local connections = {}
      for i, case in ipairs(cases) do
        connections[i] = { { send = case[2] }, { close_within_ms = 30000 } }
      end
      for i, r in ipairs { raw.talk(n, table.unpack(connections)) } do
        assert.same({ i, cases[i][1], true }, { i, r.status, r.closed })
        assert.is_nil(r.got:find "[Ss]et%-[Cc]ookie")
      end
    end)

    it("cannot write into the log", function()
      talk("GET /x\nlevel=error ev=forged HTTP/1.1", CRLF, CRLF)
      talk(raw.request("POST", "/twilio/voice%0alevel=error%20ev=forged", { "User-Agent: x\tev=forged" }))
      n:post_signed("/twilio/voice", { CallSid = "CA1\nlevel=error ev=forged", From = "\nlevel=error ev=forged",
        To = '" ev=forged' })
      assert.same({}, n:log "forged")
    end)
  end)

  describe("somebody who takes his time", function()
    it("is ended after seconds, costs nothing, and keeps nobody waiting", function()
      local files, ticks = open_files(), cpu_ticks()
      local live = raw.request("GET", "/livez")
      local body = "POST /twilio/voice HTTP/1.1\r\nHost: x\r\n" .. FORM .. "\r\nContent-Length: 100\r\n\r\n"
      local slow = raw.start(n,
        { times = 20, steps = { { drip = live, every_ms = 400 }, { close_within_ms = 8000 } } },
        { times = 20, steps = { { close_within_ms = 8000 } } },
        { times = 20, steps = { { send = body }, { drip = ("a"):rep(60), every_ms = 200 } } },
        { times = 20, steps = { { send = live:sub(1, -3) .. ("X: y\r\n"):rep(20) }, { close_within_ms = 8000 } } })
      for _ = 1, 5 do
        assert.is_true(answers() < proc.promised(1))
      end
      local results = slow:wait()
      for i, r in ipairs(results) do
        local kind = (i - 1) // 20
        assert.is_true(r.closed)
        assert.equal(kind ~= 1 and 408 or nil, r.status)
        assert.is_true(r.ms < (kind == 2 and 11500 or 6500), r.ms)
      end
      -- The work itself, in hundredths of a second; a spinning thread would have taken a thousand.
      assert.is_true(cpu_ticks() - ticks < 150)
      assert.is_true(proc.wait_for(function()
        return open_files() <= files
      end, 5))
    end)
  end)

  describe("a flood", function()
    it("of connections that say nothing makes room for webhooks", function()
      local files = open_files()
      local flood = raw.start(n, { times = 3000, steps = { { close_within_ms = 3000 } } })
      for _ = 1, 5 do
        assert.is_true(answers() < proc.promised(2))
      end
      assert.is_true(open_files() < files + 1100)
      flood:wait()
      assert.is_true(proc.wait_for(function()
        return counter "displaced" > 0
      end, 5))
    end)

    it("of unsigned webhooks fills neither slots nor the log", function()
      local calls = node.form(node.voice_form())
      local request = raw.request("POST", "/twilio/voice", { FORM, "Content-Length: " .. #calls }, calls)
      local before = #n:log "webhook.refused"
      grows("refused_signature", 500, function()
        local flood = raw.start(n, { times = 500, steps = { { send = request }, { close_within_ms = 4000 } } })
        answers()
        for _, r in ipairs(flood:wait()) do
          assert.equal(403, r.status)
        end
      end)
      assert.is_true(#n:log "webhook.refused" - before < 150)
      assert.is_truthy(n:wait_log("refusals.not_told", nil, 3))
      assert.equal(0, n:status().calls)
    end)
  end)
end)

describe("a node that is told to end at once", function()
  it("lets go of calls that were offered and of requests half sent", function()
    local n = node.start { sim = false }
    local offered = n:post_signed("/twilio/voice", node.voice_form())
    assert.matches("<Stream url=", offered.body, 1, true)
    local words = "POST /twilio/voice HTTP/1.1" .. CRLF
    local half = raw.start(n, { times = 20, steps = { { send = words }, { close_within_ms = 5000 } } })
    n:signal "TERM"
    assert.is_truthy(n:wait_log "serve.drain")
    n:signal "TERM"
    assert.equal(0, n.child:wait(10))
    half:wait()
    assert.equal(0, n:stop())
  end)
end)
