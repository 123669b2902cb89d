-- SPDX-License-Identifier: Apache-2.0
-- What happens to the next call of a number, in words.
local fake = require "ringdown.fake.host"
local json = require "ringdown.json"
local why = require "ringdown.operations.why"

local NUMBER, CALLER = "+13125550100", "+14155550100"

describe("why NUMBER", function()
  local answer, assigned, plan, force, seen

  local function sales(more)
    local shown = { name = "sales", openai = true, vapi = { assistant = "a-1", route = "redirect" } }
    for key, value in pairs(more or {}) do
      shown[key] = value
    end
    return { name = "sales", numbers = { NUMBER }, has_vapi = true, shown = json.encode(shown) }
  end

  before_each(function()
    fake.reset()
    fake.known_agents = { sales(), { name = "support", numbers = {}, shown = '{"openai":true}' } }
    assigned, plan, force, seen = false, nil, nil, nil
    fake.query_handlers = {
      { part = "why_number", answer = function()
        return { { json.encode { found = assigned ~= false, assignment = assigned or nil, calls = json.array {} } } }
      end },
      { part = "rollout_now", answer = function()
        return plan and { { json.encode(plan) } } or {}
      end },
      { part = "force_now", answer = function()
        return force and { { json.encode(force) } } or {}
      end },
      { part = "numbers_shown", answer = function()
        return seen and { { json.encode(seen) } } or {}
      end },
    }
  end)

  local function ask(payload)
    payload = payload or {}
    payload.number = payload.number or NUMBER
    local lines = {}
    answer = why.run(payload, function(line)
      lines[#lines + 1] = line.text or "note: " .. line.note
    end)
    return table.concat(lines, "\n")
  end

  local function rollout(more)
    plan = { version = 17, mode = "split", percent_bp = 2500, salt = "v1", unit = "caller", state = "running",
      stage = "25", kill = false, updated_by = "ann" }
    for key, value in pairs(more or {}) do
      plan[key] = value
    end
  end

  describe("says who answers", function()
    it("because the operator assigned it", function()
      assigned = { agent = "support", site = "loop", updated_by = "ann", updated_at = "2026-11-27T10:02:11+00:00" }
      assert.matches("answered by support, site loop: assigned by ann, 2026%-11%-27 10:02", ask())
    end)

    it("because its file has the number", function()
      assert.matches("answered by sales, site default: its file has the number", ask())
      assert.equal("sales", answer.agent)
    end)

    it("because it is the only agent", function()
      fake.known_agents = { fake.known_agents[2] }
      assert.matches("answered by support, site default: nobody is assigned, and it is the only agent", ask())
      assert.is_true(answer.failed)
    end)

    it("and that nobody does, when the assigned one is not here", function()
      assigned = { agent = "gone", site = "default" }
      assert.matches("answered by nobody: it is assigned to gone, and no such agent loads here", ask())
    end)

    it("and that Vapi gets what it has imported and nobody assigned", function()
      seen = { goes_to = "ringdown", texts_to = "vapi", age_s = 5, vapi_id = "v-1", vapi_assistant = "a-9" }
      assert.matches("imported at Vapi, which gets it", ask { number = "+13125550199" })
      assert.is_nil(answer.next)
    end)
  end)

  describe("says on which system, and why", function()
    it("by the agent itself, without a rollout", function()
      assert.matches("system      OpenAI: how the agent runs; there is no rollout", ask())
      assert.same("default", answer.next.reason)
    end)

    it("by a share, for nobody in particular", function()
      rollout()
      local said = ask()
      assert.matches("OpenAI or Vapi: 25 %% of callers go to OpenAI, the others to Vapi; %-%-from", said)
      assert.matches("rollout     version 17, running, stage 25, by ann", said)
      assert.is_nil(answer.next.system)
    end)

    it("by the bucket of one caller", function()
      rollout()
      assert.matches("Vapi: 25 %% of callers go to OpenAI, bucket below 2500; %+14155550100 has bucket 9671",
        ask { from = CALLER })
      assert.equal("vapi", answer.next.system)
      rollout { percent_bp = 9700 }
      assert.matches("OpenAI: 97 %% of callers", ask { from = CALLER })
      rollout { percent_bp = 10000 }
      assert.matches("OpenAI: the rollout's share is 100 %%: every caller", ask())
    end)

    it("by each call, where the plan says so", function()
      rollout { unit = "call" }
      assert.matches("OpenAI or Vapi: 25 %% of calls go to OpenAI, each by itself", ask { from = CALLER })
    end)

    it("by the force switch, whoever threw it", function()
      rollout()
      force = { system = "vapi", who = "ann", version = 3 }
      assert.matches("system      Vapi: forced by ann", ask { force = "" }) -- a configuration without the switch
      force = { system = "off", who = "ann", version = 4 }
      assert.matches("OpenAI or Vapi", ask())
      assert.matches("Vapi: forced by this machine's configuration", ask { force = "vapi" })
    end)

    it("by what was ordered here while the database was away", function()
      rollout()
      fake.files["override.json"] =
        '{"at":"2026-11-27T10:02:11Z","who":"bob","agents":{"sales":{"rollback":0}}}'
      local said = ask { from = CALLER }
      assert.matches("Vapi: the rollout was taken back to 0 %%: nobody goes to OpenAI", said)
      assert.matches("override    ordered here by bob", said)
    end)

    it("by the lists and the brake of the rollout", function()
      rollout { listed = "allow" }
      assert.matches("OpenAI: the caller is on the rollout's list of those who meet OpenAI", ask { from = CALLER })
      rollout { listed = "deny" }
      assert.matches("Vapi: the caller is on the rollout's list of those who stay", ask { from = CALLER })
      rollout { kill = true }
      assert.matches("Vapi: this agent's rollout is killed", ask { from = CALLER })
    end)

    it("by the agent's own function, before the share", function()
      fake.known_agents[1] = sales { routing = "function" }
      rollout()
      assert.matches("the agent's file decides itself %(routing%); where it says nothing:\n"
        .. "  system      OpenAI or Vapi", ask())
      assert.is_true(answer.next.asks_agent)
      force = { system = "vapi", who = "ann" }
      assert.not_matches("decides itself", ask())
    end)
  end)

  describe("says where the carrier sends it", function()
    it("with its age and the safety net", function()
      seen = { goes_to = "ringdown", texts_to = "vapi", age_s = 190,
        fallback = "https://api.vapi.ai/twilio/inbound_call" }
      local said = ask()
      assert.matches("at Twilio   calls go to us, texts to Vapi %(seen 3 minutes ago%)", said)
      assert.matches("safety net  when we do not answer, Twilio sends calls to Vapi", said)
    end)

    it("with what somebody else has changed", function()
      seen = { goes_to = "elsewhere", texts_to = "nobody", age_s = 7200,
        drift = { { name = "voice_url", wanted = "https://a/", found = "https://b/" } } }
      local said = ask()
      assert.matches("calls go elsewhere, texts nowhere %(seen 2 hours ago%)", said)
      assert.matches("drift       voice_url is 'https://b/', and should be 'https://a/'", said)
    end)

    it("first of all when it does not come here", function()
      seen = { goes_to = "vapi", texts_to = "vapi", age_s = 1 }
      assert.matches("^%+13125550100\n  next call   goes to Vapi and not to us %(seen 1 s ago%); what follows holds",
        ask())
      assert.is_false(answer.comes_here)
      seen.goes_to = "ringdown"
      assert.not_matches("next call", ask())
      assert.is_true(answer.comes_here)
    end)

    it("or that nobody has looked", function()
      assert.matches("at Twilio   never looked at; ringdown numbers sync does", ask())
    end)
  end)

  it("says what files say, and that more is not known, without a database", function()
    fake.database_down = "connection refused"
    local said = ask()
    assert.matches("note: .* are not known, because the database cannot be asked: connection refused", said)
    assert.matches("answered by sales", said)
    assert.not_matches("\n  at Twilio", said)
    assert.is_nil(answer.failed)
  end)

  it("fails for a number that nobody knows", function()
    ask { number = "+13125550199" }
    assert.is_true(answer.failed)
  end)
end)
