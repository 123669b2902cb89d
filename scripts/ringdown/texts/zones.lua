-- SPDX-License-Identifier: Apache-2.0
-- zones: in which time zone somebody with this number probably is. The area codes of North America, elsewhere the
-- country. Where a code or a country spans several zones all that matter are named, and a text waits until it is
-- day in each. A phone that moved tells nothing: nobody can know.
local M = {}

local north_america = {
  ["America/New_York"] = [[ 201 202 203 207 212 215 216 220 223 227 229 231 234 239 240 248 252 260 267 269 272
    276 283 301 302 304 305 313 315 317 321 324 326 329 330 332 336 339 347 351 352 363 380 386 401 404 407 410
    412 413 419 434 436 440 443 445 463 470 472 475 478 484 502 508 513 516 517 518 540 551 561 567 570 571 582
    585 586 603 607 609 610 614 616 617 624 631 640 645 646 656 667 678 679 680 681 686 689 703 704 706 716 717
    718 724 727 728 732 734 740 743 754 757 762 765 770 771 772 774 781 786 802 803 804 810 813 814 821 826 828
    835 838 839 843 845 848 854 856 857 859 860 862 863 864 865 878 904 908 910 912 914 917 919 929 934 937 941
    943 947 948 954 959 973 978 980 984 989 ]],
  ["America/Toronto"] = [[ 226 249 263 289 343 354 365 367 382 387 416 418 428 437 438 450 468 514 519 537 548 568
    579 581 613 647 683 705 742 753 819 873 905 942 ]],
  ["America/Chicago"] = [[ 205 210 214 217 218 219 224 225 228 235 251 254 256 262 274 281 309 312 314 316 318 319
    320 325 327 331 334 337 346 353 361 402 405 409 414 417 430 447 464 469 471 479 483 501 504 507 512 515 531
    534 539 557 563 572 573 580 601 608 612 615 618 621 629 630 636 641 651 659 660 662 682 708 712 713 715 726
    730 731 737 763 769 773 779 806 815 816 817 830 832 847 861 870 872 901 903 913 918 920 924 931 936 938 940
    945 952 956 972 975 979 985 ]],
  ["America/New_York America/Chicago"] = " 270 364 423 448 574 606 812 850 906 930 ",
  ["America/Chicago America/Denver"] = " 308 432 605 620 701 785 ",
  ["America/Denver"] = " 303 307 385 406 435 505 575 719 720 801 915 970 983 ",
  ["America/Denver America/Los_Angeles"] = " 208 458 541 775 986 ",
  ["America/Phoenix"] = " 480 520 602 623 928 ",
  ["America/Los_Angeles"] = [[ 206 209 213 253 279 310 323 341 350 357 360 369 408 415 424 425 442 503 509 510 530
    559 562 564 619 626 628 650 657 661 669 702 707 714 725 738 747 760 805 818 820 831 837 840 858 909 916 925
    949 951 971 ]],
  ["America/Anchorage"] = " 907 ",
  ["Pacific/Honolulu"] = " 808 ",
  ["America/Winnipeg"] = " 204 431 584 ",
  ["America/Regina"] = " 306 474 639 ",
  ["America/Edmonton"] = " 368 403 587 780 825 ",
  ["America/Edmonton America/Vancouver"] = " 236 250 257 672 778 ",
  ["America/Vancouver"] = " 604 ",
  ["America/Toronto America/Winnipeg"] = " 807 ",
  ["America/Iqaluit America/Whitehorse"] = " 867 ",
  ["America/Halifax"] = " 506 782 902 ",
  ["America/St_Johns"] = " 709 879 ",
  ["America/Puerto_Rico"] = [[ 246 264 268 284 340 473 664 721 758 767 784 787 809 829 849 868 869 939 ]],
  ["America/Nassau"] = " 242 649 ",
  ["America/Jamaica"] = " 345 658 876 ",
  ["Atlantic/Bermuda"] = " 441 ",
  ["Pacific/Guam"] = " 670 671 ",
  ["Pacific/Pago_Pago"] = " 684 ",
}

