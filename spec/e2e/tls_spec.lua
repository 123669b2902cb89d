-- SPDX-License-Identifier: Apache-2.0
-- takes: 45 s
-- TLS: towards the caller (https, wss, a certificate that is replaced while the node runs) and towards
-- the model (verified, refused when the authority is another).
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"
local sims = require "spec.e2e.support.sim"
local tls = require "spec.e2e.support.tls"

describe("over TLS", function()
  local folder, ours, theirs, certificate, sim

  setup(function()
    folder = proc.folder "tls"
    ours = tls.authority(folder, "ours")
    theirs = tls.authority(folder, "theirs")
    certificate = ours:certificate "node"
    sim = sims.start { tls = ours:certificate "model" }
  end)

  teardown(function()
    assert.equal(0, sim:stop())
    proc.remove(folder)
  end)

  -- What the listener shows, by its serial number.
  local function served(n)
    local text = proc.run(("openssl s_client -connect 127.0.0.1:%d -CAfile %s </dev/null 2>/dev/null "
      .. "| openssl x509 -noout -serial 2>/dev/null"):format(n.port, proc.quote(ours.file)))
    return text:match "serial=(%x+)"
  end

  local function serial(file)
    return proc.run("openssl x509 -noout -serial -in " .. proc.quote(file)):match "serial=(%x+)"
  end

  describe("with one authority for both sides", function()
    local n, mails

    setup(function()
      mails = receiver.mail { tls = "starttls", certificate = ours:certificate "mail", login = "ann:secret" }
      n = node.start { agents = "spec/e2e/agents", sim = sim, tls = certificate,
        env = { RINGDOWN_SYNTHETIC_TO = "+13125550201", SMTP_FROM = "alerts@example.com",
          SMTP_URL = ("smtp://ann:secret@127.0.0.1:%d"):format(mails.port),
          RINGDOWN_ALERT_CHANNELS = json.encode { { name = "ops", kind = "mail", to = { "ops@example.com" } } } } }
    end)

    teardown(function()
      assert.equal(0, n:stop())
      mails:stop()
    end)

    it("a call runs from end to end", function()
      local ok, reports, events = n:call { scenarios = { "keypad" }, as_test = true }
      assert.equal("", reports[1].why)
      assert.is_true(ok)
      for _, event in ipairs(events) do
        if event.verb == "Connect" then
          assert.matches("^wss://", event.text)
        end
      end
      assert.is_true(n:status().tls)
    end)

    it("it rings itself: the whole way of a caller, and nobody is counted", function()
      local said = proc.wait_for(function()
        local status = n:status()
        return type(status) == "table" and type(status.synthetic) == "table" and status.synthetic
      end, 60)
      assert.is_truthy(said, n.child:text())
      assert.equal("", said.why or "")
      assert.is_true(said.good)
      assert.is_true(said.first_audio_ms < 1000 * proc.promised(4))
      n:wait_shipped()
      assert.equal("synthetic|t|openai|f\n", pg.run(n.database, ([[select concat_ws('|', trial, is_test, system,
        exists (select from tool_calls t where t.call = c.call)) from calls c where call = '%s']]):format(said.call)))
      assert.equal("call|t\n", pg.run(n.database, "select concat_ws('|', trial, is_test) from calls "
        .. "where to_number = '+13125550204'"), "what ringdown call makes says so as well")
      assert.equal("t\n", pg.run(n.database, ("select good from synthetic_calls where call = '%s'"):format(said.call)))
    end)

    it("the doctor rings, opens a session of the model, and is let in by the mail server", function()
      local found, code = n:ringdown("doctor", "--call", "--send", "--json")
      local by = {}
      for _, one in ipairs(type(found) == "table" and found.findings or {}) do
        by[one.what] = one.verdict .. " " .. one.text .. " " .. (by[one.what] or "")
      end
      assert.equal(1, code, "no Twilio is there to take our token")
      assert.matches("^ok CA%x+ got through", by.call, 1)
      assert.matches("opened a session", by.openai)
      assert.matches("ok the server let us in", by.mail, 1, true)
      assert.matches("sent one to ops@example.com", by.mail, 1, true)
      assert.matches("^warn its chain of 1 ends before any authority", by["certificate chain"])
      assert.matches("is over in 1 days", by.certificate)
      local subjects = {}
      for _, mail in ipairs(mails:got()) do
        subjects[mail.subject] = true
      end
      assert.is_true(subjects["Ringdown: a mail from the doctor"])
    end)

    it("plain HTTP gets no answer of ours", function()
      local answer = n:request { path = "/livez", url = "http://127.0.0.1:" .. n.port }
      assert.equal(0, answer.status)
      assert.equal(200, n:get("/livez").status)
    end)

    it("a certificate that was replaced is served after SIGHUP", function()
      local before = serial(certificate.certificate)
      assert.equal(before, served(n))
      ours:certificate "node"
      local after = serial(certificate.certificate)
      assert.are_not.equal(before, after)
      n:signal "HUP"
      assert.is_truthy(n:wait_log "agents.reloaded")
      assert.equal(after, served(n))
    end)

    it("a broken one is not: the old one stays, and the log says so", function()
      local before = served(n)
      proc.write(certificate.certificate, "not a certificate\n")
      n:signal "HUP"
      local line = n:wait_log "tls.not_reloaded"
      assert.matches("old certificate stays", line.fix)
      assert.equal(before, served(n))
      ours:certificate "node"
    end)
  end)

  it("a model of another authority is refused: the caller hears why nobody answers, the operator what to do",
    function()
      local n = node.start { agents = "spec/e2e/agents", sim = sim, ca_file = theirs.file,
        env = { RINGDOWN_SYNTHETIC_TO = "night-desk" } }
      local before = #sim:facts "response_create"
      local ok, reports = n:call { scenarios = { "no-model" } }
      assert.equal("", reports[1].why)
      assert.is_true(ok)
      local line = n:wait_log "call.provider_error"
      assert.equal("tls", line.code)
      assert.matches("ca_file", line.fix)
      assert.equal(before, #sim:facts "response_create")
      local said = proc.wait_for(function()
        local status = n:status()
        return type(status) == "table" and type(status.synthetic) == "table" and status.synthetic
      end, 60)
      assert.is_false(said and said.good, "nobody answers, and the synthetic call says so")
      assert.equal("greeting", said.step)
      assert.equal(0, n:stop())
    end)

  it("a certificate without its key is told before anything starts", function()
    local other = ours:certificate "other"
    local mixed = { certificate = other.certificate, key = certificate.key, authority = ours }
    local n = node.launch { sim = sim, tls = mixed }
    assert.is_true(n.child:wait(20) ~= 0)
    assert.matches("key", n.child:text())
    n:stop()
  end)
end)
