-- SPDX-License-Identifier: Apache-2.0
local json = require "ringdown.json"
local triage = require "ringdown.triage"

local gas = { id = "gas-leak", severity = "life", any = { "smell gas", "gas leak", "huele a gas" },
  unless = { "gas bill" } }

local function compiled(...)
  return json.decode(json.encode(triage.compile({ ... }, { "en", "es" }))) -- as it reaches the VM that runs it
end

-- "match", "ask negated", "near_miss unless", "nothing"
local function verdict(rules, words, language)
  local r = triage.match(rules, words, language)[1]
  return r and r.verdict .. (r.why and " " .. r.why or "") or "nothing"
end

local function expect(rules, expected)
  for words, wanted in pairs(expected) do
    assert.equal(wanted, verdict(rules, words), words)
  end
end

describe("an emergency rule", function()
  local rules = compiled(gas)

  it("hears what it was written for, and not the bill", function()
    expect(rules, { ["I smell gas"] = "match", ["the gas bill is wrong"] = "nothing", ["Good morning!"] = "nothing",
      [""] = "nothing" })
  end)

  it("does not care how it is written down", function()
    expect(rules, {
      ["I SMELL GAS!!"] = "match", ["i, uh, I smell... um... gas"] = "match", ["I smelled gaaas"] = "match",
      ["we've got gas leaks"] = "match", ["¡Huele a gas!"] = "match", ["huele mucho a gas"] = "match",
      ["I smell. Gas. Here"] = "match",
    })
  end)

  it("finds the words in any order, when they stand close together", function()
    expect(rules, {
      ["there's a smell of gas"] = "match", ["it's gas that I smell"] = "match",
      ["gas smell in the cellar"] = "match",
      ["the gas man told me that his kitchen had a smell"] = "nothing",
    })
  end)

  it("keeps the order of phrases whose small words matter", function()
    local fire = compiled { id = "fire", severity = "life", any = { "on fire", "can't breathe" } }
    expect(fire, { ["the house is on fire"] = "match", ["the fire is on channel two"] = "nothing",
      ["he cannot breathe"] = "match", ["he can breathe"] = "nothing" })
  end)

  it("knows words, not letters", function()
    local co = compiled { id = "co", severity = "life", any = { "co alarm" } }
    expect(co, { ["the C.O. alarm"] = "match", ["our CO alarm rings"] = "match", ["the code alarm"] = "nothing" })
  end)

  it("reads numbers as they are spoken and as they are written", function()
    local error_code = compiled { id = "e", severity = "normal", any = { "error 911", "zone twenty five" } }
    expect(error_code, { ["it shows error nine one one"] = "match", ["error 9-1-1"] = "match",
      ["zone 25 is off"] = "match", ["error 91"] = "nothing" })
  end)

  it("combines words near each other, and words anywhere", function()
    local near = compiled { id = "n", severity = "urgent",
      near = { { words = { { "water", "rain" }, { "outlet", "socket" } }, within = 6 } } }
    expect(near, { ["water drips from the outlet"] = "match", ["a socket full of rain"] = "match",
      ["there is water here and I wanted to ask you for another outlet"] = "nothing",
      ["the outlet is broken"] = "nothing" })
    local all = compiled { id = "a", severity = "urgent", any = { "burst pipe" }, all = { { "flat", "apartment" } } }
    expect(all, { ["the pipe burst over the whole apartment"] = "match", ["the pipe burst"] = "nothing" })
  end)

  it("may have words that are only worth a question", function()
    local weak = compiled { id = "w", severity = "life", any = { "gas leak" }, ask = { "rotten eggs" } }
    expect(weak, { ["it smells of rotten eggs"] = "ask unclear", ["a gas leak, like rotten eggs"] = "match" })
  end)

  it("may ask about words near each other, but not beside business", function()
    local wide = compiled { id = "w", severity = "life", any = { "gas leak" },
      ask_near = { { words = { { "hose", "pipe" }, { "came off", "hiss" } }, within = 8 } } }
    expect(wide, { ["the yellow hose came off the wall"] = "ask unclear", ["the hose is too short"] = "nothing",
      ["do you sell a pipe that does not hiss"] = "near_miss unclear", ["a gas leak, the pipe came off"] = "match" })
  end)

  it("rests while the caller speaks another language", function()
    local spanish = compiled { id = "s", severity = "life", any = { "gas" }, languages = { "es" } }
    assert.equal("match", verdict(spanish, "gas", "es"))
    assert.equal("nothing", verdict(spanish, "gas", "en"))
    assert.equal("match", verdict(spanish, "gas"))
  end)
end)