local elsewhere = {
  RU = "Europe/Kaliningrad Asia/Vladivostok", KZ = "Asia/Almaty", EG = "Africa/Cairo", ZA = "Africa/Johannesburg",
  GR = "Europe/Athens", NL = "Europe/Amsterdam", BE = "Europe/Brussels", FR = "Europe/Paris", ES = "Europe/Madrid",
  HU = "Europe/Budapest", IT = "Europe/Rome", RO = "Europe/Bucharest", CH = "Europe/Zurich", AT = "Europe/Vienna",
  GB = "Europe/London", DK = "Europe/Copenhagen", SE = "Europe/Stockholm", NO = "Europe/Oslo", PL = "Europe/Warsaw",
  DE = "Europe/Berlin", PE = "America/Lima", MX = "America/Cancun America/Tijuana", CU = "America/Havana",
  AR = "America/Argentina/Buenos_Aires", BR = "America/Sao_Paulo America/Manaus", CL = "America/Santiago",
  CO = "America/Bogota", VE = "America/Caracas", MY = "Asia/Kuala_Lumpur", AU = "Australia/Sydney Australia/Perth",
  ID = "Asia/Jakarta Asia/Jayapura", PH = "Asia/Manila", NZ = "Pacific/Auckland", SG = "Asia/Singapore",
  TH = "Asia/Bangkok", JP = "Asia/Tokyo", KR = "Asia/Seoul", VN = "Asia/Ho_Chi_Minh", CN = "Asia/Shanghai",
  TR = "Europe/Istanbul", IN = "Asia/Kolkata", PK = "Asia/Karachi", LK = "Asia/Colombo", MA = "Africa/Casablanca",
  DZ = "Africa/Algiers", TN = "Africa/Tunis", GH = "Africa/Accra", NG = "Africa/Lagos", KE = "Africa/Nairobi",
  PT = "Europe/Lisbon", LU = "Europe/Luxembourg", IE = "Europe/Dublin", IS = "Atlantic/Reykjavik", AL = "Europe/Tirane",
  MT = "Europe/Malta", CY = "Asia/Nicosia", FI = "Europe/Helsinki", BG = "Europe/Sofia", LT = "Europe/Vilnius",
  LV = "Europe/Riga", EE = "Europe/Tallinn", MD = "Europe/Chisinau", UA = "Europe/Kyiv", RS = "Europe/Belgrade",
  HR = "Europe/Zagreb", SI = "Europe/Ljubljana", BA = "Europe/Sarajevo", MK = "Europe/Skopje", CZ = "Europe/Prague",
  SK = "Europe/Bratislava", LI = "Europe/Vaduz", BZ = "America/Belize", GT = "America/Guatemala",
  SV = "America/El_Salvador", HN = "America/Tegucigalpa", NI = "America/Managua", CR = "America/Costa_Rica",
  PA = "America/Panama", HT = "America/Port-au-Prince", BO = "America/La_Paz", EC = "America/Guayaquil",
  PY = "America/Asuncion", UY = "America/Montevideo", HK = "Asia/Hong_Kong", MO = "Asia/Macau", TW = "Asia/Taipei",
  BD = "Asia/Dhaka", LB = "Asia/Beirut", JO = "Asia/Amman", KW = "Asia/Kuwait", SA = "Asia/Riyadh", OM = "Asia/Muscat",
  AE = "Asia/Dubai", IL = "Asia/Jerusalem", BH = "Asia/Bahrain", QA = "Asia/Qatar", NP = "Asia/Kathmandu",
  GE = "Asia/Tbilisi", AM = "Asia/Yerevan", AZ = "Asia/Baku",
}

local function split(names)
  local zones = {}
  for name in names:gmatch("%S+") do
    zones[#zones + 1] = name
  end
  return zones
end

---@param number string "+13125550142"
---@return string[]? zones nil when the number does not tell
function M.of(number)
  local area = number:match("^%+1(%d%d%d)%d%d%d%d%d%d%d$")
  if area then
    for names, codes in pairs(north_america) do
      if codes:find("%s" .. area .. "%s") then
        return split(names)
      end
    end
    return nil
  end
  local country = require("ringdown.numbers").country(number)
  local names = country and elsewhere[country]
  return names and split(names) or nil
end

return M
