-- SPDX-License-Identifier: Apache-2.0
-- numbers: which country a phone number belongs to, and whether an agent may have it called or texted: never
-- emergency and premium numbers, and only the countries it says. By prefix alone: whether a number exists,
-- only the carrier knows.
--
-- Used when an agent is loaded, and by the first text and the first transfer of a call.
local nearest = require "ringdown.nearest"

local M = {}

-- Country codes of E.164. Where several countries share one, the longer prefixes below tell them apart.
local codes = [[
1 US 7 RU 20 EG 27 ZA 30 GR 31 NL 32 BE 33 FR 34 ES 36 HU 39 IT 40 RO 41 CH 43 AT 44 GB 45 DK 46 SE 47 NO 48 PL 49 DE
51 PE 52 MX 53 CU 54 AR 55 BR 56 CL 57 CO 58 VE 60 MY 61 AU 62 ID 63 PH 64 NZ 65 SG 66 TH 81 JP 82 KR 84 VN 86 CN
90 TR 91 IN 92 PK 93 AF 94 LK 95 MM 98 IR 211 SS 212 MA 213 DZ 216 TN 218 LY 220 GM 221 SN 222 MR 223 ML 224 GN 225 CI
226 BF 227 NE 228 TG 229 BJ 230 MU 231 LR 232 SL 233 GH 234 NG 235 TD 236 CF 237 CM 238 CV 239 ST 240 GQ 241 GA 242 CG
243 CD 244 AO 245 GW 246 IO 248 SC 249 SD 250 RW 251 ET 252 SO 253 DJ 254 KE 255 TZ 256 UG 257 BI 258 MZ 260 ZM 261 MG
262 RE 263 ZW 264 NA 265 MW 266 LS 267 BW 268 SZ 269 KM 290 SH 291 ER 297 AW 298 FO 299 GL 350 GI 351 PT 352 LU 353 IE
354 IS 355 AL 356 MT 357 CY 358 FI 359 BG 370 LT 371 LV 372 EE 373 MD 374 AM 375 BY 376 AD 377 MC 378 SM 380 UA 381 RS
382 ME 383 XK 385 HR 386 SI 387 BA 389 MK 420 CZ 421 SK 423 LI 500 FK 501 BZ 502 GT 503 SV 504 HN 505 NI 506 CR 507 PA
508 PM 509 HT 590 GP 591 BO 592 GY 593 EC 594 GF 595 PY 596 MQ 597 SR 598 UY 599 CW 670 TL 672 NF 673 BN 674 NR 675 PG
676 TO 677 SB 678 VU 679 FJ 680 PW 681 WF 682 CK 683 NU 685 WS 686 KI 687 NC 688 TV 689 PF 690 TK 691 FM 692 MH 850 KP
852 HK 853 MO 855 KH 856 LA 880 BD 886 TW 960 MV 961 LB 962 JO 963 SY 964 IQ 965 KW 966 SA 967 YE 968 OM 970 PS 971 AE
972 IL 973 BH 974 QA 975 BT 976 MN 977 NP 992 TJ 993 TM 994 AZ 995 GE 996 KG 998 UZ
76 KZ 77 KZ 441481 GG 441534 JE 441624 IM]]

-- Area codes of +1 that are not in the United States.
local plus_1 = [[
CA 204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 468 474 506 514 519
CA 537 548 568 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905 942
AG 268 AI 264 AS 684 BB 246 BM 441 BS 242 DM 767 DO 809 829 849 GD 473 GU 671 JM 658 876 KN 869 KY 345 LC 758 MP 670
MS 664 PR 787 939 SX 721 TC 649 TT 868 VC 784 VG 284 VI 340]]

-- Numbers that bring an emergency service; that cost whoever calls or texts them, or are by satellite; and service
-- numbers, where somebody may be reached but nobody reads a text. Lua patterns.
local emergency = { "^%+1911", "^%+1%d%d%d911", "^%+44999", "^%+44112", "^%+49112", "^%+49110", "^%+34112", "^%+33112",
  "^%+39112", "^%+61000" }
local premium = { "^%+1900", "^%+1976", "^%+1%d%d%d976", "^%+449", "^%+4470", "^%+4487", "^%+49137", "^%+49900",
  "^%+3389", "^%+3480[367]", "^%+3490[57]", "^%+3989", "^%+3190[069]", "^%+3290", "^%+4190", "^%+439[03]", "^%+46900",
  "^%+46939", "^%+46944", "^%+6119", "^%+8190", "^%+870", "^%+878", "^%+88[1238]", "^%+979" }
