-- SPDX-License-Identifier: Apache-2.0
-- The commands that a page shows, in fenced blocks, and those of ours that it names in the middle of a sentence.
local M = {}

-- Words a command line begins with. What begins otherwise in a block of commands is a mistake of the page, or missing
-- here.
local PROGRAMS = {
  "apt", "apt%-get", "busted", "callgrind_annotate", "for", "valgrind", "cat", "cd", "certbot", "chmod", "chown",
  "cmake", "cp", "createdb", "createuser", "ctest", "curl", "docker", "editor", "export", "git", "haproxy", "install",
  "journalctl", "kubectl", "ln", "lua5%.4", "luacheck", "mkdir", "mv", "nft", "npm", "npx", "openssl", "pg_dump",
  "pg_restore", "printf", "psql", "rm", "runuser", "sh", "ss", "sudo", "systemctl", "systemd%-analyze",
  "systemd%-creds", "tar", "ufw", "useradd", "%.", "%(", "[%w./$-]*ringdown", "scripts/[%w-]+",
  "[%w./-]*/runtime/tests/[%w_]+",
}

-- The first row whose pattern is that of a line.
function M.row(rows, line)
  for _, row in ipairs(rows) do
    if line:find(row[1]) then return row end
  end
end

-- Without sudo and assignments before it.
local function bare(line)
  local rest = line:gsub("^sudo %-u %S+ env ", ""):gsub("^sudo ", ""):gsub("^runuser %-u %S+ %-%- ", "")
  local n
  repeat
    rest, n = rest:gsub("^%s*[%w_]+=%S*%s+", "")
  until n == 0
  return rest
end

-- As the rows of run.lua and not_run.lua have it: without what stands before a program, and without the folder of
-- `ringdown`.
function M.plain(line)
  return (bare(line):gsub("^[%w./-]*/ringdown%f[%s]", "ringdown"):gsub("&& [%w./-]*/ringdown%f[%s]", "&& ringdown"))
end

function M.is_command(line)
  local rest = bare(line)
  for _, program in ipairs(PROGRAMS) do
    if rest:find("^" .. program .. "%s") or rest:find("^" .. program .. "$") then
      return true
    end
  end
  return false
end

-- What is typed, without what is said beside it.
local function typed(line)
  return (line:gsub("%s+#%s.*$", ""):gsub("(%S)%s%s.*$", "%1"):gsub("%s+$", ""))
end

local function each_block(text, run)
  local language, lines, n = nil, nil, 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    n = n + 1
    if lines and line:find "^%s*```%s*$" then
      run(language, lines)
      lines = nil
    elseif lines then
      lines[#lines + 1] = { n = n, text = line }
    elseif line:find "^%s*```" then
      language, lines = line:match "^%s*```+%s*(%S*)", {}
    end
  end
end

local SHELL = { [""] = true, sh = true, shell = true, console = true, bash = true }

-- Lines of a block that belong together: what ends in a backslash, or in the middle of quotes, goes on.
local function joined(lines, first)
  local text, last = lines[first].text, first
  local function open()
    local _, single = typed(text):gsub("'", "")
    return text:find "\\$" or single % 2 == 1
  end
  while lines[last + 1] and open() do
    last = last + 1
    text = text:gsub("%s*\\$", "") .. " " .. lines[last].text:gsub("^%s+", "")
  end
  return text, last
end

local function gather(lines, found, wrong)
  local prompt = false
  for _, line in ipairs(lines) do
    prompt = prompt or line.text:find "^%$ " ~= nil
  end
  if not prompt and not (lines[1] and M.is_command(lines[1].text)) then
    return
  end
  local i = 1
  while lines[i] do
    local text, last = lines[i].text, i
    if prompt and text:find "^%$ " then
      text, last = joined(lines, i)
      found[#found + 1] = { n = lines[i].n, text = typed(text:sub(3)) }
    elseif not prompt and text:find "^%S" and not text:find "^#" then
      text, last = joined(lines, i)
      local to = M.is_command(text) and found or wrong
      to[#to + 1] = { n = lines[i].n, text = typed(text) }
    end
    i = last + 1
  end
end

-- The commands of a page's blocks, { n, text }, and lines among them that are none.
function M.shown(text)
  local found, wrong = {}, {}
  each_block(text, function(language, lines)
    if SHELL[language] then gather(lines, found, wrong) end
  end)
  return found, wrong
end

-- `ringdown …` in the middle of prose, as it stands between backticks.
function M.named(prose)
  local found = {}
  for _, line in ipairs(prose) do
    for ticks, code in line.text:gmatch "(`+)(.-)%1" do
      if #ticks == 1 and (code:find "^ringdown %l" or code:find "^build/ringdown %l") then
        found[#found + 1] = { n = line.n, text = code }
      end
    end
  end
  return found
end

return M
