-- SPDX-License-Identifier: Apache-2.0
-- A real PostgreSQL for specs: one private cluster per run, made at the first question, on a Unix
-- socket alone, and gone with the process that asked, however that ends. It begins as a copy of a seed in
-- build/test/, a cluster with all migrations applied: initdb and the migrations take longer than most stories.
--
--   pg.seed()                   makes that seed, if there is none for these migrations; so does pg.start()
--   pg.start{ buffers = "1MB" } starts it; after pg.crash() or pg.halt() starts it again
--   pg.database()            -> URL of a fresh database with all migrations applied
--   pg.database{ empty = true } the same with nothing in it
--   pg.query(url, sql)       -> rows, each a table by column (null members are absent)
--   pg.run(url, sql)            any statements; raises with the server's words
--   pg.try(url, sql)         -> true | false, the server's words, SQLSTATE
--   pg.literal(text)         -> SQL literal
--   pg.crash()                  kill -9 for all of it at once
--   pg.halt()                   an orderly stop that breaks connections; the files stay
--   pg.freeze(), pg.thaw()      as if the machine hung
--   pg.read_only(on)            as a standby after failing over
--   pg.stop()                   ends it and removes its folder
--
-- What is asked of a database goes through one psql that stays: a new connection learns the schema first, which takes
-- longer than nearly all statements here. Each question is a transaction, and finds the settings of a new connection.
-- Who is asked anywhere else than in this cluster is asked by a psql of its own.
local cjson = require "cjson.safe"

local pg = {}

local cluster -- { folder, socket, as, databases, template }

local SEEDS = "build/test/seeds"
-- Nobody needs what these clusters hold after the machine lost its power; after the server was killed, they do.
local OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=120 "
  .. "-c shared_buffers=32MB -c autovacuum_naptime=5min -c log_timezone=UTC"
local INITDB = "-A trust -U ringdown --no-sync -E UTF8 --locale=C.UTF-8 --wal-segsize=4"

