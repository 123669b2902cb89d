-- SPDX-License-Identifier: Apache-2.0
-- takes: 32 s
-- Strangers at the media stream: who has no token of ours stays outside, and whoever has one and
-- does not behave harms nobody but himself.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local raw = require "spec.e2e.support.raw"

local secret = ("5e"):rep(32)

-- One more frame of silence, 20 ms.
local silence = ("/"):rep(212) .. "//8="

describe("at the media stream", function()
  local n

  setup(function()
    n = node.start { env = { RINGDOWN_SECRET = secret, RINGDOWN_MAX_CALLS = "20", RINGDOWN_MEDIA_THREADS = "1",
      RINGDOWN_MAX_CALLS_PER_CALLER = "0" } }
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

  -- A call that rings: its form, and the path of its stream.
  local function ring()
    local form = node.voice_form()
    local answer = n:post_signed("/twilio/voice", form)
    return form, assert(answer.body:match '<Stream url="ws://[^/]+(/twilio/media/[^"]+)"', answer.body)
  end

  local function hang_up(form)
    form.CallStatus = "completed"
    assert.equal(200, n:post_signed("/twilio/status", form).status)
  end

  local function nobody_is_left()
    assert.is_true(proc.wait_for(function()
      local status = n:status()
      return status.calls == 0 and status.vms == 0
    end, 10))
  end

  local stream = "MZ" .. ("1"):rep(32)
  local connected = '{"event":"connected","protocol":"Call","version":"1.0.0"}'

  local function start(form, o)
    o = o or {}
    return ([[{"event":"start","sequenceNumber":"1","streamSid":"%s","start":{"accountSid":"%s","streamSid":"%s",]]
      .. [["callSid":"%s","tracks":["inbound"],"mediaFormat":{"encoding":"%s","sampleRate":8000,"channels":1},]]
      .. [["customParameters":{}}}]]):format(stream, node.account, stream, o.sid or form.CallSid,
      o.encoding or "audio/x-mulaw")
  end

  local function media(i, o)
    o = o or {}
    return ([[{"event":"media","sequenceNumber":"%d","streamSid":"%s","media":{"track":"%s","chunk":"%d",]]
      .. [["timestamp":"%s","payload":"%s"}}]]):format(i + 1, o.stream or stream, o.track or "inbound", i,
      o.timestamp or 20 * i, o.payload or silence)
  end

  local stop = ([[{"event":"stop","sequenceNumber":"9","streamSid":"%s","stop":{}}]]):format(stream)

  -- An upgrade and these frames in one breath, then until the node ends it.
  local function steps(path, frames, ms)
    local bytes = { raw.upgrade(n, path) }
    for _, f in ipairs(frames) do
      table.insert(bytes, type(f) == "table" and f.bytes or raw.frame(f))
    end
    return { { send = table.concat(bytes) }, { close_within_ms = ms or 8000 } }
  end

  -- The code of the close frame at the end of what came back.
  local function close_code(r)
    for _, f in ipairs(raw.frames(r.got)) do
      if f.op == raw.CLOSE then
        return f.code
      end
    end
  end

  local function refused(r, status)
    assert.same({ status or 403, true }, { r.status, r.closed })
  end

  local function upgrade(path, o)
    return raw.talk(n, { { send = raw.upgrade(n, path, o) }, { close_within_ms = 30000 } })
  end

  local function parts_of(path)
    local p = {}
    p.node, p.call, p.nonce, p.expires, p.sid, p.mac =
      path:match "/twilio/media/(%x+)%.(%x+)%.(%x+)%.(%x+)%.(%w+)%.(%x+)$"
    return p
  end

  -- Signed like one of ours, with a secret.
  local function token(p, key)
    local body = table.concat({ p.node, p.call, p.nonce, p.expires, p.sid }, ".")
    local file = proc.write(n.folder .. "/token", body)
    local mac = proc.run(("openssl dgst -sha256 -mac HMAC -macopt key:%s -r %s"):format(key or secret, file)):sub(1, 32)
    return "/twilio/media/" .. body .. "." .. mac
  end

  describe("an upgrade", function()
    it("needs a token and Twilio's signature over its address", function()
      local form, path = ring()
      local before = counter "refused_signature"
      refused(upgrade(path, { signature = false }))
      refused(upgrade(path, { signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" }))
      refused(upgrade(path, { signature = node.signature(n.url:gsub("^http", "ws") .. "/twilio/media/x", {}) }))
      refused(upgrade(path, { signature = node.signature(n.url:gsub("^http", "ws") .. path, {}, "another token") }))
      assert.equal(before + 4, counter "refused_signature")
      refused(upgrade("/twilio/media/"), 404)
      refused(upgrade("/twilio/media"), 404)
      refused(upgrade("/twilio/voice"), 404)
      refused(upgrade("/livez"), 404)
      hang_up(form)
      nobody_is_left()
    end)

    it("needs a token that nobody touched, of this node, and young", function()
      local form, path = ring()
      local p = parts_of(path)
      assert.equal(path, token(p)) -- these stories can sign as the node does
      local function with(changes, key)
        local q = {}
        for name, value in pairs(p) do
          q[name] = changes[name] or value
        end
        return token(q, key)
      end
      local worthless = {
        path:sub(1, -2), path .. "0", path:gsub("%x$", function(c)
          return c == "0" and "1" or "0"
        end),
        with({}, ("5f"):rep(32)),
        with { node = "00000000" },
        with { call = "0000000900000001" },
        with { call = "ffffffffffffffff" },
        with { nonce = "0000000000000000" },
        with { expires = ("%x"):format(os.time() - 1) }, -- it lives for a minute
        with { expires = "0" },
        "/twilio/media/" .. ("a"):rep(4000),
        "/twilio/media/........",
      }
      local connections = {}
      for i, bad in ipairs(worthless) do
        connections[i] = { { send = raw.upgrade(n, bad) }, { close_within_ms = 30000 } }
      end
      local before = counter "refused_token"
      for i, r in ipairs { raw.talk(n, table.unpack(connections)) } do
        assert.same({ worthless[i], 403, true }, { worthless[i], r.status, r.closed })
      end
      assert.equal(before + #worthless, counter "refused_token")
      assert.equal(1, n:status().calls)

      -- And with all that, the real one still opens the stream; once.
      local first = raw.start(n, { { send = raw.upgrade(n, path) .. raw.frame(connected) .. raw.frame(start(form)) },
        { wait_ms = 2500 } })
      assert.is_truthy(n:wait_log("call.started", function(line)
        return line.call == form.CallSid
      end))
      refused(upgrade(path))
      local r = first:wait()[1]
      assert.same({ 101, false }, { r.status, r.closed }) -- the thief's try did not end it
      hang_up(form) -- the carrier's word; a stream that only broke would be waited for
      nobody_is_left()
      refused(upgrade(path)) -- nor is it good again
      refused(upgrade(token(p)))
    end)

    it("with one token from twenty sides is one stream", function()
      local form, path = ring()
      local results = raw.start(n, { times = 20, steps = { { send = raw.upgrade(n, path) }, { wait_ms = 1500 } } })
        :wait()
      local open = 0
      for _, r in ipairs(results) do
        open = open + (r.status == 101 and 1 or 0)
        assert.is_true(r.status == 101 or r.status == 403)
      end
      assert.equal(1, open)
      hang_up(form)
      nobody_is_left()
    end)

    it("is useless once the call is over, or was asked for again", function()
      local form, path = ring()
      local answer = n:post_signed("/twilio/voice", form)
      local second = answer.body:match '<Stream url="ws://[^/]+(/twilio/media/[^"]+)"'
      assert.not_equal(path, second)
      refused(upgrade(path))
      hang_up(form)
      refused(upgrade(second))
      nobody_is_left()
    end)
  end)

  describe("somebody with a token", function()
    -- Everything at once, while another caller has a conversation on the same thread.
    it("cannot harm a call beside his, whatever he sends", function()
      local answered = #n:log "call.started"
      local good = n:place { scenarios = { "small-talk" }, to = "+13125550100" }
      local cases = {
        { "names another call in start", 1000, function()
          return { connected, start(nil, { sid = "CA" .. ("0"):rep(32) }), media(1) }
        end },
        { "starts without saying hello", 1008, function(form)
          return { start(form) }
        end },
        { "starts twice", 1008, function(form)
          return { connected, start(form), media(1), start(form) }
        end },
        { "starts in another language", 1008, function(form)
          return { connected, start(form, { encoding = "audio/x-alaw" }) }
        end },
        { "starts as nobody", 1008, function()
          return { connected, start(nil, { sid = "" }) }
        end },
        { "never starts", 1008, function()
          return { connected, connected, media(1), stop }
        end },
        { "says nothing", 1008, function()
          return {}
        end },
        { "sends what is no frame, then goes", 1000, function(form)
          local frames = { connected, start(form) }
          for _, text in ipairs {
            "", "{", "null", "[]", "\0", '"media"', '{"event":"media"', '{"event":["media"]}', '{"event":"mark"}',
            '{"event":"unknown","streamSid":"' .. stream .. '"}', ("["):rep(30000), ("{\"a\":"):rep(5000),
            '{"event":"dtmf","streamSid":"' .. stream .. '","dtmf":{"digit":"%n"}}',
            '{"event":"mark","streamSid":"' .. stream .. '","mark":{"name":"g99999.1.1"}}',
            media(1, { stream = "MZother" }), media(1, { track = "outbound" }), media(1, { timestamp = "-1" }),
            media(1, { timestamp = "99999999999999999999" }), media(1, { payload = "" }), media(1, { payload = "A" }),
            media(1, { payload = "////\\u0041===" }), media(1, { payload = "!!!!" }), media(1, { payload = "AA\\" }),
            media(1, { payload = ("/"):rep(60000) }), media(2), media(1, { timestamp = "4294967295" }), media(3), stop,
          } do
            table.insert(frames, text)
          end
          return frames
        end },
        { "sends more than fits", 1009, function(form)
          return { connected, start(form), media(1, { payload = ("/"):rep(70000) }) }
        end },
        { "promises more than there is", 1009, function(form)
          return { connected, start(form), { bytes = "\x81\xff" .. string.pack(">I8", 1 << 40) .. "\0\0\0\0" } }
        end },
        { "sends bytes for text", 1003, function(form)
          return { connected, start(form), { bytes = raw.frame("\1\2\3", raw.BINARY) } }
        end },
        { "sends what is no text", 1007, function(form)
          return { connected, start(form), "\xff\xfe\xfd" }
        end },
        { "does not mask", 1002, function(form)
          return { connected, start(form), { bytes = "\x81\x02{}" } }
        end },
        { "uses bits nobody agreed on", 1002, function(form)
          return { connected, start(form), { bytes = "\xf1\x82\0\0\0\0{}" } }
        end },
        { "pings a thousand times", 1000, function(form)
          return { connected, start(form), { bytes = raw.frame(("p"):rep(125), raw.PING):rep(1000) }, stop }
        end },
        { "presses five hundred keys", nil, function(form)
          local key = '{"event":"dtmf","streamSid":"' .. stream .. '","dtmf":{"track":"inbound_track","digit":"5"}}'
          return { connected, start(form), { bytes = raw.frame(key):rep(500) }, stop }
        end },
      }
      local connections, forms = {}, {}
      local before = { sid = counter "refused_call_sid", bad = counter "frames_bad" }
      assert.is_truthy(proc.wait_for(function()
        return #n:log "call.started" > answered
      end, 20))
      for i, case in ipairs(cases) do
        local form, path = ring()
        forms[i] = form
        connections[i] = steps(path, case[3](form))
      end
      for i, r in ipairs { raw.talk(n, table.unpack(connections)) } do
        local name, code = cases[i][1], cases[i][2]
        assert.same({ name, 101, true }, { name, r.status, r.closed })
        assert.same({ name, code or close_code(r) }, { name, close_code(r) })
      end
      assert.is_true(counter "refused_call_sid" > before.sid)
      assert.is_true(counter "frames_bad" >= before.bad + 20)

      local ok, reports = good:wait(90)
      assert.is_true(ok, require "cjson".encode(reports))
      assert.equal(0, reports[1].lost or 0)
      for _, form in ipairs(forms) do
        hang_up(form)
      end
      nobody_is_left()
      assert.equal(200, n:get("/livez").status)
    end)
  end)
end)
