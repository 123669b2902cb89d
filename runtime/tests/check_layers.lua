-- SPDX-License-Identifier: Apache-2.0
-- check_layers.lua - the layer diagram, held against the code. Run from the top of the tree by the
-- ctest "layers". One line per offence, as file:line: reason; exit 1 when there is any.
--
-- What it checks
--   * rd_module() lines of CMakeLists.txt name only modules that stand before them
--   * every #include "folder/..." under runtime/ is allowed by the rd_module() of its folder
--   * neighbours on a shelf (carriers/*, providers/*) never see each other
--   * each system library stays behind the folder that hides it
--   * the doubles share no parser or codec with the product, and the call core sees no I/O
--   * ports/ is shapes only; main.c is only the way into cli/
--   * the first line of every source file says its licence
--   * nothing in the tree points at somebody's own folders
local offences = 0

local function offence(file, line, reason, ...)
  offences = offences + 1
  print(("%s:%d: %s"):format(file, line, reason:format(...)))
end

local function read(path)
  local f = io.open(path, "rb")
  if not f then return nil end
  local text = f:read "a"
  f:close()
  return text
end

local function lines(text)
  local n, at = 0, 1
  return function()
    if at > #text then return nil end
    local stop = text:find("\n", at, true) or #text + 1
    local line = text:sub(at, stop - 1)
    at, n = stop + 1, n + 1
    return n, line
  end
end

local function set(list)
  local s = {}
  for word in list:gmatch "%S+" do s[word] = true end
  return s
end

-- Tracked files and new ones; in a tree without git, everything but what is built.
local function files()
  local list, seen = {}, {}
  local command = "git ls-files -co --exclude-standard 2>/dev/null || "
    .. "find . \\( -name build -o -name node_modules -o -name .git -o -name var \\) -prune -o -type f -print"
  local p = assert(io.popen(command))
  for path in p:lines() do
    path = path:gsub("^%./", "")
    if not seen[path] then
      seen[path] = true
      list[#list + 1] = path
    end
  end
  p:close()
  assert(#list > 0, "no files found; run this from the top of the tree")
  return list
end

-- The diagram -----------------------------------------------------------------------------------

local function read_modules()
  local modules, order = {}, {}
  local text = assert(read "CMakeLists.txt", "no CMakeLists.txt; run this from the top of the tree")
  local at = 1
  while true do
    local start, stop, body = text:find("\nrd_module(%b())", at)
    if not start then break end
    at = stop
    local _, line = text:sub(1, start):gsub("\n", "")
    body = body:sub(2, -2):gsub("#[^\n]*", "")
    local name = body:match "^%s*(%S+)"
    local uses = (body:match "USES%s+(.*)" or ""):gsub("LIBS.*", "")
    local module = { name = name, uses = set(uses), line = line + 1 }
    for used in pairs(module.uses) do
      if not modules[used] then
        offence("CMakeLists.txt", module.line, "%s uses %s, which does not stand before it", name, used)
      end
    end
    if modules[name] then offence("CMakeLists.txt", module.line, "%s is declared twice", name) end
    modules[name] = module
    order[#order + 1] = name
  end
  assert(#order > 0, "CMakeLists.txt has no rd_module() lines")
  return modules
end

-- What a module may never use, whatever CMakeLists.txt says.
local ONLY = {
  call = set "base media ports observe",
  sim = set "base observe io lua",
  base = set "", ports = set "base media", media = set "base",
}

local function check_diagram(modules)
  for name, allowed in pairs(ONLY) do
    local module = modules[name]
    for used in pairs(module and module.uses or {}) do
      if not allowed[used] then offence("CMakeLists.txt", module.line, "%s must never use %s", name, used) end
    end
  end
  for _, pair in ipairs { { "carriers", "providers" }, { "providers", "carriers" } } do
    local module = modules[pair[1]]
    if module and module.uses[pair[2]] then
      offence("CMakeLists.txt", module.line, "%s and %s are neighbours and never see each other", pair[1], pair[2])
    end
  end
end

-- The #include lines ----------------------------------------------------------------------------

local SHELVES = set "carriers providers"

-- pattern of a system header -> the folders it may appear in
local HIDDEN = {
  { "^lua%.h$", "lua agent" }, { "^lauxlib%.h$", "lua agent" }, { "^lualib%.h$", "lua agent" },
  { "^uv%.h$", "io store" }, { "^uv/", "io store" },
  { "^openssl/", "io sim" }, { "^curl/", "io" },
  { "^libpq", "store" }, { "^postgresql/", "store" }, { "^sqlite3", "store" },
  { "^speex", "media sim" },
}
for _, rule in ipairs(HIDDEN) do rule[2] = set(rule[2]) end

local function check_system_header(file, n, folder, header)
  -- A scenario is a Lua file, and reading it is all the doubles do with Lua.
  if file:find "^runtime/sim/scenario" and header:find "^l[a-z]+%.h$" then return end
  for _, rule in ipairs(HIDDEN) do
    if header:find(rule[1]) and not rule[2][folder] then
      local homes = {}
      for home in pairs(rule[2]) do homes[#homes + 1] = home .. "/" end
      table.sort(homes)
      offence(file, n, "<%s> stays behind %s", header, table.concat(homes, " and "))
    end
  end
end

local function check_shelf(file, n, folder, target)
  local mine = file:match("^runtime/" .. folder .. "/([^/]+)/")
  local other = target:match("^" .. folder .. "/([^/]+)/")
  if mine and other and mine ~= other then
    offence(file, n, "%s/%s and %s/%s are neighbours and never see each other", folder, mine, folder, other)
  end
end

local function check_project_header(file, n, modules, folder, target)
  local there = target:match "^([^/]+)/"
  if not there then
    offence(file, n, '"%s": an include path carries its folder', target)
  elseif not modules[there] then
    offence(file, n, '"%s": there is no module %s', target, there)
  elseif there ~= folder and not modules[folder].uses[there] then
    offence(file, n, '"%s": %s does not use %s (rd_module in CMakeLists.txt)', target, folder, there)
  elseif not read("runtime/" .. target) then
    offence(file, n, '"%s": no such file', target)
  elseif folder == "sim" and target == "base/json.h" then
    offence(file, n, '"%s": the doubles share no parser with the product', target)
  elseif SHELVES[folder] then
    check_shelf(file, n, folder, target)
  end
end

local function check_includes(file, text, modules)
  local folder = file:match "^runtime/([^/]+)/"
  if file == "runtime/main.c" then
    modules, folder = setmetatable({ main = { uses = set "cli" } }, { __index = modules }), "main"
  elseif not modules[folder] then
    return offence(file, 1, "%s is no module of CMakeLists.txt", folder or "runtime")
  end
  if folder == "ports" and file:find "%.c$" then offence(file, 1, "ports/ is shapes only, without a .c") end
  for n, line in lines(text) do
    local project, system = line:match '^%s*#%s*include%s+"([^"]+)"', line:match '^%s*#%s*include%s+<([^>]+)>'
    if project then check_project_header(file, n, modules, folder, project) end
    if system then check_system_header(file, n, folder, system) end
  end
end

-- A unit test reaches for its module and for what that module may see.
local function check_test_includes(file, text, modules)
  local module = modules[file:match "^runtime/tests/unit/([^/]+)/" or ""]
  if not module then return end
  for n, line in lines(text) do
    local target = line:match '^%s*#%s*include%s+"([^"]+)"'
    local there = target and target:match "^([^/]+)/"
    if there and modules[there] and there ~= module.name and not module.uses[there] then
      offence(file, n, '"%s": %s does not use %s, so its tests do not either', target, module.name, there)
    end
  end
end

-- Every text ------------------------------------------------------------------------------------

local SOURCE = set "c h lua sql ts tsx mts cts js mjs cjs css sh cmake supp"

local function is_source(file, text)
  local extension = file:match "%.(%w+)$"
  return SOURCE[extension or ""] or file:find "CMakeLists%.txt$" or text:find "^#!"
end

local function check_licence(file, text)
  local first, second = text:match "^([^\n]*)\n?([^\n]*)"
  local line = first:find "^#!" and second or first
  if not line:find("SPDX-License-Identifier: Apache-2.0", 1, true) then
    offence(file, 1, "the first line says SPDX-License-Identifier: Apache-2.0")
  end
end

-- Put together from pieces, so that this file does not offend itself.
local PRIVATE = { "/" .. "work/[%l%.]", "/" .. "farm/[%l%.]", "/tmp/" .. "team" }

local function check_private_paths(file, text)
  for n, line in lines(text) do
    for _, pattern in ipairs(PRIVATE) do
      local found = line:match(pattern .. "[%w/._-]*")
      if found then offence(file, n, "points at somebody's own folder: %s", found) end
    end
  end
end

local modules = read_modules()
check_diagram(modules)
local n_files, n_sources = 0, 0
for _, file in ipairs(files()) do
  local text = read(file)
  if text and not text:sub(1, 4096):find("\0", 1, true) then
    n_files = n_files + 1
    check_private_paths(file, text)
    if is_source(file, text) and not file:find "/corpus/" then
      n_sources = n_sources + 1
      check_licence(file, text)
    end
    if file:find "^runtime/tests/" then
      check_test_includes(file, text, modules)
    elseif file:find "^runtime/.*%.[ch]$" then
      check_includes(file, text, modules)
    end
  end
end
print(("%d files, %d of them sources, %d offences"):format(n_files, n_sources, offences))
os.exit(offences == 0)