local no_texts = { "^%+1[2-9]11", "^%+1[2-9]%d%d[2-9]11", "^%+1700", "^%+1800", "^%+18([3-8])%1", "^%+4484", "^%+3381",
  "^%+39199", "^%+49180", "^%+3190", "^%+4690", "^%+3531[56]" }

local by_prefix, longest

local function load_tables()
  by_prefix, longest = {}, 0
  for prefix, country in codes:gmatch("(%d+) (%u%u)") do
    by_prefix[prefix] = country
  end
  local country
  for word in plus_1:gmatch("%w+") do
    if word:match("^%u") then
      country = word
    else
      by_prefix["1" .. word] = country
    end
  end
  for prefix in pairs(by_prefix) do
    longest = math.max(longest, #prefix)
  end
end

local function matches_any(number, patterns)
  for _, pattern in ipairs(patterns) do
    if number:find(pattern) then
      return true
    end
  end
  return false
end

---@param number string "+13125550142"
---@return string? country "US"; nil: no country's
function M.country(number)
  if not by_prefix then
    load_tables()
  end
  local digits = tostring(number):match("^%+([1-9]%d+)$") or ""
  if #digits < 7 or #digits > 15 or digits:find("^1") and not digits:find("^1[2-9]%d%d[2-9]%d%d%d%d%d%d$") then
    return nil
  end
  for n = math.min(longest, #digits), 1, -1 do
    local country = by_prefix[digits:sub(1, n)]
    if country then
      return country
    end
  end
end

---Does nobody here ever call this number, whatever its country?
---@param number string
---@return string? why not
function M.never(number)
  if matches_any(number, emergency) then
    return "is an emergency number, and an agent never calls one; callers must dial it themselves"
  elseif matches_any(number, premium) then
    return "is a premium or satellite number, which an agent never calls"
  end
end

---May an agent have this number called?
---@param number string
---@param countries table<string, true>? nil: all
---@return string? why not
function M.refusal(number, countries)
  local never = M.never(number)
  if never then
    return never
  end
  local country = M.country(number)
  if not country then
    return "belongs to no country; write the country code after the +"
  elseif countries and not countries[country] then
    return ('is in %s, where this agent calls nobody; add it to countries = { … "%s" }'):format(country, country)
  end
end

---Does it cost whoever calls it?
---@param number string
---@return boolean
function M.is_premium(number)
  return matches_any(number, premium)
end

---The code of a number's country: "1", "44".
---@param number string
---@return string? digits
function M.code(number)
  if not by_prefix then
    load_tables()
  end
  local digits = tostring(number):match("^%+([1-9]%d+)$") or ""
  for n = 1, math.min(3, #digits) do
    if by_prefix[digits:sub(1, n)] then
      return digits:sub(1, n)
    end
  end
end

---Premium-rate, emergency, toll-free and service numbers are never texted.
---@param number string
---@return boolean
function M.takes_no_texts(number)
  return matches_any(number, emergency) or matches_any(number, premium) or matches_any(number, no_texts)
end

---Every country of a list is one.
---@param countries string[]
---@param path string
---@param complain fun(path: string, text: string)
function M.check_countries(countries, path, complain)
  local known, list = {}, {}
  load_tables()
  for _, country in pairs(by_prefix) do
    if not known[country] then
      known[country] = true
      list[#list + 1] = country
    end
  end
  table.sort(list)
  for i, country in ipairs(countries) do
    if not known[country] then
      complain(path .. "." .. i, ("'%s' is no country known here; %s"):format(country, nearest.hint(country, list)))
    end
  end
end

---Where an agent may call or text.
---@param countries string[]? what it says
---@param own string[] else where these numbers are
---@return table<string, true>? set nil: all countries, without either
function M.allowed(countries, own)
  local set = {}
  for _, country in ipairs(countries or {}) do
    set[country] = true
  end
  if not countries then
    for _, number in ipairs(own) do
      set[M.country(number) or ""] = true
    end
  end
  return (countries or next(set)) and set or nil
end

---What is wrong with a group of people that has no number.
M.NOBODY = 'has no number, so that nobody would be called or texted; give one, like "+13125550101", or leave it out'

---Every number in an agent's people may be called, and none of them is nobody.
---@param def table the agent
---@param complain fun(path: string, text: string)
function M.check_people(def, complain)
  M.check_countries(def.countries or {}, "countries", complain)
  local countries = M.allowed(def.countries, def.numbers)
  for name, list in pairs(def.people) do
    if #list == 0 then
      complain("people." .. name, M.NOBODY)
    end
    for i, number in ipairs(list) do
      local why = number ~= "" and M.refusal(number, countries)
      if why then
        complain(("people.%s.%d"):format(name, i), ("%s %s"):format(number, why))
      end
    end
  end
end

return M
