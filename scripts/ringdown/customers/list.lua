-- SPDX-License-Identifier: Apache-2.0
-- customers.list: customers and their visits as people look them up, page by page.
local db = require "ringdown.numbers.db"
local json = require "ringdown.json"

local M = {}

local CUSTOMER = [[jsonb_build_object('id', c.id::text, 'agent', c.agent, 'number', c.number, 'name', c.name,
  'email', c.email, 'notes', c.notes, 'facts', c.facts, 'created_at', c.created_at, 'updated_at', c.updated_at)]]
local VISIT = [[jsonb_build_object('id', a.id::text, 'agent', a.agent, 'site', a.site, 'resource', a.resource,
  'begins', lower(a.during), 'ends', upper(a.during), 'status', a.status, 'service', a.service, 'notes', a.notes,
  'customer', a.customer::text, 'number', c.number, 'name', coalesce(a.name, c.name), 'call', a.call,
  'key', a.idempotency_key, 'created_at', a.created_at, 'updated_at', a.updated_at)]]

local function names(list)
  return list and json.encode(json.array(list)) or false
end

-- Words of a name, each as the beginning of one: "mar gar" finds Maria Garcia. Nil: there are none.
local function words_of(text)
  local words = {}
  for word in text:gmatch "[%w\128-\255]+" do
    words[#words + 1] = "'" .. word .. "':*"
  end
  return words[1] and table.concat(words, " & ") or nil
end

---@param o { agents: string[]?, q: string?, after: string?, limit: integer } q: a number, or how names begin
---@return table[]
function M.page(o)
  local number = o.q and o.q:match "^%+[%d]+$"
  local words = o.q and not number and words_of(o.q)
  if o.q and not number and not words then
    return json.array {}
  end
  return db.ask(([[select coalesce(jsonb_agg(%s order by c.id desc), '[]')::text from (select * from customers c
      where ($1::jsonb is null or agent = any(array(select jsonb_array_elements_text($1::jsonb))))
        and ($2::text is null or number = $2)
        and ($3::text is null or to_tsvector('simple', coalesce(name, '')) @@ to_tsquery('simple', $3))
        and ($4::bigint is null or id < $4::bigint) order by id desc limit $5::integer) c]]):format(CUSTOMER),
    { names(o.agents), number or false, words or false, o.after or false, o.limit })
end

---One, with their visits: those to come, and the last ten.
---@param id string
---@return table?
function M.one(id)
  return db.ask(([[select (%s || jsonb_build_object('version', customer_version(c),
      'visits', (select coalesce(jsonb_agg(%s order by a.during desc),
      '[]') from (select * from appointments where customer = c.id order by during desc limit 50) a)))::text
    from customers c where c.id = $1::bigint]]):format(CUSTOMER, VISIT), { id })
end

---@class ringdown.customers.visits
---@field agents string[]?
---@field site string?
---@field resource string?
---@field status string?
---@field number string? the customer's
---@field since string? begins not before
---@field before string? begins before
---@field after string[]? begins and id
---@field limit integer

---@param o ringdown.customers.visits
---@return table[]
function M.visits(o)
  local after = o.after or {}
  return db.ask(([[select coalesce(jsonb_agg(%s order by lower(a.during), a.id), '[]')::text
      from (select a.* from appointments a left join customers c on c.id = a.customer
        where ($1::jsonb is null or a.agent = any(array(select jsonb_array_elements_text($1::jsonb))))
          and ($2::text is null or a.site = $2) and ($3::text is null or a.resource = $3)
          and ($4::text is null or a.status = $4) and ($5::text is null or c.number = $5)
          and ($6::timestamptz is null or lower(a.during) >= $6::timestamptz)
          and ($7::timestamptz is null or lower(a.during) < $7::timestamptz)
          and ($8::timestamptz is null or (lower(a.during), a.id) > ($8::timestamptz, $9::bigint))
        order by lower(a.during), a.id limit $10::integer) a left join customers c on c.id = a.customer]])
    :format(VISIT),
    { names(o.agents), o.site or false, o.resource or false, o.status or false, o.number or false, o.since or false,
      o.before or false, after[1] or false, after[2] or false, o.limit })
end

---@param id string
---@return table?
function M.visit(id)
  return db.ask(([[select (%s || jsonb_build_object('version', visit_version(a)))::text
    from appointments a left join customers c on c.id = a.customer
    where a.id = $1::bigint]]):format(VISIT), { id })
end

return M
