-- SPDX-License-Identifier: Apache-2.0
-- The ways back, what drifted, assignments from a table, and what is shown.
local host = require "ringdown.fake.host"
local world = require "spec.numbers.world"

local A, B, C = "+13125550100", "+13125550101", "+13125550102"
local OURS = "https://calls.example.com/twilio/voice"

local function switch(numbers, more)
  local payload = { to = "ringdown", numbers = numbers }
  for key, value in pairs(more or {}) do
    payload[key] = value
  end
  local result = assert(world.run("switch", payload))
  assert.is_false(result.failed)
  return result.run
end

describe("restoring", function()
  before_each(function() world.begin { A, B, C } end)
  teardown(world.finish)

  it("gives all twelve fields of a number back, once", function()
    local _, one = world.fields(A)
    one.sms_fallback_url, one.status_callback_method = "https://x.example/a?b=c&d=%20'\"", "GET"
    local before = world.fields(A)
    switch({ A }, { texts = true })
    one.status_callback = "https://changed.example/meanwhile"
    assert.is_false(world.run("restore", { numbers = { A } }).failed)
    assert.same(before, world.fields(A))
    assert.matches("goes to vapi, verified", world.text())
    assert.matches("nothing to restore", (world.run("restore", { numbers = { A } }) and world.text()))
  end)

  it("takes back the last change, or with `first` all of them", function()
    local before = world.fields(A)
    switch { A }
    local between = world.fields(A)
    switch({ A }, { texts = true })
    world.run("restore", { numbers = { A } })
    assert.same(between, world.fields(A))
    switch({ A }, { texts = true })
    world.run("restore", { numbers = { A }, first = true })
    assert.same(before, world.fields(A))
  end)

  it("takes back what a run changed, and nothing else", function()
    local before = world.fields(B)
    switch { C }
    local run = switch { A, B }
    local result = world.run("restore", { run = run })
    assert.same({ verified = 2 }, result.counts)
    assert.same(before, world.fields(B))
    assert.equal(OURS, world.fields(C).voice_url)
    assert.is_true(select(2, world.run("restore", { run = 99999 })) ~= nil)
  end)

  it("shows first what it would do", function()
    switch { A }
    world.run("restore", { numbers = { A }, dry_run = true })
    assert.matches("voice_url +" .. OURS .. " %-> https://api.vapi.ai", world.text())
    assert.equal(OURS, world.fields(A).voice_url)
  end)

  it("works from the disk when the database is away", function()
    local before = world.fields(A)
    switch { A, B }
    host.database_down = "connection refused"
    local result = world.run("restore", { numbers = { A, C } })
    assert.is_true(result.failed) -- C was never changed
    assert.same(before, world.fields(A))
    assert.equal(OURS, world.fields(B).voice_url)
    assert.matches("the database is away", world.text())
    assert.matches("%+13125550102 +has no snapshot on this disk", world.text())
    assert.is_false(world.run("restore", { all = true }).failed)
    assert.equal(before.voice_url, world.fields(B).voice_url)
  end)

  it("believes no yes, nor a lost answer, without the database: it reads again", function()
    local before = world.fields(B)
    switch { A, B }
    host.database_down = "connection refused"
    world.faults["POST " .. A], world.faults["POST " .. B] = { "ignored" }, { "lost" }
    assert.same({ restored = 1, numbers = 1, failed = true }, world.run("restore", { all = true }))
    assert.matches("%+13125550100 +NOT restored: Twilio shows something else than was written", world.text())
    assert.matches("%+13125550101 +as it was on", world.text())
    assert.same(before, world.fields(B))
  end)

  it("only compares, in a dry run without the database", function()
    switch { A, B }
    host.database_down = "connection refused"
    world.requests = {}
    local result = world.run("restore", { all = true, dry_run = true })
    assert.same({ numbers = 2, failed = false }, result)
    assert.same({ "GET " .. A, "GET " .. B }, world.requests)
    assert.equal(OURS, world.fields(A).voice_url)
    assert.matches("voice_url +" .. OURS .. " %-> https://api.vapi.ai", world.text())
    assert.matches("Nothing was changed. 2 numbers would be restored", world.text())
  end)

  it("a damaged snapshot costs its own number, is told and counted, without the database", function()
    local before = world.fields(C)
    switch { A, B, C }
    local name = "snapshots/%s.json"
    world.kept[name:format(A)] = world.kept[name:format(A)]:gsub('"sid"', '"side"')
    world.kept[name:format(B)] = world.kept[name:format(B)]:sub(1, 100)
    host.database_down = "connection refused"
    local result = world.run("restore", { all = true })
    assert.same({ restored = 1, numbers = 1, failed = true }, result)
    assert.same(before, world.fields(C))
    assert.matches("%+13125550100 +NOT restored: its snapshot on this disk is damaged", world.text())
    assert.matches("%+13125550101 +NOT restored: its snapshot on this disk is damaged", world.text())
    assert.matches("1 numbers restored, 2 not", world.text())
  end)

  it("enough failures, or a person, end it without the database too", function()
    switch { A, B, C }
    host.database_down = "connection refused"
    world.faults["POST " .. A] = { "400" }
    assert.is_true(world.run("restore", { all = true, max_failures = 1 }).failed)
    assert.equal(OURS, world.fields(B).voice_url)
    assert.matches("1 are enough %(%-%-max%-failures%); 2 were not tried", world.text())
    world.stops = 2
    assert.is_true(world.run("restore", { all = true }).failed)
    world.stops = nil
    assert.equal(OURS, world.fields(C).voice_url)
    assert.matches("it was told to end; 2 were not tried", world.text())
  end)

  it("`all` leaves alone what we never changed, and what is given back, without the database", function()
    switch { A, B }
    world.run("snapshot", { all = true })
    assert.truthy(world.kept["snapshots/" .. C .. ".json"])
    world.run("restore", { numbers = { A } })
    for _, number in ipairs { A, C } do
      local _, one = world.fields(number)
      one.voice_url = "https://somebody.example/new"
    end
    host.database_down = "connection refused"
    assert.is_false(world.run("restore", { all = true }).failed)
    assert.equal("https://somebody.example/new", world.fields(A).voice_url)
    assert.equal("https://somebody.example/new", world.fields(C).voice_url)
    assert.not_equal(OURS, world.fields(B).voice_url)
    assert.matches("2 more were never changed by us, or are given back", world.text())
    assert.is_false(world.run("restore", { numbers = { A } }).failed) -- named, it is
    assert.not_equal("https://somebody.example/new", world.fields(A).voice_url)
    host.database_down = nil
    switch { A } -- changed again: it is ours again
    assert.is_true(require("ringdown.numbers.snapshot").is_ours(require("ringdown.numbers.snapshot").kept(A)))
  end)

  it("the loss of the database loses no way back: the copy on the disk leads elsewhere, and stays", function()
    local before = world.fields(A)
    for _, numbers in ipairs { { A }, { B, A } } do -- its snapshot has another id, and the same
      switch(numbers)
      for _, gone in ipairs { "bulk_runs", "number_targets", "number_snapshots" } do
        world.sql("delete from " .. gone, {})
      end
      world.sql("alter sequence number_snapshots_id_seq restart", {})
      switch({ A }, { texts = true })
      assert.same(before, require("ringdown.numbers.snapshot").kept(A).fields)
      world.run("restore", { numbers = { A }, first = true })
      assert.same(before, world.fields(A))
    end
  end)

  it("restores from the disk what a new database never heard of", function()
    local before = world.fields(A)
    switch { A }
    for _, gone in ipairs { "bulk_runs", "number_targets", "number_snapshots" } do
      world.sql("delete from " .. gone, {})
    end
    assert.is_false(world.run("restore", { all = true }).failed)
    assert.same(before, world.fields(A))
    assert.matches("nothing to restore", (world.run("restore", { numbers = { A } }) and world.text()))
  end)

  it("what lies on the disk of another database is not taken for the same", function()
    local snapshots = require "ringdown.numbers.snapshot"
    local function one(at, url)
      local fields = world.fields(A)
      fields.voice_url = url
      assert(snapshots.keep({ number = A, sid = "PN" .. ("0"):rep(32), snapshot = 1, taken_at = at, fields = fields },
        { public_url = "https://calls.example.com", vapi_api = "https://api.vapi.ai" }))
      return snapshots.kept(A).fields.voice_url
    end
    assert.equal("https://one.example/", one("2026-01-01T00:00:00", "https://one.example/"))
    assert.equal("https://two.example/", one("2026-02-01T00:00:00", "https://two.example/"))
    assert.equal("https://two.example/", one("2026-03-01T00:00:00", OURS))
  end)

  it("a number that was given back behind our back begins anew", function()
    switch { A }
    host.database_down = "connection refused"
    world.run("restore", { numbers = { A } })
    host.database_down = nil
    local _, one = world.fields(A)
    one.status_callback = "https://new.example/tuesday"
    local before = world.fields(A)
    world.run("snapshot", { numbers = { A }, script = true })
    assert.truthy(world.told[#world.told].text:find(one.status_callback, 1, true))
    switch { A }
    assert.same(before, require("ringdown.numbers.snapshot").kept(A).fields)
    world.run("restore", { numbers = { A }, first = true })
    assert.same(before, world.fields(A))
  end)

  it("what we sent to Vapi ourselves does not begin anew", function()
    local _, one = world.fields(A)
    one.voice_url = "https://old.example/voice"
    local before = world.fields(A)
    switch { A }
    world.run("switch", { to = "vapi", numbers = { A } })
    assert.matches("api.vapi.ai", world.fields(A).voice_url)
    switch { A }
    world.run("restore", { numbers = { A }, first = true })
    assert.same(before, world.fields(A))
  end)

  it("a change that came to nothing is no last change, and none to take back", function()
    world.faults["POST " .. A] = { "400" }
    world.run("switch", { to = "ringdown", numbers = { A } })
    assert.is_nil(require("ringdown.numbers.snapshot").stored(A, true))
    local before = world.fields(A)
    switch { A }
    world.faults["POST " .. A] = { "400" }
    world.run("switch", { to = "ringdown", numbers = { A }, texts = true })
    world.run("restore", { numbers = { A } })
    assert.same(before, world.fields(A))
  end)

  it("the copy on the disk stays what was before we came", function()
    local before = world.fields(A)
    switch { A }
    switch({ A }, { texts = true })
    world.run("switch", { to = "vapi", numbers = { A } })
    assert.same(before, require("ringdown.numbers.snapshot").kept(A).fields)
  end)
end)

describe("restoring what was cut off", function()
  teardown(world.finish)

  local function rows(sql)
    local list = {}
    for i, row in ipairs(assert(world.sql(sql, {}))) do
      list[i] = tostring(row[1])
    end
    return table.concat(list, " ")
  end

  -- A process that switches all three dies when A is as far as that, and B and C are planned.
  local function die(state)
    local n = 0
    repeat
      world.begin { A, B, C }
      n = n + 1
      assert.is_true(world.run_until(n, true, "switch", { to = "ringdown", all = true }))
    until rows "select state from bulk_items order by number" == state .. " planned planned"
    return tonumber(rows "select run from bulk_runs")
  end

  local function as_they_were()
    for _, number in ipairs { A, B, C } do
      assert.equal("https://api.vapi.ai/twilio/inbound_call", world.fields(number).voice_url)
      assert.equal("", world.fields(number).voice_fallback_url)
    end
    assert.equal("", rows "select number from bulk_items where state in ('planned', 'snapshotted', 'written')")
  end

  it("a run, all and a number are taken back without finishing anything first", function()
    for _, state in ipairs { "snapshotted", "written" } do
      for _, payload in ipairs { { run = true }, { all = true }, { numbers = { A, B, C } } } do
        local run = die(state)
        payload = { run = payload.run and run, all = payload.all, numbers = payload.numbers }
        world.run("restore", { run = payload.run, all = payload.all, numbers = payload.numbers, dry_run = true })
        assert.equal("2", rows "select count(*) from bulk_items where state = 'planned'")
        local result, why = world.run("restore", payload)
        assert.is_nil(why)
        assert.equal(payload.numbers ~= nil, result.failed, world.text()) -- B and C have nothing to go back to
        as_they_were()
        assert.equal(0, world.run("drift").drifted)
      end
    end
  end)

  it("a number alone: the run's others stay planned", function()
    local run = die "written"
    assert.is_false(world.run("restore", { numbers = { A } }).failed)
    assert.equal("verified planned planned", rows(("select state from bulk_items where run = %d order by number")
      :format(run)))
    assert.equal("https://api.vapi.ai/twilio/inbound_call", world.fields(A).voice_url)
  end)

  it("a number of which nobody can know is told, and does not hold up the others", function()
    world.begin { A, B }
    switch { B }
    world.faults["POST " .. A] = { "lost" }
    local broken = { "ok" }
    for i = 2, 60 do
      broken[i] = "500"
    end
    world.faults["GET " .. A] = broken
    world.run("switch", { to = "ringdown", numbers = { A } })
    assert.equal("snapshotted", rows("select state from bulk_items where number = '" .. A .. "'"))
    local result = world.run("restore", { all = true })
    assert.is_true(result.failed)
    assert.matches("%+13125550100 +NOT KNOWN, not restored: Twilio cannot be asked", world.text())
    assert.equal("https://api.vapi.ai/twilio/inbound_call", world.fields(B).voice_url)
    world.faults = {}
    assert.is_false(world.run("restore", { all = true }).failed)
    assert.equal("https://api.vapi.ai/twilio/inbound_call", world.fields(A).voice_url)
  end)

  it("what somebody else changed in the middle of it is left alone by a run, and given back by its number", function()
    local run = die "snapshotted"
    local _, one = world.fields(A)
    one.voice_url = "https://somebody.example/new"
    assert.is_true(world.run("restore", { run = run }).failed)
    assert.equal("https://somebody.example/new", world.fields(A).voice_url)
    assert.is_false(world.run("restore", { numbers = { A } }).failed)
    assert.equal("https://api.vapi.ai/twilio/inbound_call", world.fields(A).voice_url)
  end)

  it("a restore that failed, or ended anywhere, is done by the same command again", function()
    world.begin { A }
    switch { A }
    world.faults["POST " .. A] = { "400" }
    assert.is_true(world.run("restore", { numbers = { A } }).failed)
    assert.is_false(world.run("restore", { numbers = { A } }).failed)
    assert.equal("https://api.vapi.ai/twilio/inbound_call", world.fields(A).voice_url)
    for _, payload in ipairs { { numbers = { A } }, { all = true } } do
      local n, lives = 0, false
      while not lives do
        n = n + 1
        world.begin { A }
        switch { A }
        lives = not world.run_until(n, true, "restore", { numbers = payload.numbers, all = payload.all })
        world.run("restore", { numbers = payload.numbers, all = payload.all })
        assert.equal("https://api.vapi.ai/twilio/inbound_call", world.fields(A).voice_url)
        assert.equal(0, world.run("drift").drifted)
      end
      assert.is_true(n > 10)
    end
  end)
end)

describe("a way back without us", function()
  before_each(function() world.begin { A, B } end)
  teardown(world.finish)

  it("is a script with every field and no secret, which a shell understands", function()
    local before = world.fields(A)
    switch { A }
    local result = world.run("snapshot", { all = true, script = true })
    assert.is_false(result.failed)
    local script = world.told[#world.told].text
    assert.truthy(script:find(before.status_callback, 1, true))
    assert.is_nil(script:find(OURS, 1, true)) -- as it was before us
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(script)
    file:close()
    assert.is_true(os.execute("sh -n " .. path))
    os.remove(path)
  end)

  describe("which is run", function()
    local folder, env

    local function write(name, text)
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end

    -- A curl that knows one number, with what Twilio says of it in said.json, and answers the code in `code`.
    local CURL = [==[
#!/bin/sh
cat >/dev/null
while [ $# -gt 0 ]; do
    [ "$1" = -o ] && { shift; cp DIR/said.json "$1"; }
    case $1 in --retry-all-errors) exit 2 ;; esac
    shift
done
echo x >>DIR/asked
cat DIR/code
]==]

    before_each(function()
      folder = os.tmpname()
      os.remove(folder)
      assert(os.execute("mkdir -p " .. folder))
      env = ("PATH=%s:/usr/bin:/bin TWILIO_ACCOUNT_SID=AC1 TWILIO_AUTH_TOKEN=x"):format(folder)
      write("curl", (CURL:gsub("DIR", folder)))
      write("code", "200")
      os.execute("chmod +x " .. folder .. "/curl")
    end)
    after_each(function() os.execute("rm -rf " .. folder) end)

    local function run(command)
      local pipe = assert(io.popen(("env -i %s %s 2>&1"):format(env, command)))
      local text = pipe:read "a"
      return text, select(3, pipe:close())
    end

    local function make(fields)
      local one = { number = A, sid = "PN1", fields = fields }
      write("back.sh", require("ringdown.numbers.script").text({ one, { number = B, sid = "PN2", fields = fields } },
        "2026-01-01"))
    end

    local ODD = [[https://x.example/a?b="c"&d=\e'f]]

    it("understands what Twilio writes, whichever way it is escaped", function()
      local fields = world.fields(A)
      fields.sms_url = ODD
      make(fields)
      write("said.json", ('{"sid": "PN1", "capabilities": {"voice_url": "no"}, "voice_url": "%s",'
        .. '"voice_method": "POST", "voice_fallback_url": null,'
        .. '"voice_fallback_method": "POST", "trunk_sid": null, "status_callback": "%s",'
        .. '"status_callback_method": "POST", "sms_method": "POST",\n"sms_url": "%s"}'):format(
        fields.voice_url:gsub("/", "\\/"), fields.status_callback,
        [[https:\/\/x.example\/a?b=\"c\"\u0026d=\\e'f]]))
      local said, code = run("sh " .. folder .. "/back.sh --check " .. A)
      assert.equal(0, code, said)
      assert.matches("1 as they were, 0 not", said)
      said, code = run("sh scripts/rollback-numbers --check --from " .. folder .. "/back.sh " .. A)
      assert.equal(0, code, said)
      fields.sms_url = "https://other.example/"
      make(fields)
      said, code = run("sh " .. folder .. "/back.sh --check " .. A)
      assert.equal(1, code, said)
      assert.truthy(said:find("sms_url is '" .. ODD .. "' and was 'https://other.example/'", 1, true), said)
    end)

    it("does nothing for a word that it does not know", function()
      make(world.fields(A))
      for _, word in ipairs { "+19999999999", "--chek", "3125550100" } do
        local said, code = run("sh " .. folder .. "/back.sh " .. word)
        assert.equal(2, code, said)
      end
      assert.is_nil(io.open(folder .. "/asked"))
    end)

    it("ends at the first no to its credentials", function()
      make(world.fields(A))
      write("said.json", "{}")
      write("code", "401")
      local said, code = run("sh " .. folder .. "/back.sh")
      assert.equal(2, code, said)
      assert.matches("does not take these credentials", said)
      local asked = assert(io.open(folder .. "/asked"))
      assert.equal("x\n", asked:read "a")
      asked:close()
    end)

    it("a line that cannot be read costs rollback-numbers that number alone", function()
      make(world.fields(A))
      local file = assert(io.open(folder .. "/back.sh"))
      local text = file:read("a"):gsub("\nnumber '%+13125550100' 'PN1'", "%0 'one too many'")
      file:close()
      write("back.sh", text)
      write("said.json", "{}")
      local said, code = run("sh scripts/rollback-numbers --check --all --from " .. folder .. "/back.sh")
      assert.equal(1, code, said)
      assert.matches("%+13125550100  its line in %S+ cannot be read here", said)
      assert.matches("%+13125550101  is not as it was", said)
    end)
  end)

  it("with `now`, leads to how the numbers are, and leaves the disk alone", function()
    switch { A }
    local kept = world.kept["snapshots/" .. A .. ".json"]
    assert.is_false(world.run("snapshot", { numbers = { A }, script = true, now = true }).failed)
    assert.truthy(world.told[#world.told].text:find(OURS, 1, true))
    assert.equal(kept, world.kept["snapshots/" .. A .. ".json"])
  end)

  it("does not pretend: a number that came to us before anybody looked has no way back", function()
    local _, one = world.fields(A)
    one.voice_url = OURS
    local result = world.run("snapshot", { all = true, script = true })
    assert.is_true(result.failed)
    assert.same({ 1, 1 }, { result.numbers, result.missing })
  end)
end)

local function leader_looks()
  require("ringdown.numbers.drift").run({}, function() end)
end

describe("what is not as we made it", function()
  before_each(function() world.begin { A, B } end)
  teardown(world.finish)

  it("is told and alarmed until it is so again; what was never switched is nobody's concern", function()
    assert.same({ numbers = 0, drifted = 0 }, world.run("drift"))
    switch { A }
    assert.equal(0, world.run("drift").drifted)
    local _, one = world.fields(A)
    one.voice_url = "https://api.vapi.ai/twilio/inbound_call"
    local result = world.run("drift")
    assert.is_true(result.failed)
    assert.same({}, host.alarms) -- a person asked
    leader_looks()
    assert.matches("voice_url is https://api.vapi.ai/twilio/inbound_call instead of " .. OURS, world.text())
    assert.same({ "critical", "numbers.drift", A }, { host.alarms[1].severity, host.alarms[1].kind,
      host.alarms[1].subject })
    assert.is_true(world.run("verify", { numbers = { A } }).failed)
    switch { A }
    leader_looks()
    assert.equal(0, world.run("drift").drifted)
    one.trunk_sid = "TK00000000000000000000000000000001"
    assert.equal(1, world.run("drift").drifted)
    one.trunk_sid = nil
    leader_looks()
    local over = {}
    for _, one_alarm in ipairs(host.alarms_over) do
      over[one_alarm.subject] = true
    end
    assert.is_true(over[A])
    assert.is_false(world.run("verify", { numbers = { A } }).failed)
  end)

  it("a restored number is as we made it, too", function()
    switch { A }
    world.run("restore", { numbers = { A } })
    assert.equal(0, world.run("drift").drifted)
  end)

  it("a number that was given back without the database is told as that, and one command ends it", function()
    switch { A }
    host.database_down = "connection refused"
    world.run("restore", { all = true })
    host.database_down = nil
    leader_looks()
    assert.equal("warning", host.alarms[1].severity)
    assert.matches("somebody gave it back without the database; ringdown numbers restore %+13125550100 %-%-first",
      host.alarms[1].text)
    assert.is_true(world.run("drift").failed)
    assert.not_matches("switch makes them so again", world.text())
    assert.is_false(world.run("restore", { numbers = { A }, first = true }).failed)
    assert.equal(0, world.run("drift").drifted)
  end)

  it("twenty alarms are enough", function()
    local numbers = {}
    for i = 1, 25 do
      numbers[i] = ("+131255502%02d"):format(i)
    end
    world.begin(numbers)
    switch(numbers)
    for _, number in ipairs(numbers) do
      local _, one = world.fields(number)
      one.voice_url = ""
    end
    leader_looks()
    assert.equal(1, #host.alarms)
    assert.matches("25 numbers are not as they were made", host.alarms[1].text)
  end)
end)

describe("looking and assigning", function()
  before_each(function() world.begin { A, B, C } end)
  teardown(world.finish)

  it("sync keeps what Twilio and Vapi have, page after page", function()
    world.begin { A, B, C, "+13125550103", "+13125550104", "+13125550105", "+13125550106" }
    assert.same({ numbers = 7, new = 7, changed = 0, gone = 0 }, world.run("sync"))
    assert.equal("7", world.sql("select count(*) from numbers_at_vapi", {})[1][1])
    local function version()
      return tonumber(world.sql("select version from numbers_version", {})[1][1])
    end
    local before = version()
    table.remove(world.vapi)
    world.run("sync")
    assert.is_true(version() > before) -- nodes have to know
    world.vapi[7] = { id = "vapi-7", number = "+13125550106", assistantId = world.assistant }
    world.run("sync")
    local _, one = world.fields(A)
    one.voice_url, world.vapi = "", "Vapi answered 401: no"
    assert.same({ numbers = 7, new = 0, changed = 1, gone = 0 }, world.run("sync"))
    assert.matches("Vapi was not asked which numbers it has: Vapi answered 401", world.text())
    assert.equal("7", world.sql("select count(*) from numbers_at_vapi", {})[1][1])
    assert.matches("calls: nobody", world.text())
  end)

  it("import assigns line by line, and tells which are wrong", function()
    world.agents[2] = { name = "painter", numbers = {} }
    local result = world.run("import", { text = "number,agent,site\n" .. A .. ",painter,\n" .. B
      .. ",paintr\nx,painter\n" .. C .. ",painter,north\n\n# a remark\r\n" .. '"' .. C .. '", plumber\n' })
    assert.same({ assigned = 2, same = 0, wrong = 3, failed = true }, result)
    assert.matches("line 3: there is no agent 'paintr'; did you mean 'painter'", world.text())
    assert.matches("line 4: 'x' is no number", world.text())
    assert.matches("line 5: agent painter has no site 'north'", world.text())
    assert.equal("painter plumber",
      world.sql("select string_agg(agent, ' ' order by number) from phone_numbers", {})[1][1])
  end)

  it("import takes what a spreadsheet writes, and ten thousand lines at once", function()
    local lines = { "\xEF\xBB\xBFNumber,agent,site" }
    for i = 1, 10000 do
      lines[#lines + 1] = ("+1312%07d,plumber,"):format(i)
    end
    world.steps = 0
    local result = world.run("import", { text = table.concat(lines, "\r\n") })
    assert.same({ assigned = 10000, same = 0, wrong = 0, failed = false }, result)
    assert.is_true(world.steps < 200)
    assert.equal("10000 of 10000", world.told[#world.told - 1].progress)
  end)

  it("show tells all that is known of a number", function()
    assert.is_true(world.run("show", { numbers = { A } }).failed)
    switch { A }
    assert.is_false(world.run("show", { numbers = { A } }).failed)
    assert.matches("calls go to ringdown, texts to vapi", world.text())
    assert.matches("imported, assistant 5f0c2d1e", world.text())
    assert.matches("made so      to ringdown by the spec", world.text())
    world.run("runs")
    assert.matches("switch to ringdown  done  1 verified", world.text())
  end)

  it("what cannot be done is said", function()
    assert.same({ nil, "numbers: 'dance' cannot be done" }, { world.run("dance") })
  end)

  it("what a person typed is checked, all of it", function()
    local function complaints(action, words, options, text)
      local result = world.run(action, { words = words, options = options or {}, text = text })
      return result and result.usage and table.concat(result.complaints, "; ") or "none"
    end
    assert.equal("say where to: --to ringdown|vapi", complaints("switch", { A }))
    assert.equal("'12' is no number like +13125550100; for which numbers? Name them, or say --all, --agent A or "
      .. "--file FILE; --to must be ringdown or vapi, not 'mars'", complaints("switch", { "12" }, { to = "mars" }))
    assert.equal("--wave must be a number from 1 on, not 'x'",
      complaints("switch", { A }, { to = "vapi", wave = "x" }))
    assert.equal("--texts is not for `numbers verify`; it knows --agent, --all, --call, --file, --from",
      complaints("verify", { A }, { texts = true }))
    assert.matches("there is no `numbers swich`; did you mean 'switch'", complaints("swich", { A }))
    assert.matches("line 2 of the file: 'x' is no number",
      complaints("verify", {}, { file = "f" }, "number,agent\nx,y\n"))
    assert.equal("none", complaints("verify", {}, { file = "f" }, A .. "\n" .. B .. "\n"))
    assert.equal("none", complaints("restore", { "7" }, { dry_run = true, resume = "1" }))
  end)

  it("details are for programs", function()
    local result = world.run("sync", { words = {}, options = {}, details = true })
    assert.equal(3, #result.details)
    assert.same({ number = A, goes_to = "vapi", texts_to = "vapi", vapi_id = "vapi-1",
      vapi_assistant = world.assistant }, result.details[1])
  end)
end)
