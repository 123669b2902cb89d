-- SPDX-License-Identifier: Apache-2.0
-- doctor: the operation behind `ringdown doctor`: is this installation fit for calls? What its process sees comes in
-- the payload (runtime/gateway/standing.c); others are asked what changes nothing and costs nothing.
--
-- Each look returns one finding or several: { what, "ok"|"warn"|"fail", text, remedy }. One that raises is a failure
-- of its own and keeps no other from being made.
local accounts = require "ringdown.health.accounts"
local host = require "ringdown.host"
local json = require "ringdown.json"
local judge = require "ringdown.health.judge"

local M = {}

local function ok(what, text)
  return { what = what, verdict = "ok", text = text }
end

local function warn(what, text, remedy)
  return { what = what, verdict = "warn", text = text, remedy = remedy }
end

local function fail(what, text, remedy)
  return { what = what, verdict = "fail", text = text, remedy = remedy }
end

-- All of them; when there are none, that it is well.
local function or_ok(findings, what, text)
  if #findings == 0 then
    return ok(what, text)
  end
  return table.unpack(findings)
end

-- Of a judge: "critical" is a failure.
local function judged(what, severity, text, remedy, good)
  if not severity then
    return ok(what, good)
  end
  return (severity == "critical" and fail or warn)(what, text, remedy)
end