describe("an emergency of life and death", function()
  local rules = compiled(gas)

  it("makes the agent ask when it is denied, never nothing", function()
    expect(rules, {
      ["there is no gas leak"] = "ask negated", ["there's no smell of gas"] = "ask negated",
      ["I'm not smelling gas any more"] = "ask negated",
      ["aquí no huele a gas"] = "ask negated", ["the gas leak was fixed"] = "ask negated",
      ["we had no gas smell or leak"] = "ask negated",
    })
  end)

  it("makes the agent ask when it is imagined, asked about or long over", function()
    expect(rules, {
      ["what if I smelled gas"] = "ask unclear", ["do you fix gas leaks?"] = "ask unclear",
      ["Gas leaks?"] = "ask unclear",
      ["we had a gas leak last year"] = "ask unclear", ["qué hago si huele a gas"] = "ask unclear",
      ["I saw a gas leak on the news"] = "ask unclear", ["how much is a gas leak inspection"] = "ask unclear",
    })
  end)

  it("acts all the same when the denial is about something else", function()
    expect(rules, {
      ["I don't know what to do but I smell gas"] = "match", ["no, I smell gas"] = "match",
      ["no I smell gas"] = "match",
      ["I'm not kidding there's a gas leak"] = "match", ["can you come, there's a gas leak"] = "match",
      ["do you hear me there is a gas leak"] = "match",
      ["there was no gas leak yesterday. Now I smell gas!"] = "match",
    })
  end)

  it("asks when it was perhaps misheard", function()
    expect(rules, { ["I smell guess in here"] = "ask unclear", ["there's a gas league"] = "ask unclear",
      ["I guess so"] = "nothing" })
  end)

  it("knows words by their sound, and as two that were one", function()
    local spanish = compiled { id = "s", severity = "life", any = { "sale humo", "no respira", "elevador atrapado" } }
    expect(spanish, { ["sale umo"] = "ask unclear", ["no res pira"] = "ask unclear",
      ["atrapado en el elevadro"] = "ask unclear", ["sale mucho"] = "nothing" })
  end)

  it("takes the words away that mean something else, and no others", function()
    local fire = compiled { id = "fire", severity = "life", any = { "fire", "smoke" },
      unless = { "fire drill", "cigarette" } }
    expect(fire, { ["when is the fire drill"] = "near_miss unless",
      ["the fire drill is over, now there is fire"] = "match",
      ["smoke from a cigarette"] = "ask unless" })
  end)
end)

describe("an emergency that is not about life", function()
  it("is a near miss when it is denied, imagined or perhaps misheard", function()
    local rules = compiled { id = "flood", severity = "urgent", any = { "flooded basement" } }
    expect(rules, {
      ["my basement is flooded"] = "match", ["the basement isn't flooded"] = "near_miss negated",
      ["do you do flooded basements?"] = "near_miss unclear",
    })
  end)
end)

