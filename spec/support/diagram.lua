-- SPDX-License-Identifier: Apache-2.0
-- The schema as a Mermaid diagram: tables, their keys, and who refers to whom, asked from a migrated database.
local pg = require "spec.support.postgres"

local diagram = {}

local BEGIN, END = "<!-- made by scripts/diagram-database -->\n", "<!-- until here -->\n"

local tables_sql = [[
  select c.relname as name, c.relkind = 'p' as partitioned,
    (select count(*) from pg_attribute a where a.attrelid = c.oid and attnum > 0 and not attisdropped) as columns
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    and c.relname <> 'schema_migrations'
  order by 1]]

-- Columns of primary and foreign keys, in the order of the table.
local keys_sql = [[
  select c.relname as name, a.attname as column,
    replace(format_type(a.atttypid, null), ' with time zone', 'tz') as type,
    bool_or(k.contype = 'p') as primary, bool_or(k.contype = 'f') as foreign
  from pg_constraint k join pg_class c on c.oid = k.conrelid
  join pg_attribute a on a.attrelid = c.oid and a.attnum = any(k.conkey)
  where k.contype in ('p', 'f') and c.relnamespace = 'public'::regnamespace and not c.relispartition
  group by c.relname, a.attname, a.attnum, a.atttypid order by c.relname, a.attnum]]

local references_sql = [[
  select f.relname as from_table, t.relname as to_table, string_agg(a.attname, ', ' order by a.attnum) as columns,
    bool_and(a.attnotnull) as required
  from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
  join pg_attribute a on a.attrelid = f.oid and a.attnum = any(k.conkey)
  where k.contype = 'f' and f.relnamespace = 'public'::regnamespace and not f.relispartition
    and not t.relispartition and k.conparentid = 0
  group by k.oid, f.relname, t.relname order by t.relname, f.relname, 3]]

function diagram.make()
  local url = pg.database()
  local lines, keys = { "```mermaid", "erDiagram" }, {}
  for _, key in ipairs(pg.query(url, keys_sql)) do
    local marks = key.primary and (key.foreign and "PK,FK" or "PK") or "FK"
    keys[key.name] = keys[key.name] or {}
    table.insert(keys[key.name], ("        %s %s %s"):format(key.type:gsub("[^%w]", "_"), key.column, marks))
  end
  for _, r in ipairs(pg.query(url, references_sql)) do
    local one = r.required and "||" or "|o"
    lines[#lines + 1] = ('    %s %s--o{ %s : "%s"'):format(r.to_table, one, r.from_table, r.columns)
  end
  for _, t in ipairs(pg.query(url, tables_sql)) do
    lines[#lines + 1] = ("    %s {"):format(t.name)
    for _, key in ipairs(keys[t.name] or {}) do
      lines[#lines + 1] = key
    end
    local kind = t.partitioned and ", a partition per month" or ""
    lines[#lines + 1] = ('        columns all "%d%s"'):format(t.columns, kind)
    lines[#lines + 1] = "    }"
  end
  lines[#lines + 1] = "```"
  return BEGIN .. table.concat(lines, "\n") .. "\n" .. END
end

-- A page with the diagram in its place; nil when the page has no place for it.
function diagram.put(page, text)
  local from = page:find(BEGIN, 1, true)
  local _, to = page:find(END, 1, true)
  return from and to and page:sub(1, from - 1) .. text .. page:sub(to + 1)
end

function diagram.read(path)
  local file = assert(io.open(path))
  local page = file:read "a"
  file:close()
  return page
end

return diagram