-- ── settings ────────────────────────────────────────────────────────────────────────────────────
-- What is wrong with them stops nothing: the default is looked at in its place.
local function settings(p)
  local findings = {}
  for _, line in ipairs(p.complaints or {}) do
    findings[#findings + 1] = fail("settings", line, "mend it there; docs/configuration.md has all of them")
  end
  return or_ok(findings, "settings", "nothing is wrong with them")
end

-- ── what needs nobody ───────────────────────────────────────────────────────────────────────────
local function data(p)
  if not p.data.there then
    return fail("data folder", p.data.path .. " is not there", "make it, or set data (RINGDOWN_DATA)")
  elseif not p.data.writable then
    return fail("data folder", p.data.path .. " cannot be written to", "give it to the user that runs ringdown serve")
  elseif p.data.open then
    return warn("data folder", p.data.path .. " can be read by everybody", "chmod 750 " .. p.data.path
      .. ": it holds the secret and what callers said")
  end
  return ok("data folder", p.data.path)
end

local function disk(p)
  local free, percent = p.standing.disk_free_mb, p.standing.disk_free_percent
  local severity, text = judge.disk(free, percent)
  return judged("disk", severity, text, "free some space, or set data to a larger disk",
    ("%d MB are free (%d %%)"):format(free, percent))
end

-- Each call: a stream, a session, and what its tools ask.
local function descriptors(p)
  local have, want = p.standing.descriptors, p.set.max_calls * 8 + 256
  if have < want then
    return warn("descriptors", ("%d may be open at once; %d calls want %d"):format(have, p.set.max_calls, want),
      "ulimit -n, LimitNOFILE= in the systemd unit, or lower max_calls")
  end
  return ok("descriptors", ("%d may be open at once"):format(have))
end

-- As Twilio sees it, who fetches nothing and knows public authorities alone.
local function chain(c)
  if not c.chain or c.chain == 0 then
    return nil
  elseif c.trusted then
    local severity, text = judge.certificate(c.chain_expires_in_s)
    return judged("certificate chain", severity, text and "one of the chain: " .. text, "renew it, then SIGHUP",
      ("whole: %d certificates up to a public authority"):format(c.chain))
  end
  return (c.own_authority and warn or fail)("certificate chain", c.untrusted .. ": Twilio would not connect",
    "put the whole chain into public.certificate: your certificate first, then each intermediate one (fullchain.pem)")
end

local function certificate(p)
  local c = p.certificate
  if not c.set then
    local plain = host.ours().public_url:find "^http://"
    return plain and warn("certificate", "public.url is plain http", "fit for development only: Twilio wants https")
      or ok("certificate", "TLS ends in front of this node")
  elseif not c.good then
    return fail("certificate", c.why, "mend public.certificate and public.private_key")
  elseif not c.matches then
    return fail("certificate", "it is not made out to " .. c.host, "get one for the name in public.url")
  end
  local severity, text = judge.certificate(c.expires_in_s)
  return judged("certificate", severity, text, "renew it, then SIGHUP", ("made out to %s, good for %d days"):format(
    c.host, c.expires_in_s // 86400)), chain(c)
end

local function model(p)
  local name = p.standing.openai_model
  local severity, text = judge.model(name, p.standing.shutdowns, host.unix_ms() // 1000)
  return judged("model", severity, text, "set openai.model to another", name)
end

local function transcription(p)
  local name = p.standing.transcription_model or ""
  local severity, text = judge.model(name, p.standing.shutdowns, host.unix_ms() // 1000)
  return judged("transcription", severity, text, "take a release of Ringdown that uses another", name)
end

local function agents()
  local good, bad = host.agents()
  local findings = {}
  for _, one in ipairs(bad) do
    findings[#findings + 1] = fail("agents", one.module .. " does not load", "ringdown check tells each mistake")
  end
  if #good == 0 and #bad == 0 then
    return warn("agents", "there are none", "ringdown new agent makes one; see agents.path and agents.source")
  elseif #bad == 0 then
    return ok("agents", ("%d, all of them load"):format(#good))
  end
  return table.unpack(findings)
end

local function alerts(p)
  local found = require("ringdown.alerts.check").run({}, function() end)
  local findings = {}
  for _, mistake in ipairs(found.mistakes) do
    findings[#findings + 1] = fail("alerts", mistake, "mend it; ringdown alerts test CHANNEL tries one")
  end
  if #findings > 0 then
    return table.unpack(findings)
  elseif not p.set.channels then
    return warn("alerts", "nobody is told", "set alerts.channels; ringdown alerts test CHANNEL tries one")
  end
  return ok("alerts", ("%d channels and %d rules; ringdown alerts test CHANNEL tries one"):format(found.channels,
    found.rules))
end

local function watchers(p)
  if p.standing.heartbeat_url ~= "set" then
    return warn("heartbeat", "nobody outside notices when this machine is gone", "set heartbeat.url")
  end
  return ok("heartbeat", "is told each minute by the node that leads")
end

-- Who starts us again, and would notice that we hang? p.unit: as `systemctl show` has it; nil: no systemd.
local function supervisor(p)
  local u, findings = p.unit, {}
  if not u then
    return nil
  elseif u.LoadState ~= "loaded" then
    return warn("systemd", "there is no ringdown.service", "examples/systemd has one; else nobody starts a node again "
      .. "that ended")
  end
  if u.Type ~= "notify" then
    findings[#findings + 1] = warn("systemd", ("Type=%s: nobody waits until the node answers"):format(u.Type or "?"),
      "Type=notify in ringdown.service; the node says READY=1")
  end
  if u.NotifyAccess ~= "all" then
    findings[#findings + 1] = warn("systemd", ("NotifyAccess=%s: a process that takes over is not heard"):format(
      u.NotifyAccess or "?"), "NotifyAccess=all in ringdown.service")
  end
  if not u.WatchdogUSec or u.WatchdogUSec == "0" or u.WatchdogUSec == "infinity" then
    findings[#findings + 1] = warn("systemd", "no watchdog: a node whose threads hang is left so",
      "WatchdogSec=30 in ringdown.service; the node says WATCHDOG=1 while its threads come round")
  end
  return or_ok(findings, "systemd", ("%s, watched (%s)"):format(u.ActiveState or "loaded", u.WatchdogUSec))
end

-- ── the database ────────────────────────────────────────────────────────────────────────────────
local function database(p)
  local before = host.unix_ms()
  local rows, why = host.query("select floor(extract(epoch from clock_timestamp()) * 1000)::bigint::text, "
    .. "(select max(version) from schema_migrations)::text", {}, 5000)
  local after = host.unix_ms()
  if not rows then
    return fail("database", tostring(why), "ringdown db status; calls are kept in the journal meanwhile")
  end
  local at, version = math.tointeger(tonumber(rows[1][1])), math.tointeger(tonumber(rows[1][2] or 0))
  local severity, text = judge.clock(at, at, before, after)
  local clock = judged("clock", severity, text and text .. ", by the database's",
    "timedatectl set-ntp true, there and here", "as the database's")
  if version < p.migration then
    return fail("database", ("its schema is %d, this program's %d"):format(version, p.migration),
      "ringdown db migrate"), clock
  end
  return ok("database", ("answers; schema %d"):format(version)), clock
end

local function nodes()
  local rows = host.query("select text from alerts where kind = 'nodes.differ' and closed_at is null", {}, 5000)
  if rows and rows[1] then
    return fail("nodes", rows[1][1], "give all nodes the same cluster.secret and settings")
  end
  return rows and ok("nodes", "none differs") or nil
end

-- ── others ──────────────────────────────────────────────────────────────────────────────────────
local function outside()
  local answer, why = host.outside()
  local remedy = "does public.url lead here, through DNS, firewall and balancer? Is ringdown serve running?"
  if not answer and (tostring(why):find "SSL" or tostring(why):find "certificate") then
    return fail("public.url", tostring(why), "whoever ends TLS there must send the whole chain, made out to that name: "
      .. "Twilio fetches nothing. openssl s_client -connect HOST:443 -servername HOST -showcerts")
  elseif not answer then
    return fail("public.url", tostring(why), remedy)
  elseif answer.status ~= 200 or not answer.body:find "^ok" then
    return fail("public.url", ("/livez there answers %d, and not as we do"):format(answer.status), remedy)
  end
  return ok("public.url", "leads to a node that is alive")
end

-- `needed`: without it no call can be taken.
local function key(what, setting, needed, ask)
  local answer, why = ask()
  if not answer and why == "no key is set" then
    return (needed and fail or warn)(what, why, "set " .. setting)
  elseif not answer then
    return fail(what, tostring(why), "is it reachable from here? DNS, firewall, status page")
  elseif answer.status == 401 or answer.status == 403 then
    return fail(what, ("refuses our key (%d)"):format(answer.status), "make a new one and set " .. setting)
  elseif answer.status >= 300 then
    return warn(what, ("answers %d"):format(answer.status), "look at its status page")
  end
  return ok(what, "takes our key")
end

-- A key may be for sessions alone, or for everything but them: only a session tells. It is opened and closed.
local function openai(p)
  local listed = key("openai", "openai.key", true, accounts.openai)
  local model_name = p.standing.openai_model
  if listed.text == "no key is set" then
    return listed
  end
  local greeted, why, code = host.openai_session(model_name)
  if greeted and listed.verdict == "ok" then
    return ok("openai", ("takes our key, and opened a session of %s"):format(model_name))
  elseif greeted then
    return ok("openai", ("opened a session of %s (models cannot be listed: %s)"):format(model_name, listed.text))
  elseif listed.verdict == "fail" and code == "lost" then
    return listed
  elseif code == "401" or code == "403" or code == "invalid_api_key" then
    return fail("openai", "refuses a session: " .. tostring(why), "give the key the right to use the Realtime API, or "
      .. "make a new one and set openai.key")
  elseif code == "429" or code == "insufficient_quota" then
    return fail("openai", "refuses a session: " .. tostring(why), "add credit or raise the limit at "
      .. "platform.openai.com under Billing")
  elseif code == "404" or code == "model_not_found" then
    return fail("openai", ("has no %s for us: %s"):format(model_name, tostring(why)), "set openai.model to another")
  end
  return fail("openai", ("no session of %s: %s"):format(model_name, tostring(why)), "openai.url, firewall for "
    .. "WebSockets, ca_file, OpenAI's status page")
end

local function mail(p)
  if not p.set.smtp then
    return nil
  end
  local greeted, why = host.mail_hello()
  if not greeted then
    return fail("mail", tostring(why), "smtp.url: host, port, user and password; smtp.ca for an authority of your own")
  end
  local findings = { ok("mail", "the server let us in") }
  if p.send then
    for _, channel in ipairs((require("ringdown.alerts.channels").list())) do
      if channel.kind == "mail" then
        local sent, problem = host.mail { to = channel.to, subject = "Ringdown: a mail from the doctor",
          text = "Nothing is wrong. Somebody tried whether alerts reach you here: ringdown doctor --send.\n" }
        findings[#findings + 1] = sent and ok("mail", "sent one to " .. table.concat(channel.to, ", "))
          or fail("mail", ("channel %s: %s"):format(channel.name, tostring(problem)), "are smtp.from and the addresses "
            .. "of the channel right?")
      end
    end
  end
  return table.unpack(findings)
end

-- A call was made before we began (runtime/cli/ringer.c); what it came to.
local function call(p)
  if not p.call then
    return nil
  end
  local synthetic = require "ringdown.synthetic"
  local verdict = synthetic.judged(p.call, p.standing)
  if not verdict.good then
    return fail("call", ("failed at the step %s: %s%s"):format(verdict.step, verdict.why, p.call.call
      and ("; ringdown why %s"):format(p.call.call) or ""), synthetic.remedies[verdict.step])
  end
  local good = ok("call", ("%s got through: the agent was heard after %d ms%s"):format(p.call.call,
    p.call.first_audio_ms, p.call.answer_ms >= 0 and (", and answered after %d ms"):format(p.call.answer_ms) or ""))
  if p.call.spoke == "hum" then
    return good, warn("call", "the caller could only hum, so that nobody knows whether the agent answers",
      "install espeak-ng")
  end
  return good
end

local function rings_itself(p)
  local to = p.standing.synthetic_to
  if (to or "") == "" then
    return nil
  end
  local number, why = require("ringdown.synthetic").whom(to)
  return number and ok("synthetic call", ("rings %s each %d s"):format(number, p.standing.synthetic_every_s))
    or fail("synthetic call", "synthetic.to: " .. why, "name an agent that loads and has a number, or one of its "
      .. "numbers")
end

local function twilio(p)
  local answer
  local finding = key("twilio", "twilio.sid and twilio.tokens", true, function()
    local why
    answer, why = accounts.twilio()
    return answer, why
  end)
  if not answer or not answer.amount then
    return finding
  end
  local severity, text = judge.balance(answer.amount, answer.currency, p.standing.twilio_balance)
  return finding, judged("twilio balance", severity, text, "add funds under Billing",
    ("%.2f %s"):format(answer.amount, answer.currency))
end

-- The numbers that agents name: does Twilio send their calls here?
local function numbers()
  if not host.twilio_ready() then
    return nil
  end
  local listed, why = require("ringdown.twilio.numbers").list()
  if not listed then
    return warn("numbers", tostring(why), "look again; ringdown numbers drift tells more")
  end
  local url, by_number, findings, good = host.ours().public_url, {}, {}, 0
  for _, one in ipairs(listed) do
    by_number[one.phone_number] = one
  end
  for _, agent in ipairs((host.agents())) do
    for _, number in ipairs(agent.numbers) do
      local one = by_number[number]
      if not one then
        findings[#findings + 1] = warn("numbers", ("%s of agent %s is not in the account"):format(number, agent.name),
          "buy it, or take it out of the agent's file")
      elseif (one.voice_url or ""):sub(1, #url) ~= url then
        findings[#findings + 1] = warn("numbers", ("calls to %s go elsewhere"):format(number),
          "ringdown numbers switch " .. number .. ", when they should come here")
      else
        good = good + 1
      end
    end
  end
  return or_ok(findings, "numbers", ("%d lead here"):format(good))
end

local OFFLINE = { settings, data, disk, descriptors, certificate, model, transcription, agents, alerts, watchers,
  rings_itself, supervisor }
local ONLINE = { database, nodes, outside, openai, twilio,
  function() return key("vapi", "vapi.key", false, accounts.vapi) end,
  numbers, mail, call }

local function line_of(finding)
  local remedy = finding.remedy and ("\n        → " .. finding.remedy) or ""
  return ("%-4s  %s: %s%s"):format(finding.verdict, finding.what, finding.text, remedy)
end

---@param payload table
---@param tell fun(value: table)
function M.run(payload, tell)
  local result = { findings = json.array {}, ok = 0, warn = 0, fail = 0 }
  local function add(...)
    for _, finding in ipairs { ... } do
      result.findings[#result.findings + 1] = finding
      result[finding.verdict] = result[finding.verdict] + 1
      tell { text = line_of(finding) }
    end
  end
  local function look(list)
    for _, one in ipairs(list) do
      if host.stopping() then
        return
      end
      add(select(2, xpcall(one, function(why)
        return fail("doctor", tostring(why), "report it, with this line")
      end, payload)))
    end
  end
  look(OFFLINE)
  if not payload.offline then
    look(ONLINE)
  end
  result.failed = result.fail > 0
  tell { text = ("%d ok, %d to look at, %d failing"):format(result.ok, result.warn, result.fail) }
  return result
end

return M
