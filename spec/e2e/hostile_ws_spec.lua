-- SPDX-License-Identifier: Apache-2.0
-- takes: 60 s
-- WebSocket frames as nobody should send them, from the carrier's side and from the model's: whoever tears his bytes
-- apart is understood all the same, whoever breaks the protocol is told so and let go, and calls beside go on.
-- RINGDOWN_MUTATIONS: how many broken streams by chance (15; 60 with scripts/test --full, where the conversations
-- beside are longer, too); RINGDOWN_SEED: which.
local node = require "spec.e2e.support.node"
local proc = require "spec.e2e.support.proc"
local raw = require "spec.e2e.support.raw"
local sims = require "spec.e2e.support.sim"
local torn = require "spec.e2e.support.torn"

local FULL = os.getenv "RINGDOWN_PROMISES" ~= nil
local TALK = FULL and "small-talk" or "one-goodbye"
local MUTATIONS = tonumber(os.getenv "RINGDOWN_MUTATIONS") or FULL and 60 or 15
local SEED = tonumber(os.getenv "RINGDOWN_SEED") or os.time() % 100000
local BATCH = 15
local CARRIER_MAX, MODEL_MAX = 64 << 10, 16 << 20 -- bytes of a message that are taken

local silence = ("/"):rep(212) .. "//8="
local stream = "MZ" .. ("1"):rep(32)
local connected = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
local stop = ([[{"event":"stop","sequenceNumber":"9","streamSid":"%s","stop":{}}]]):format(stream)

