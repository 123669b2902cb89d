-- SPDX-License-Identifier: Apache-2.0
-- What people hear of what rules see, in virtual time: no database, no channel.
local engine = require "ringdown.alerts.engine"

local S, M, H = 1000, 60000, 3600000

-- A world with these rules: w:look(seconds later, { rule = rows }) -> notices.
local function world(rules)
  local w = { now_ms = 1000000000, states = {}, silences = {}, told = {}, n = 0 }
  for _, rule in ipairs(rules) do
    for key, value in pairs { severity = "ticket", for_ms = 0, keep_ms = 0, repeat_ms = 4 * H } do
      rule[key] = rule[key] == nil and value or rule[key]
    end
    if not rule.alarms and not rule.below then
      rule.above = rule.above or 0
    end
  end
  function w.look(_, later_ms, seen)
    w.now_ms = w.now_ms + later_ms
    local recent, pages = 0, 0
    for _, one in ipairs(w.told) do
      local n = w.now_ms - one.at_ms < engine.CAP_MS and 1 or 0
      recent, pages = recent + n, pages + (one.severity == "page" and n or 0)
    end
    local result = engine.step { rules = rules, states = w.states, seen = seen, silences = w.silences,
      n_notices = recent, n_pages = pages, gone = w.gone, suppressed_severity = w.suppressed_severity,
      suppressed_ms = w.suppressed_ms, now_ms = w.now_ms, fingerprint = function(identity)
        return identity
      end }
    w.suppressed_ms = result.suppressed_ms or w.suppressed_ms
    for _, s in ipairs(result.states) do -- as the database keeps them
      if not s.id then
        w.n = w.n + 1
        s.id = w.n
        table.insert(w.states, s)
      end
      s.changed, s.is_new = nil, nil
    end
    for _, id in ipairs(result.gone) do
      for i, s in ipairs(w.states) do
        if s.id == id then
          table.remove(w.states, i)
          break
        end
      end
    end
    for _, n in ipairs(result.notices) do
      if n.counts then
        table.insert(w.told, n)
      elseif n.status == "suppressed" then
        w.suppressed_severity = n.severity
      end
    end
    return result.notices, result
  end
  return w
end

local function row(value, labels, n)
  return { value = value, labels = labels or {}, n = n, text = "it is " .. tostring(value) }
end

local function says(notices)
  local out = {}
  for i, n in ipairs(notices) do
    out[i] = ("%s %s %d"):format(n.status, n.rule, n.n_alerts)
  end
  return table.concat(out, ", ")
end