local decoder = cjson.new()

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function sh(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1"))
  local output = pipe:read "a"
  local ok = pipe:close()
  return ok, output
end

local function must(command)
  local ok, output = sh(command)
  if not ok then
    error("failed: " .. command .. "\n" .. output, 0)
  end
  return (output:gsub("%s+$", ""))
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function own_pid()
  local file = assert(io.open "/proc/self/stat")
  local pid = file:read "n"
  file:close()
  return math.tointeger(pid)
end

-- Of the server and psql itself: Debian's /usr/bin/psql is a script that looks for it, and takes longer than it does.
local bin

local function program(name)
  bin = bin or must "ls -d /usr/lib/postgresql/15/bin 2>/dev/null || pg_config --bindir"
  return bin .. "/" .. name
end

-- initdb refuses root; whoever else runs the specs is good enough.
local function run_as()
  return must "id -u" == "0" and "runuser -u postgres -- " or ""
end

-- Ends the cluster when we are gone, also after a kill -9 of ours. Nothing to end: nothing to look after.
local function guard(c)
  write(c.folder .. "/guard", ([[
while kill -0 %d 2>/dev/null; do sleep 2; [ -d %s ] || exit 0; done
[ -d %s/data ] || exit 0
pid=$(head -1 %s/data/postmaster.pid 2>/dev/null)
[ -z "$pid" ] || { kill -CONT "$pid" $(pgrep -P "$pid"); kill -QUIT "$pid"; sleep 0.5; } 2>/dev/null
rm -rf %s
]]):format(own_pid(), c.folder, c.folder, c.folder, c.folder))
  must(("setsid sh %s/guard </dev/null >/dev/null 2>&1 &"):format(c.folder))
end

-- A folder for a cluster, and nothing in it yet.
local function place()
  local c = { as = run_as(), databases = 0 }
  c.folder = must "mktemp -d /tmp/ringdown-pg.XXXXXX"
  c.socket = c.folder
  if c.as ~= "" then
    must("chown postgres " .. c.folder)
  end
  must("chmod 755 " .. c.folder)
  return c
end

local function initdb(c)
  must(c.as .. program "initdb" .. " -D " .. c.folder .. "/data " .. INITDB)
end

-- By its name: whatever else than these migrations and this file would make another one.
local function seed_path()
  return SEEDS .. "/" .. must("sha256sum sql/*.sql spec/support/postgres.lua | sha256sum"):sub(1, 12)
end

local function create()
  pg.seed()
  local c = place()
  must(("cp -a %s %s/data"):format(seed_path(), c.folder))
  c.template = "migrated"
  guard(c)
  return c
end

local function url_of(name)
  return ("postgresql:///%s?host=%s&user=ringdown"):format(name, cluster.socket)
end

local function postmaster()
  local file = io.open(cluster.folder .. "/data/postmaster.pid")
  if not file then
    return nil
  end
  local pid = math.tointeger(file:read "n")
  file:close()
  local alive = io.open(("/proc/%d/stat"):format(pid))
  return alive and alive:close() and pid or nil
end

-- ---- psql that stays ----

local MARK = "-- psql: "
local SESSIONS = 3
local sessions = {} -- { url, psql, out }, the one that was asked last in front

local function close_session(s)
  s.psql:write "\\q\n"
  s.psql:close()
  s.out:close()
end

local function close_sessions()
  for i = #sessions, 1, -1 do
    close_session(table.remove(sessions, i))
  end
end

local function open_session(url, options)
  local fifo = os.tmpname()
  must(("rm -f %s && mkfifo %s"):format(fifo, fifo))
  local command = ("PGOPTIONS='-c client_min_messages=warning %s' exec %s -X -q -A -t -v ON_ERROR_STOP=1 "
    .. "-v VERBOSITY=verbose -d %s >%s 2>&1"):format(options or "", program "psql", quoted(url), fifo)
  local psql = assert(io.popen(command, "w"))
  local out = assert(io.open(fifo)) -- once psql's shell has it, too
  os.remove(fifo)
  psql:setvbuf "full"
  return { url = url, psql = psql, out = out }
end

-- Its words until the mark; the second result is nil when it ended before.
local function heard(s, mark)
  local parts = {}
  for line in s.out:lines "L" do
    if line == mark then
      return table.concat(parts), true
    end
    parts[#parts + 1] = line
  end
  return table.concat(parts)
end

-- The psql for this database, and whether it was there before.
local function session(url, options)
  for i, s in ipairs(sessions) do
    if s.url == url then
      table.insert(sessions, 1, table.remove(sessions, i))
      return s, true
    end
  end
  if #sessions == SESSIONS then
    close_session(table.remove(sessions))
  end
  table.insert(sessions, 1, open_session(url, options))
  return sessions[1], false
end

-- What it says to these lines, which begin with `first`; whether it got through. One whose server was gone meanwhile
-- ends at `first`: then another is asked.
local function asked(url, first, lines, options)
  local s, old = session(url, options)
  s.psql:write(first, "\n\\echo ", MARK, "begun\n", lines, "\n\\echo ", MARK, "done\n")
  s.psql:flush()
  local text, begun = heard(s, MARK .. "begun\n")
  local rest, done
  if begun then
    rest, done = heard(s, MARK .. "done\n")
  end
  if done then
    return rest, true
  end
  s.psql:close()
  s.out:close()
  table.remove(sessions, 1)
  if not begun and old then
    return asked(url, first, lines, options)
  end
  return begun and rest or text, false
end

local function all_of_it(signal)
  local pid = assert(postmaster(), "the cluster does not run; pg.start() starts it")
  must(("children=$(pgrep -P %d); kill -%s %d $children 2>/dev/null; true"):format(pid, signal, pid))
  return pid
end

function pg.start(o)
  cluster = cluster or create()
  if postmaster() then
    return
  end
  local options = "-k " .. cluster.socket .. " " .. OPTIONS
  if o and o.buffers then
    options = options .. " -c shared_buffers=" .. o.buffers
  end
  must(("%s%s -D %s/data -w -s -t 60 -l %s/log -o %s start"):format(
    cluster.as, program "pg_ctl", cluster.folder, cluster.folder, quoted(options)))
end

local function asked_once(url, path)
  local ok, output = sh(("PGOPTIONS='-c client_min_messages=warning' %s -X -q -A -t -1 -v ON_ERROR_STOP=1 "
    .. "-v VERBOSITY=verbose -d %s -f %s"):format(program "psql", quoted(url), path))
  return output, ok
end

-- Statements through psql; the first failing one ends it and undoes all of them.
function pg.try(url, sql)
  local path = os.tmpname()
  write(path, sql)
  local output, ok
  if cluster and url:find(cluster.socket, 1, true) then
    output, ok = asked(url, "begin;", ("\\i %s\ncommit;\nreset all;"):format(path))
  else
    output, ok = asked_once(url, path)
  end
  os.remove(path)
  if ok then
    return true, output
  end
  local state, words = output:match "ERROR:%s+(%w+): ([^\n]*)"
  return false, words or output, state
end

function pg.run(url, sql)
  local ok, output, state = pg.try(url, sql)
  if not ok then
    error(("%s (%s)"):format(output, state or "no SQLSTATE"), 2)
  end
  return output
end

function pg.query(url, sql)
  local output = pg.run(url, ("with answer as (%s)\nselect coalesce(json_agg(answer), '[]') from answer"):format(
    (sql:gsub("%s*;?%s*$", ""))))
  local rows = assert(decoder.decode(output))
  for _, row in ipairs(rows) do
    for column, value in pairs(row) do
      if value == cjson.null then
        row[column] = nil
      elseif math.type(value) == "float" then
        row[column] = math.tointeger(value) or value
      end
    end
  end
  return rows
end

function pg.literal(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

-- The files of sql/ in their order, each { path, version, name, checksum, oldest_binary }.
function pg.migrations(folder)
  local list = {}
  for path in must("ls " .. (folder or "sql") .. "/[0-9]*_*.sql"):gmatch "[^\n]+" do
    local version, name = path:match "(%d+)_([%w_]+)%.sql$"
    list[#list + 1] = {
      path = path, version = math.tointeger(tonumber(version)), name = name,
      checksum = must("sha256sum <" .. path):match "^%x+",
      oldest_binary = must("sed -n 's/^-- oldest-binary: *//p' " .. path),
    }
  end
  return list
end

-- What `ringdown db migrate` leaves behind, its table of history included.
local function migrate(url)
  pg.run(url, [[
    create table schema_migrations (version integer primary key, name text not null, checksum text not null,
      oldest_binary text not null, applied_at timestamptz not null default now())]])
  for _, m in ipairs(pg.migrations()) do
    local file = assert(io.open(m.path))
    pg.run(url, file:read "a" .. (";\ninsert into schema_migrations values (%d, '%s', '%s', '%s')"):format(
      m.version, m.name, m.checksum, m.oldest_binary))
    file:close()
  end
end

-- Outside a transaction.
local function plain_run(sql)
  local output, ok = asked(url_of "postgres", "reset all;", sql .. ";", "-c default_transaction_read_only=off")
  assert(ok, output)
end

-- Another process may make it at the same time: the first one is kept.
function pg.seed()
  local path = seed_path()
  if sh("test -d " .. path) then
    return
  end
  local before = cluster
  cluster = place()
  guard(cluster)
  initdb(cluster)
  pg.start()
  plain_run "create database migrated"
  migrate(url_of "migrated")
  pg.halt()
  local mine = ("%s/%d"):format(SEEDS, own_pid())
  must(("mkdir -p %s && cp -a %s/data %s && { mv -T -n %s %s; rm -rf %s %s; }"):format(
    SEEDS, cluster.folder, mine, mine, path, mine, cluster.folder))
  must(("find %s -mindepth 1 -maxdepth 1 -mmin +600 ! -path %s -exec rm -rf {} +"):format(SEEDS, path))
  cluster = before
end

function pg.database(o)
  pg.start()
  local from = o and o.empty and "template0" or cluster.template
  cluster.databases = cluster.databases + 1
  local name = "d" .. cluster.databases
  plain_run(("create database %s template %s"):format(name, from))
  return url_of(name)
end

function pg.crash()
  close_sessions()
  local pid = all_of_it "KILL"
  must(("for i in $(seq 100); do kill -0 %d 2>/dev/null || break; sleep 0.02; done"):format(pid))
  must(("rm -f %s/data/postmaster.pid"):format(cluster.folder))
end

function pg.halt()
  close_sessions()
  must(("%s%s -D %s/data -w -s -m fast stop"):format(cluster.as, program "pg_ctl", cluster.folder))
end

function pg.freeze()
  all_of_it "STOP"
end

function pg.thaw()
  all_of_it "CONT"
end

function pg.read_only(on)
  plain_run("alter system set default_transaction_read_only = " .. (on and "on" or "off"))
  plain_run "select pg_reload_conf()"
  must "sleep 0.1" -- until every process has read it
end

function pg.log()
  return must("cat " .. cluster.folder .. "/log")
end

function pg.stop()
  if not cluster then
    return
  end
  close_sessions()
  local pid = postmaster()
  if pid then
    pg.thaw()
    must(("%s%s -D %s/data -w -s -m immediate stop"):format(cluster.as, program "pg_ctl", cluster.folder))
  end
  must("rm -rf " .. cluster.folder)
  cluster = nil
end

return pg