describe("what a match tells", function()
  it("names rule, severity and the words, in the order of the file", function()
    local rules = compiled({ id = "b", severity = "urgent", any = { "leak" } }, gas)
    local results = triage.match(rules, "  Help, a gas leak!\n")
    assert.same({ rule = "b", severity = "urgent", verdict = "match", heard = "leak", words = "Help, a gas leak!" },
      results[1])
    assert.equal("gas-leak", results[2].rule)
    assert.equal("gas leak", results[2].heard)
    assert.same({}, triage.match(rules, "thank you, goodbye"))
  end)

  it("cuts a long story to what matters", function()
    local words = triage.match(compiled(gas),
      ("and so on "):rep(100) .. "I smell gas " .. ("as I said "):rep(100))[1].words
    assert.matches("i smell gas", words)
    assert.is_true(#words < 200)
  end)
end)

-- ── what it costs, and what it survives ─────────────────────────────────────────────────────────
local function instructions_of(f)
  local n = 0
  debug.sethook(function()
    n = n + 1
  end, "", 1000)
  f()
  debug.sethook()
  return n * 1000
end

local function many_rules(n)
  local nouns = { "water", "gas", "smoke", "pipe", "valve", "alarm", "ceiling", "boiler", "outlet", "tooth",
    "elevator", "door", "tank", "drain" }
  local verbs = { "leak", "burn", "broke", "smell", "burst", "stuck", "beep", "spark", "bleed", "drip", "fell",
    "hiss", "flood", "shake" }
  local rules = {}
  for i = 1, n do
    local any = {}
    for k = 1, 12 do
      any[k] = ("%s %s place%d"):format(nouns[(i + k) % #nouns + 1], verbs[(i * k) % #verbs + 1], (i * 7 + k) % 97)
    end
    rules[i] = { id = "r" .. i, severity = "life", any = any, unless = { nouns[i % #nouns + 1] .. " bill" },
      near = { { words = { { nouns[i % #nouns + 1], nouns[(i + 3) % #nouns + 1] }, { verbs[i % #verbs + 1] } },
        within = 6 } } }
  end
  return rules
end

describe("200 rules", function()
  it("are done with sixty words in a few hundred thousand steps", function()
    local rules = triage.compile(many_rules(200), { "en" })
    local said = ("the water from the boiler drips on my outlet and the alarm is beeping, I smell smoke. "):rep(4)
    triage.match(rules, said)
    local steps = instructions_of(function()
      triage.match(rules, said)
    end)
    assert.is_true(steps < 1000000, steps .. " steps")
  end)
end)

describe("whatever is said", function()
  local rules = triage.compile(many_rules(200), { "en", "es" })

  local function survives(said)
    local steps = instructions_of(function()
      local ok, why = pcall(triage.match, rules, said)
      assert.is_true(ok, why)
    end)
    assert.is_true(steps < 30000000, steps .. " steps for " .. said:sub(1, 60))
  end

  it("never raises and never takes long: random bytes", function()
    local random = math.random
    math.randomseed(20261124)
    for _ = 1, 200 do
      local bytes = {}
      for i = 1, random(0, 300) do
        bytes[i] = string.char(random(0, 255))
      end
      survives(table.concat(bytes))
    end
  end)

  it("never raises and never takes long: random letters of all scripts", function()
    math.randomseed(20261125)
    for _ = 1, 200 do
      local letters = {}
      for i = 1, math.random(0, 200) do
        local code = math.random(0, 0x2FFFF)
        letters[i] = utf8.char((code < 0xD800 or code > 0xDFFF) and code or 32)
      end
      survives(table.concat(letters))
    end
  end)

  it("never raises and never takes long: what looks like an attack", function()
    survives(("gas "):rep(100000))
    survives(("gas leak water drip "):rep(20000))
    survives(("a"):rep(1000000))
    survives(("'"):rep(100000))
    survives(("n't "):rep(50000))
    survives(("9 "):rep(50000))
    survives(("no not if "):rep(20000))
    survives(("\u{301}"):rep(20000))
    survives(("\xC3"):rep(20000))
  end)

  it("survives the same words, cut and shuffled", function()
    math.randomseed(20261126)
    local words = { "no", "gas", "leak", "if", "water", "outlet", "smoke", "?", ".", ",", "911", "nine", "one",
      "can't", "breathe", "sí", "there's", "and", "but" }
    for _ = 1, 300 do
      local said = {}
      for i = 1, math.random(1, 80) do
        said[i] = words[math.random(#words)]
      end
      survives(table.concat(said, " "))
    end
  end)
end)