local function start(form)
  return ([[{"event":"start","sequenceNumber":"1","streamSid":"%s","start":{"accountSid":"%s","streamSid":"%s",]]
    .. [["callSid":"%s","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,]]
    .. [["channels":1},"customParameters":{}}}]]):format(stream, node.account, stream, form.CallSid)
end

local function media(i)
  return ([[{"event":"media","sequenceNumber":"%d","streamSid":"%s","media":{"track":"inbound","chunk":"%d",]]
    .. [["timestamp":"%d","payload":"%s"}}]]):format(i + 1, stream, i, 20 * i, silence)
end

-- A frame as its parts say, however wrong. o: fin, bits, op, mask, length ("16", "64": in so many bits), n: what it
-- says of its length
local function frame(text, o)
  o = o or {}
  local n, masked = o.n or #text, o.mask and 0x80 or 0
  local first = (o.fin == false and 0 or 0x80) | (o.bits or 0) | (o.op or raw.TEXT)
  local head
  if o.length == "64" or not o.length and n > 65535 then
    head = string.pack(">BBI8", first, masked | 127, n)
  elseif o.length == "16" or not o.length and n > 125 then
    head = string.pack(">BBI2", first, masked | 126, n)
  else
    head = string.pack("BB", first, masked | n)
  end
  return head .. (o.mask and "\0\0\0\0" or "") .. text
end

-- What nobody may send: { what, the code it is answered with, bytes }. `mask`: as this side has to.
local function offences(mask, text_max)
  local function f(text, o)
    o = o or {}
    if o.mask == nil then
      o.mask = mask
    end
    return frame(text, o)
  end
  local more, ping, close, pong = 0, raw.PING, raw.CLOSE, 10
  return {
    { "a length with the highest bit", 1002, f("x", { length = "64", n = math.mininteger }) },
    { "a length of 2^62", 1009, f("x", { length = "64", n = 1 << 62 }) },
    { "one byte more than is taken", 1009, f("x", { length = "64", n = text_max + 1 }) },
    { "five bytes, told in 64 bits", 1002, f("{\"a\":", { length = "64" }) },
    { "five bytes, told in 16 bits", 1002, f("{\"a\":", { length = "16" }) },
    { "the wrong side's mask", 1002, f("{}", { mask = not mask }) },
    { "a reserved bit", 1002, f("{}", { bits = 0x40 }) },
    { "all reserved bits", 1002, f("{}", { bits = 0x70 }) },
    { "an operation nobody knows", 1002, f("{}", { op = 3 }) },
    { "a control frame nobody knows", 1002, f("{}", { op = 11 }) },
    { "a continuation of nothing", 1002, f("{}", { op = more }) },
    { "a beginning in the middle", 1002, f("{", { fin = false }) .. f("{}") },
    { "a ping of 126 bytes", 1002, f(("p"):rep(126), { op = ping }) },
    { "a ping in fragments", 1002, f("p", { op = ping, fin = false }) },
    { "a close in fragments", 1002, f("\3\xe8", { op = close, fin = false }) },
    { "a close of one byte", 1002, f("\3", { op = close }) },
    { "a close by 1005", 1002, f("\3\xed", { op = close }) },
    { "a close by 1006", 1002, f("\3\xee", { op = close }) },
    { "a close by 999", 1002, f("\3\xe7", { op = close }) },
    { "a close by 5000", 1002, f("\x13\x88", { op = close }) },
    { "a close for a reason that is no text", 1007, f("\3\xe8\xff", { op = close }) },
    { "a text that is none", 1007, f "\xc3\x28" },
    { "half a letter", 1007, f("\xe2\x82", { fin = false }) .. f("p", { op = ping }) .. f("", { op = more }) },
    { "fragments that are too much together", 1009, f(("x"):rep(100), { fin = false }) .. f("p", { op = ping })
      .. f("x", { op = more, n = text_max - 99 }) },
    { "bytes for text", 1003, f("\1\2\3", { op = raw.BINARY }) },
    { "a good close", 1000, f("", { op = pong }) .. f("\3\xe8bye", { op = close }) },
  }
end

describe("WebSocket frames", function()
  local function open_files(n)
    return tonumber((proc.run("ls /proc/" .. n.child.pid .. "/fd | wc -l")))
  end

  local function hang_up(n, forms)
    local connections = {}
    for i, form in ipairs(forms) do
      form.CallStatus = "completed"
      connections[i] = { { send = raw.webhook(n, "/twilio/status", form) }, { close_within_ms = 30000 } }
    end
    for _, r in ipairs { raw.talk(n, table.unpack(connections)) } do
      assert.equal(200, r.status)
    end
  end

  local function nobody_is_left(n, files)
    assert.is_true(proc.wait_for(function()
      local status = n:status()
      return status.calls == 0 and status.vms == 0
    end, 15))
    assert.is_true(proc.wait_for(function() -- but for connections that wait for the next call
      return open_files(n) <= files + 8
    end, 15))
  end

  -- So many calls that ring: their forms, and the paths of their streams.
  local function ring(n, count)
    local forms, paths, connections = {}, {}, {}
    for i = 1, count do
      forms[i] = node.voice_form { From = ("+1312555%04d"):format(i), To = "+13125550201" }
      connections[i] = { { send = raw.webhook(n, "/twilio/voice", forms[i]) }, { close_within_ms = 30000 } }
    end
    for i, r in ipairs { raw.talk(n, table.unpack(connections)) } do
      paths[i] = assert(r.got:match '<Stream url="ws://[^/]+(/twilio/media/[^"]+)"', r.got)
    end
    return forms, paths
  end

  -- The code of the close frame at the end of what came back.
  local function close_code(r)
    for _, f in ipairs(raw.frames(r.got)) do
      if f.op == raw.CLOSE then
        return f.code
      end
    end
  end

  local function fine(placed)
    local ok, reports = placed:wait(90)
    assert.equal("", reports[1] and reports[1].why or reports.text)
    assert.is_true(ok)
  end

  it("in single bytes and fragments, with pings between, are a call like any other #long", function()
    local sim = sims.start()
    local folder, port = proc.folder "torn", proc.free_port()
    local model = torn.start { folder = folder, port = sim.port, towards = "client", tear = true, seed = SEED }
    local carrier = torn.start { folder = folder, port = port, towards = "server", tear = true, seed = SEED }
    local n = node.start { agents = "spec/e2e/agents", sim = sim, port = port, env = {
      OPENAI_REALTIME_URL = ("ws://127.0.0.1:%d/v1/realtime"):format(model.port),
      RINGDOWN_PUBLIC_URL = ("http://127.0.0.1:%d"):format(carrier.port),
    } }
    n.url = ("http://127.0.0.1:%d"):format(carrier.port)
    fine(n:place { scenarios = { TALK } })
    assert.same({}, sim:facts "violation")
    assert.same({}, n:complaints())
    assert.equal(0, n:stop())
    assert.equal(0, sim:stop())
    carrier:stop()
    model:stop()
    proc.remove(folder)
  end)

  describe("that break the protocol", function()
    local sim, n, model, folder, arm, files

    setup(function()
      sim = sims.start()
      folder = proc.folder "torn"
      arm = folder .. "/arm"
      local cases = {}
      for i, o in ipairs(offences(false, MODEL_MAX)) do
        cases[i] = { name = o[1], bytes = o[3] }
      end
      model = torn.start { folder = folder, port = sim.port, towards = "client", cases = cases, arm = arm }
      n = node.start { agents = "spec/e2e/agents", sim = sim, env = {
        OPENAI_REALTIME_URL = ("ws://127.0.0.1:%d/v1/realtime"):format(model.port),
        RINGDOWN_MAX_CALLS = "100", RINGDOWN_MEDIA_THREADS = "1" } }
      files = open_files(n)
    end)

    teardown(function()
      assert.equal(0, n:stop())
      assert.equal(0, sim:stop())
      model:stop()
      proc.remove(folder)
    end)

    local function neighbour()
      local answered = #n:log "call.started"
      local placed = n:place { scenarios = { TALK } }
      assert.is_truthy(proc.wait_for(function()
        return #n:log "call.started" > answered
      end, 20))
      return placed
    end

    it("from the carrier's side end that stream, with the code that says why", function()
      local good = neighbour()
      local list = offences(true, CARRIER_MAX)
      local forms, paths = ring(n, #list + 1)
      local connections = {}
      for i, o in ipairs(list) do
        local before = raw.upgrade(n, paths[i]) .. raw.frame(connected) .. raw.frame(start(forms[i]))
        local small = #o[3] < 200
        connections[i] = { { send = before .. (small and "" or o[3]) }, { drip = small and o[3] or "", every_ms = 1 },
          { close_within_ms = 20000 } }
      end
      -- and one that only looks like it
      local last = #list + 1
      local begun = raw.upgrade(n, paths[last]) .. raw.frame(connected) .. raw.frame(start(forms[last]))
      local first, second = frame("one", { op = raw.PING, mask = true }), frame("two", { op = raw.PING, mask = true })
      connections[last] = { { send = begun .. frame(stop:sub(1, 9), { fin = false, mask = true }) .. first
        .. frame("", { op = 0, fin = false, mask = true }) .. second
        .. frame(stop:sub(10), { op = 0, mask = true }) }, { close_within_ms = 20000 } }
      local results = { raw.talk(n, table.unpack(connections)) }
      for i, o in ipairs(list) do
        assert.same({ o[1], 101, true, o[2] }, { o[1], results[i].status, results[i].closed, close_code(results[i]) })
      end
      local pongs = {}
      for _, f in ipairs(raw.frames(results[last].got)) do
        pongs[#pongs + 1] = f.op == 10 and f.text or nil
      end
      assert.same({ "one", "two" }, pongs)
      assert.equal(1000, close_code(results[last]))
      hang_up(n, forms)
      fine(good)
      nobody_is_left(n, files)
    end)

    it("from the model's side end that session, with the code that says why #long", function()
      local good = neighbour()
      local list = offences(false, MODEL_MAX)
      local forms, paths = ring(n, #list) -- each has one session, and is not given another
      proc.write(arm, "")
      local connections, sound = {}, {}
      for i = 1, 50 do
        sound[i] = raw.frame(media(i))
      end
      for i, path in ipairs(paths) do
        connections[i] = { { send = raw.upgrade(n, path) .. raw.frame(connected) .. raw.frame(start(forms[i])) } }
        for _ = 1, 180 do
          table.insert(connections[i], { send = table.concat(sound) })
          table.insert(connections[i], { wait_ms = 500 })
        end
      end
      local victims = raw.start(n, table.unpack(connections))
      proc.wait_for(function()
        return #model:told() >= #list
      end, 90)
      victims:stop()
      os.remove(arm)
      local codes = {}
      for _, told in ipairs(model:told()) do
        codes[told.case] = told.code
      end
      for _, o in ipairs(list) do
        assert.same({ o[1], o[2] }, { o[1], codes[o[1]] })
      end
      hang_up(n, forms)
      fine(good)
      nobody_is_left(n, files)
      fine(neighbour()) -- nor is the model given up for it
    end)

    -- A good stream with something changed somewhere: a bit, a byte more or less, a piece twice, an end.
    local function mutated(good)
      local text = good
      for _ = 1, math.random(4) do
        local at, what = math.random(#text), math.random(7)
        local before, behind = text:sub(1, at - 1), text:sub(at + 1)
        if what <= 2 then
          text = before .. string.char(text:byte(at) ~ (1 << math.random(0, 7))) .. behind
        elseif what == 3 then
          text = before .. string.char(math.random(0, 255)) .. behind
        elseif what == 4 then
          text = before .. behind
        elseif what == 5 then
          text = before .. text:sub(at, at + math.random(300)) .. text:sub(at)
        elseif what == 6 then
          text = text:sub(1, math.max(at, 20))
        else
          text = before .. frame(("z"):rep(math.random(0, 130)), { op = math.random(0, 15), mask = math.random(4) > 1,
            fin = math.random(2) == 1, bits = math.random(8) == 1 and 0x20 or 0 }) .. behind
        end
        text = #text > 0 and text or "\0"
      end
      return text
    end

    it("by chance harm nobody else", function()
      local allowed = { [1000] = true, [1001] = true, [1002] = true, [1003] = true, [1007] = true, [1008] = true,
        [1009] = true }
      local good, done, codes = neighbour(), 0, {}
      print(("RINGDOWN_SEED=%d RINGDOWN_MUTATIONS=%d"):format(SEED, MUTATIONS))
      math.randomseed(SEED)
      while done < MUTATIONS do
        local forms, paths = ring(n, math.min(BATCH, MUTATIONS - done))
        local connections = {}
        for i, path in ipairs(paths) do
          local frames = { raw.frame(connected), raw.frame(start(forms[i])) }
          for at = 1, 8 do
            table.insert(frames, raw.frame(media(at)))
          end
          table.insert(frames, raw.frame("p", raw.PING))
          table.insert(frames, raw.frame(stop))
          local bytes = mutated(table.concat(frames))
          local cut = math.random(#bytes)
          connections[i] = { { send = raw.upgrade(n, path) }, { ["until"] = "\r\n\r\n", within_ms = 60000 },
            { send = bytes:sub(1, cut) }, { wait_ms = 20 }, { send = bytes:sub(cut + 1) }, { close_within_ms = 400 } }
        end
        for _, r in ipairs { raw.talk(n, table.unpack(connections)) } do
          local code = close_code(r)
          assert.equal(101, r.status)
          assert.is_true(code == nil or allowed[code] == true, "closed by " .. tostring(code))
          codes[code or 0] = (codes[code or 0] or 0) + 1
        end
        hang_up(n, forms)
        done = done + #forms
      end
      assert.is_true(MUTATIONS < 60 or (codes[1002] or 0) > 0) -- of a few, all may be taken
      fine(good)
      nobody_is_left(n, files)
      assert.equal(200, n:get("/livez").status)
    end)
  end)
end)
