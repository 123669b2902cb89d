-- SPDX-License-Identifier: Apache-2.0
-- fake.node: host.node for specs: a node that says what it is told to say, and writes down what was asked of it.
--
--   host.node = fake_node.new { calls = { { call = "CA1", agent = "dentist" } }, agents = { … } }
--   host.node.asked            -- { "hang_up CA1 ann", … }, newest last
--   host.node.refusals.CA2 = "gone" | "away" | "failed"      of what is asked of that call
--   host.node.code = "starting"                              nothing works
local json = require "ringdown.json"

local M = {}

---@class ringdown.fake.node
---@field asked string[]
---@field refusals table<string, string>
---@field code string?
---@field is_draining boolean

---@param facts { status: table?, calls: table[]?, agents: table?, by_name: table<string, table>? }?
---@return ringdown.fake.node
function M.new(facts)
  facts = facts or {}
  local node = { asked = {}, refusals = {}, is_draining = false, reloads = 0 }

  local function text_of(value)
    if node.code then return nil, "no node is attached", node.code end
    return json.encode(value)
  end

  local function ask(what, subject)
    if node.code then return nil, "no node is attached", node.code end
    table.insert(node.asked, what)
    local code = subject and node.refusals[subject]
    if code then return nil, "it is " .. code, code end
    return true
  end

  function node.status() return text_of(facts.status or { calls = facts.calls and #facts.calls or 0 }) end
  function node.calls()
    return text_of(json.array(facts.calls or {}))
  end
  function node.agents() return text_of(facts.agents or { agents = json.array {} }) end
  function node.agent(name)
    local found = facts.by_name and facts.by_name[name]
    if not found and not node.code then return nil, "it is gone", "gone" end
    return text_of(found)
  end
  function node.hang_up(sid, who) return ask(("hang_up %s %s"):format(sid, who), sid) end
  function node.whisper(sid, text, now, who)
    return ask(("whisper %s %s%s %s"):format(sid, text, now and " now" or "", who), sid)
  end
  function node.transfer(sid, to, who) return ask(("transfer %s %s %s"):format(sid, to, who), sid) end
  -- Synthetic calls: what the telephone says of each, in turn; a text is why it does not even ring.
  node.rings, node.judged = {}, {}
  function node.ring(text)
    node.rang = text
    local next_one = table.remove(node.rings, 1) or "there is no telephone here"
    if type(next_one) == "string" then
      return nil, next_one, "failed"
    end
    node.report = next_one
    return true
  end
  function node.rung()
    return json.encode(node.report)
  end
  function node.ring_judged(good, text)
    node.judged[#node.judged + 1] = { good, json.decode(text) }
  end

  function node.drill(agent, rule, who)
    local done, why, code = ask(("drill %s %s %s"):format(agent, rule, who), agent)
    if not done then return nil, why, code end
    return "d" .. #node.asked
  end
  function node.reload()
    if node.code then return nil, "no node is attached", node.code end
    node.reloads = node.reloads + 1
    return node.reloads
  end
  function node.reloaded(number)
    if number > node.reloads then return nil, "not yet", "failed" end
    return text_of { taken = true }
  end
  function node.refresh_numbers()
    if node.code then return nil, "no node is attached", node.code end
    return 7
  end
  function node.drain()
    node.is_draining = not node.code
    return ask "drain"
  end
  function node.undrain()
    local done, why, code = ask("undrain", "undrain")
    node.is_draining = node.is_draining and not done
    return done, why, code
  end
  function node.operate(kind, payload) return ask(("operate %s %s"):format(kind, payload)) end
  return node
end

return M