describe("an alert", function()
  it("waits until it was true for long enough, and forgets what was not", function()
    local w = world { { name = "slow", for_ms = M } }
    assert.equal("", says(w:look(0, { slow = { row(1) } })))
    assert.equal("pending", w.states[1].state)
    assert.equal("", says(w:look(30 * S, { slow = {} })))
    assert.same({}, w.states)
    w:look(10 * S, { slow = { row(1) } })
    assert.equal("", says(w:look(59 * S, { slow = { row(1) } })))
    assert.equal("firing slow 1", says(w:look(S, { slow = { row(2) } })))
    assert.equal("firing", w.states[1].state)
  end)

  it("is told once, again after a while, and once that it is over", function()
    local w = world { { name = "slow" } }
    assert.equal("firing slow 1", says(w:look(0, { slow = { row(1) } })))
    for _ = 1, 10 do
      assert.equal("", says(w:look(4 * S, { slow = { row(1) } })))
    end
    assert.equal("firing slow 1", says(w:look(4 * H, { slow = { row(1) } })))
    assert.equal("resolved slow 1", says(w:look(4 * S, { slow = {} })))
    assert.equal("", says(w:look(4 * S, { slow = {} })))
    assert.equal("firing slow 1", says(w:look(M, { slow = { row(1) } })))
    assert.equal(2, #w.states)
  end)

  it("does not fire at what is hardly anything, and is over only on the quiet side", function()
    local w = world { { name = "failed", above = .05, back_at = .03, min_sample = 20 } }
    assert.equal("", says(w:look(0, { failed = { row(.5, {}, 19) } })))
    assert.equal("", says(w:look(4 * S, { failed = { row(.05, {}, 20) } })))
    assert.equal("firing failed 1", says(w:look(4 * S, { failed = { row(.06, {}, 20) } })))
    assert.equal("", says(w:look(4 * S, { failed = { row(.04, {}, 20) } })))
    assert.equal("resolved failed 1", says(w:look(4 * S, { failed = { row(.03, {}, 20) } })))
    assert.equal("", says(w:look(4 * S, { failed = { row(.04, {}, 20) } })))
  end)

  it("can be about too little", function()
    local w = world { { name = "calls", below = 1, min_sample = 4 } }
    assert.equal("", says(w:look(0, { calls = { row(0, {}, 3) } })))
    assert.equal("firing calls 1", says(w:look(S, { calls = { row(0, {}, 4) } })))
    assert.equal("resolved calls 1", says(w:look(S, { calls = { row(1, {}, 4) } })))
  end)

  it("goes on through gaps that are shorter than keep_firing_for", function()
    local w = world { { name = "slow", keep_ms = M } }
    w:look(0, { slow = { row(1) } })
    assert.equal("", says(w:look(4 * S, { slow = {} })))
    assert.equal("", says(w:look(50 * S, { slow = { row(1) } })))
    assert.equal("", says(w:look(4 * S, { slow = {} })))
    assert.equal("", says(w:look(59 * S, { slow = {} })))
    assert.equal("resolved slow 1", says(w:look(S, { slow = {} })))
    assert.equal(1, #w.states)
  end)

  it("stays as it is while its rule cannot be asked", function()
    local w = world { { name = "slow" } }
    w:look(0, { slow = { row(1) } })
    assert.equal("", says(w:look(H, {})))
    assert.equal("firing", w.states[1].state)
    assert.is_nil(w.states[1].clear_ms)
  end)

  it("is over when its rule is gone", function()
    local w = world { { name = "slow" } }
    w:look(0, { slow = { row(1) } })
    w.states[1].rule = "of yesterday"
    assert.equal("resolved of yesterday 1", says(w:look(S, {})))
  end)

  it("is nobody's whom the rule does not mean", function()
    local w = world { { name = "slow", agents = { "north" } } }
    assert.equal("firing slow 1", says(w:look(0, { slow = { row(1, { agent = "north" }), row(1,
      { agent = "south" }) } })))
  end)

  it("is the same whatever order its labels came in, and another with other labels", function()
    local r, alarms = { name = "r" }, { name = "r", alarms = { "x" } }
    assert.equal(engine.identity(r, { a = "1", b = "2" }), engine.identity(r, { b = "2", a = "1" }))
    assert.are_not.equal(engine.identity(r, { a = "1\nb=2" }), engine.identity(r, { a = "1", b = "2" }))
    assert.are_not.equal(engine.identity(r, { agent = "north" }), engine.identity(r, {}))
    assert.equal(engine.identity(alarms, { agent = "north" }), engine.identity(alarms, {}))
  end)

  it("that somebody looks after is not told again, but that it is over", function()
    local w = world { { name = "slow" } }
    w:look(0, { slow = { row(1) } })
    w.states[1].acked_ms, w.states[1].acked_by = w.now_ms, "ann"
    assert.equal("", says(w:look(24 * H, { slow = { row(1) } })))
    assert.equal("resolved slow 1", says(w:look(S, { slow = {} })))
  end)

  it("survives a restart: what comes back from the database is neither told again nor forgotten", function()
    local w = world { { name = "slow" } }
    w:look(0, { slow = { row(1) } })
    local copy = require("ringdown.json").copy(w.states)
    w.states = copy
    assert.equal("", says(w:look(4 * S, { slow = { row(1) } })))
    w.states = require("ringdown.json").copy(w.states)
    assert.equal("resolved slow 1", says(w:look(4 * S, { slow = {} })))
  end)
end)

describe("alerts together", function()
  it("of one rule and agent are one notice, with all of them", function()
    local w = world { { name = "target", alarms = { "x" } } }
    local function of(agent, at)
      return row(1, { node = at, agent = agent })
    end
    local notices = w:look(0, { target = { of("north", "a"), of("north", "b"), of("south", "c") } })
    assert.equal("firing target 2, firing target 1", says(notices))
  end)

  it("do not drip: what joins within a minute waits for it", function()
    local w = world { { name = "target", alarms = { "x" } } }
    local a, b, c = row(1, { node = "a" }), row(1, { node = "b" }), row(1, { node = "c" })
    assert.equal("firing target 1", says(w:look(0, { target = { a } })))
    assert.equal("", says(w:look(10 * S, { target = { a, b } })))
    assert.equal("", says(w:look(10 * S, { target = { a, b, c } })))
    assert.equal("firing target 2", says(w:look(40 * S, { target = { a, b, c } })))
  end)

  it("are not told while another explains them, and are afterwards", function()
    local w = world { { name = "down", alarms = { "d" } }, { name = "journal", alarms = { "j" },
      muted_by = { "down" } } }
    assert.equal("firing down 1",
      says(w:look(0, { down = { row(1, { node = "a" }) }, journal = { row(1, { node = "a" }) } })))
    assert.equal("down", w.states[2].muted_by)
    assert.equal("resolved down 1, firing journal 1", says(w:look(M, { down = {}, journal = { row(1,
      { node = "a" }) } })))
    assert.is_nil(w.states[2].muted_by)
  end)

  it("of another node are explained by nothing here", function()
    local w = world { { name = "down", alarms = { "d" } }, { name = "journal", alarms = { "j" },
      muted_by = { "down" } } }
    assert.equal("firing down 1, firing journal 1",
      says(w:look(0, { down = { row(1, { node = "a" }) }, journal = { row(1, { node = "b" }) } })))
  end)

  it("that nobody wants to hear of are watched in silence", function()
    local w = world { { name = "slow" } }
    w.silences = { { id = 7, labels = { rule = "sl*", agent = "north" } } }
    assert.equal("firing slow 1", says(w:look(0, { slow = { row(1, { agent = "north" }), row(1,
      { agent = "south" }) } })))
    assert.equal("silence 7", w.states[1].muted_by)
    w.silences = {}
    assert.equal("firing slow 1", says(w:look(2 * M, { slow = { row(1, { agent = "north" }), row(1,
      { agent = "south" }) } })))
  end)

  it("that were told are told to be over, though they are silenced or muted by then", function()
    local w = world { { name = "down", alarms = { "d" } }, { name = "slow", muted_by = { "down" } },
      { name = "late" } }
    w:look(0, { down = {}, slow = { row(1) }, late = { row(1) } })
    w.silences = { { id = 7, labels = { rule = "late" } } }
    assert.equal("resolved slow 1, resolved late 1, firing down 1", says(w:look(2 * M, { down = { row(1) }, slow = {},
      late = {} })))
    w:look(2 * M, { down = { row(1) }, slow = {}, late = { row(1) } })
    assert.equal("", says(w:look(2 * M, { down = { row(1) }, slow = {}, late = {} }))) -- nobody had heard of that
  end)

  it("are silenced by what is said, and by nothing else", function()
    local s = { rule = "slow.x", severity = "page", labels = { agent = "north" } }
    assert.is_true(engine.is_meant({ labels = { rule = "slow.x" } }, s))
    assert.is_true(engine.is_meant({ labels = { rule = "*", severity = "page" } }, s))
    assert.is_false(engine.is_meant({ labels = { rule = "slow?x" } }, s))
    assert.is_false(engine.is_meant({ labels = { rule = "slowxx" } }, s))
    assert.is_false(engine.is_meant({ labels = { node = "*" } }, s)) -- it has none
    assert.is_false(engine.is_meant({ labels = {} }, s))
  end)

  it("are ten in ten minutes, and one word about the rest, which is told later", function()
    local rules, seen = {}, {}
    for i = 1, 14 do
      rules[i] = { name = ("r%02d"):format(i), severity = i == 14 and "page" or "ticket" }
      seen[rules[i].name] = { row(1) }
    end
    local w = world(rules)
    local notices = w:look(0, seen)
    assert.equal(12, #notices)
    assert.equal("r14", notices[1].rule) -- the page first
    assert.equal("suppressed limit 3", says { notices[12] })
    assert.equal("ticket", notices[12].severity)
    assert.equal("", says(w:look(4 * S, seen)))
    assert.equal(3, #w:look(10 * M, seen))
  end)

  it("that are pages have room of their own, and what waits is told as loudly as the worst of it", function()
    local rules, seen = {}, {}
    for i = 1, 11 do
      rules[i] = { name = ("t%02d"):format(i) }
      seen[rules[i].name] = { row(1) }
    end
    for i = 1, 11 do
      rules[11 + i] = { name = ("p%02d"):format(i), severity = "page" }
      seen[rules[11 + i].name] = {}
    end
    local w = world(rules)
    local notices = w:look(0, seen)
    assert.equal("suppressed limit 1", says { notices[11] })
    for i = 1, 10 do
      seen[("p%02d"):format(i)] = { row(1) }
    end
    notices = w:look(S, seen)
    assert.equal(10, #notices) -- though tickets used up theirs
    assert.equal("page", notices[10].severity)
    seen.p11 = { row(1) }
    notices = w:look(S, seen)
    assert.equal("suppressed limit 2", says(notices)) -- anew, for it is worse than what was told
    assert.equal("page", notices[1].severity)
    assert.equal("", says(w:look(S, seen)))
  end)

  it("of a node that left are over, and it is told why; what it muted is told", function()
    local w = world { { name = "down", alarms = { "d" } }, { name = "journal", alarms = { "j" },
      muted_by = { "down" } } }
    local seen = { down = { row(1, { node = "a" }) }, journal = { row(1) } }
    assert.equal("firing down 1", says(w:look(0, seen)))
    w.gone = { a = "stopped at 2026-11-22T06:40:00Z" }
    seen.down = {}
    local notices = w:look(S, seen)
    assert.equal("resolved down 1, firing journal 1", says(notices))
    assert.equal("it is 1; it is over because node a stopped at 2026-11-22T06:40:00Z", notices[1].alerts[1].text)
  end)

  it("are never more than can be kept, and pages find a place longest", function()
    local rows = {}
    for i = 1, engine.OPEN_MAX + 5 do
      rows[i] = row(1, { subject = tostring(i) })
    end
    local w = world { { name = "many", alarms = { "m" } }, { name = "page", alarms = { "p" }, severity = "page" },
      { name = "life", alarms = { "l" }, severity = "page", at_once = true } }
    local _, result = w:look(0, { many = rows, page = { row(1) }, life = {} })
    assert.equal(5, result.left_out)
    assert.equal(engine.OPEN_MAX + 1, #w.states)
    _, result = w:look(M, { many = { rows[1] }, page = { row(1) }, life = {} })
    assert.equal(0, result.left_out)
    local notices
    notices, result = w:look(M, { many = rows, page = { row(1) }, life = { row(1) } })
    assert.equal(6, result.left_out) -- the page keeps its place
    assert.equal("firing life 1, firing many 998", says(notices))
  end)

  it("about life are told whatever was told before", function()
    local rules, seen = {}, {}
    for i = 1, 12 do
      rules[i] = { name = ("r%02d"):format(i) }
      seen[rules[i].name] = { row(1) }
    end
    rules[13] = { name = "life", alarms = { "x" }, at_once = true, severity = "page" }
    local w = world(rules)
    seen.life = {}
    w:look(0, seen)
    seen.life = { row(1, { call = "CA1" }) }
    assert.equal("firing life 1", says(w:look(S, seen)))
    table.insert(seen.life, row(1, { call = "CA2" }))
    assert.equal("firing life 1", says(w:look(S, seen))) -- the next one does not wait for the minute
  end)
end)

describe("what comes and goes", function()
  it("is told as that once, and that it is over when it has been steady", function()
    local w = world { { name = "slow" } }
    local heard = {}
    local function cycle()
      heard[#heard + 1] = says(w:look(M + S, { slow = { row(1) } }))
      heard[#heard + 1] = says(w:look(M + S, { slow = {} }))
    end
    for _ = 1, 6 do
      cycle()
    end
    assert.same({ "firing slow 1", "resolved slow 1", "firing slow 1", "resolved slow 1", "firing slow 1",
      "resolved slow 1", "firing slow 1", "", "", "", "", "" }, heard)
    assert.equal("flapping", w.states[4].told)
    assert.equal("held", w.states[5].told)
    assert.equal("", says(w:look(20 * M, { slow = {} })))
    assert.equal("resolved slow 1", says(w:look(11 * M, { slow = {} })))
    assert.equal("", says(w:look(11 * M, { slow = {} })))
    assert.equal("firing slow 1", says(w:look(11 * M, { slow = { row(1) } })))
  end)
end)
