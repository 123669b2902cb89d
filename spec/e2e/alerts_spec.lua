-- SPDX-License-Identifier: Apache-2.0
-- takes: 20 s
-- Who hears that the database is away, when only the database knows whom to tell: the node tells it itself, by a real
-- mail server and a webhook. What emergencies do is in emergency_spec.
local json = require "cjson"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local receiver = require "spec.support.receiver"

local agent = [[
local agent = require "ringdown.agent"
return agent { name = "front-desk", numbers = { "+13125550100" }, greeting = "Hello.", prompt = "You are friendly." }
]]

describe("a database that is away", function()
  local n, mails, hooks

  setup(function()
    mails, hooks = receiver.mail {}, receiver.hook {}
    n = node.start { sim = false, agents = { ["front-desk.lua"] = agent }, env = {
      SMTP_URL = "smtp://127.0.0.1:" .. mails.port, SMTP_FROM = "alerts@example.com",
      RINGDOWN_ALERT_CHANNELS = json.encode { { name = "ops", kind = "mail", to = { "ops@example.com" } },
        { name = "desk", kind = "webhook", url = ("http://127.0.0.1:%d/alerts"):format(hooks.port),
          secret = "sixteen letters and more" } } } }
    n:wait_shipped()
  end)

  teardown(function()
    if n then
      n:stop()
    end
    mails:stop()
    hooks:stop()
  end)

  local function telling(r, words)
    return proc.wait_for(function()
      for _, one in ipairs(r:got()) do
        if (one.subject or one.body):find(words, 1, true) then
          return one
        end
      end
    end, 40)
  end

  it("is told by the node that sees it, and that it is back, and nothing that follows from it", function()
    local text, code = n:ringdown("alerts", "test", "desk")
    assert.equal(0, code, text)
    assert.is_table(telling(hooks, '"status":"test"'))
    pg.crash()
    assert.is_table(telling(mails, "[FIRING page] PostgreSQL cannot be reached"))
    assert.is_table(telling(hooks, '"rule":"database_down"'))
    pg.start()
    assert.is_table(telling(mails, "[over page] PostgreSQL"))
    n:wait_shipped()
    proc.sleep(5) -- a look and more: who told it already does not tell it again
    local subjects = {}
    for i, one in ipairs(mails:got()) do
      subjects[i] = one.subject
    end
    assert.equal(2, #subjects, table.concat(subjects, "\n"))
  end)
end)
