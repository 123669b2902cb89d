-- SPDX-License-Identifier: Apache-2.0
-- takes: 18 s
-- A database that nobody had to set up: made, found again, shared, and stopped by the last one only.
local json = require "cjson"
local lfs = require "lfs"
local proc = require "spec.e2e.support.proc"

local ROOT = proc.run "id -u" == "0\n"

describe("a private database", function()
  local folder, data

  -- ringdown db WORDS for that data folder: what it printed, its exit code.
  local function db(words, where, before)
    local env = ("env -u DATABASE_URL -u RINGDOWN_CONFIG OPENAI_API_KEY=sesame XDG_STATE_HOME=%s RINGDOWN_DATA=%s")
      :format(proc.quote(folder .. "/state"), proc.quote(where or data))
    return proc.run(("%s %s %s db %s 2>&1"):format(before or "", env, proc.binary(), words))
  end

  local function status(where)
    local s = json.decode((db("status --json", where)))
    s.pid = math.tointeger(s.pid)
    return s
  end

  local function up(where, before)
    local text, code = db("up", where, before)
    assert.equal(0, code, text)
    return status(where)
  end

  setup(function()
    folder = proc.folder "cluster"
    data = folder .. "/data"
  end)

  teardown(function()
    proc.remove(folder)
  end)

  it("is made by the first `db up` and reached by psql", function()
    local text, code = db "status"
    assert.equal(1, code)
    assert.matches("ringdown db up", text, 1, true)
    local s = up(nil, "taskset -c 0 nice -n 5")
    assert.is_true(s.up and s.private and not s.moved)
    assert.equal(data .. "/postgres", s.folder)
    assert.matches("^15", s.version)
    local url = proc.quote((db "url"):match "%S+")
    assert.equal("ringdown\n", (proc.run(("psql -XAt %s -c 'select current_user'"):format(url))))
  end)

  it("runs on every core, with nothing of our environment, as somebody without rights", function()
    local pid = status().pid
    local function allowed(who)
      return proc.read("/proc/" .. who .. "/status"):match "Cpus_allowed_list:%s*(%S+)"
    end
    assert.equal(allowed "1", allowed(pid))
    assert.is_nil(proc.read("/proc/" .. pid .. "/environ"):find("sesame", 1, true))
    if ROOT then
      assert.equal("postgres", status().user)
      assert.is_nil(proc.read("/proc/" .. pid .. "/status"):match "Uid:[^\n]*%f[%d]0%f[%D]")
      assert.equal(5, tonumber((proc.run("ps -o ni= -p " .. pid)))) -- audio goes first
    end
  end)

  it("lets no other user of the machine in", function()
    if not ROOT then
      return pending "only root can be somebody else"
    end
    local _, code = proc.run(("setpriv --reuid=nobody --regid=nogroup --clear-groups psql -XAt %s -c 'select 1' 2>&1")
      :format(proc.quote((db "url"):match "%S+")))
    assert.not_equal(0, code)
  end)

  it("is found running by the second `db up`", function()
    local pid = status().pid
    assert.equal(pid, up().pid)
  end)

  it("is not stopped while somebody uses it, outlives his kill -9, and is adopted then", function()
    local pid = status().pid
    local holder = proc.start { name = "holder", folder = folder,
      args = { "flock", "--shared", "--no-fork", data .. "/postgres.lock", "sleep", "60" } }
    assert.is_truthy(proc.wait_for(function()
      return status().holders[1] == holder.pid
    end, 5))
    local text, code = db "down"
    assert.equal(1, code)
    assert.matches("in use", text, 1, true)
    holder:signal "KILL"
    holder:wait(5)
    assert.equal(pid, up().pid)
    assert.equal(0, #status().holders)
  end)

  it("is down after `db down`, and its data is there again after `db up`", function()
    local url = proc.quote((db "url"):match "%S+")
    proc.run(("psql -Xq %s -c 'create table kept as select 42 as n'"):format(url))
    local _, code = db "down"
    assert.equal(0, code)
    local text
    text, code = db "status"
    assert.equal(1, code)
    assert.matches("start it: ringdown db up", text, 1, true)
    _, code = db "down"
    assert.equal(0, code)
    up()
    assert.equal("42\n", (proc.run(("psql -XAt %s -c 'select n from kept'"):format(url))))
  end)

  it("gets its schema by `db migrate`, once, and says before what would be done", function()
    local text, code = db "migrate --dry-run"
    assert.equal(0, code)
    assert.matches("would apply 0001 initial", text, 1, true)
    assert.is_nil(db("status"):match "schema +%d")
    text, code = db "migrate"
    assert.equal(0, code, text)
    assert.matches("applied 0001 initial", text, 1, true)
    text, code = db "migrate"
    assert.equal(0, code)
    assert.equal("The schema is up to date.\n", text)
    assert.is_truthy(db("status"):match "schema +%d")
    text, code = db "status --dry-run"
    assert.equal(2, code)
    assert.matches("migrate only", text, 1, true)
  end)

  it("refuses a damaged one and leaves it alone", function()
    db "down"
    local pg = data .. "/postgres"
    assert(os.rename(pg .. "/PG_VERSION", folder .. "/PG_VERSION"))
    local text, code = db "up"
    assert.equal(1, code)
    assert.matches("restore it from a backup, or move it away", text, 1, true)
    assert(os.rename(folder .. "/PG_VERSION", pg .. "/PG_VERSION"))
    assert(os.rename(pg .. "/global/pg_control", folder .. "/pg_control"))
    text, code = db "up"
    assert.equal(1, code)
    assert.matches("pg_control", text, 1, true) -- PostgreSQL's own reason
    assert(os.rename(folder .. "/pg_control", pg .. "/global/pg_control"))
    assert.is_true(up().up)
    db "down"
  end)

  it("is made whole when the first attempt was killed half-way", function()
    local half = folder .. "/half"
    local first = proc.start { name = "first", folder = folder, args = { proc.binary(), "db", "up" },
      env = { RINGDOWN_DATA = half, DATABASE_URL = false, RINGDOWN_CONFIG = false } }
    assert.is_truthy(proc.wait_for(function()
      return proc.exists(half .. "/postgres.making/base")
    end, 10))
    first:signal "KILL"
    first:wait(5)
    assert.is_false(proc.exists(half .. "/postgres"))
    assert.is_true(up(half).up)
    assert.is_false(proc.exists(half .. "/postgres.making"))
    db("down", half)
  end)

  it("lives elsewhere, and says where, when the data folder is too long for a socket or closed", function()
    local where = folder .. "/" .. ("long"):rep(25)
    if ROOT then -- the same place, and what has to be decided is the same
      assert(lfs.mkdir(folder .. "/closed"))
      proc.run("chmod 700 " .. folder .. "/closed")
      where = folder .. "/closed/" .. ("long"):rep(15)
    end
    local s = up(where)
    assert.is_true(s.up and s.moved)
    assert.equal(s.folder .. "\n", proc.read(where .. "/postgres.where"))
    assert.equal(s.folder, up(where).folder)
    assert.matches(s.folder, db("status", where), 1, true)
    db("down", where)
    assert.matches("/ringdown/%x+$", s.folder)
    proc.run("rm -rf " .. proc.quote(s.folder))
    local text, code = db("up", where) -- gone: that is said, and no empty one is made instead
    assert.equal(1, code)
    assert.matches("postgres.where", text, 1, true)
  end)
end)
