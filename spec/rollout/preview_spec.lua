-- SPDX-License-Identifier: Apache-2.0
local preview = require "ringdown.rollout.preview"

local BOTH = { name = "sales", loads = true, openai = true, vapi = true, life = {} }

describe("who would change sides", function()
  local callers = {}
  for i = 1, 40 do
    callers[i] = ("+1415555%04d"):format(i)
  end

  local function moves(record, to, o)
    record.agent, record.mode = "sales", record.mode or "split"
    local m, why = preview.moves(record, callers, to, nil, o or { agent = BOTH })
    return m and { m.from_bp, m.to_bp, #m.to_openai, #m.to_vapi } or why
  end

  it("is said from where callers go without a plan, to OpenAI unless the agent's file says otherwise", function()
    local draft = { state = "draft", percent_bp = 0 }
    assert.same({ 10000, 0, 0, 40 }, moves(draft, "0"))
    assert.same({ 10000, 10000, 0, 0 }, moves(draft, ""))
    assert.same({ 0, 10000, 40, 0 }, moves(draft, "100", { agent = { loads = true, vapi = true } }))
    assert.matches("cannot be said", moves(draft, "100", { agent = { loads = true, own = true } }))
  end)

  it("is said from where they are forced to", function()
    local running = { state = "running", percent_bp = 10000 }
    assert.same({ 10000, 10000, 0, 0 }, moves(running, "100"))
    assert.same({ 0, 10000, 40, 0 }, moves(running, "100", { agent = BOTH, force = { system = "vapi" } }))
    assert.same({ 10000, 0, 0, 40 }, moves(running, "0", { agent = BOTH, force = { system = "openai" } }))
    assert.same({ 0, 10000, 40, 0 }, moves({ state = "running", percent_bp = 10000, mode = "vapi" }, "100"))
    assert.same({ 10000, 0, 0, 40 }, moves({ state = "running", percent_bp = 0, mode = "openai" }, "0"))
    assert.same({ 0, 10000, 40, 0 }, moves({ state = "killed", kill = true, percent_bp = 10000 }, "100"))
    assert.same({ 0, 0, 0, 0 }, moves({ state = "killed", kill = true, percent_bp = 10000 }, ""))
  end)

  it("has named numbers where their list has them, once nothing is forced", function()
    local lists = { state = "running", percent_bp = 10000, allow = { callers[1] }, deny = { callers[2] } }
    assert.same({ 10000, 0, 0, 38 }, moves(lists, "0"))
    lists.kill = true
    assert.same({ 0, 0, 1, 0 }, moves(lists, "0"))
    lists.kill, lists.mode = nil, "openai"
    assert.same({ 10000, 10000, 0, 1 }, moves(lists, "100"))
  end)
end)
