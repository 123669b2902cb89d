-- SPDX-License-Identifier: Apache-2.0
-- english: what the matcher knows of the language. Every entry is written as text.lua leaves words: lower case, no
-- accents, contractions written out ("can not").
local M = {}

-- Says nothing: may stand anywhere, and is left out of a rule's phrases.
M.light = [[
  a an the of my our his her their your its this that these those some any is are was am be been being were i we it
  he she they you there here to in at d will me us him them which who oh please hello hi hey
]]

-- May stand between the words of a phrase, but counts where a phrase has it.
M.loose = [[
  really very so just like bit little kind sort pretty quite super strong strongly bad badly heavy huge and have has
  had got get getting some all still now right actually maybe probably currently serious severe terrible awful also
  too even from into with natural starting started coming going suddenly weird strange faint slight
]]

-- Keep their place in a phrase: "on fire" is not "fire on".
M.particles = [[on off out up down over under by for can through back away]]

M.fillers = [[um uh uhm umm er erm hmm hm mm mhm ah eh huh]]
M.filler_pairs = { "you know", "i mean", "let us see" }

M.contractions = {
  cannot = "can not", cant = "can not", dont = "do not", wont = "will not", isnt = "is not", arent = "are not",
  wasnt = "was not", werent = "were not", doesnt = "does not", didnt = "did not", hasnt = "has not",
  havent = "have not", hadnt = "had not", couldnt = "could not", wouldnt = "would not", shouldnt = "should not",
  aint = "is not", im = "i am", ive = "i have", theres = "there is", hes = "he is", shes = "she is",
  thats = "that is", whats = "what is", gonna = "going to", gotta = "got to", wanna = "want to", lets = "let us",
  dunno = "do not know", ["can't"] = "can not", ["won't"] = "will not", ["ain't"] = "is not",
  ["shan't"] = "shall not", ["let's"] = "let us",
}

M.numbers = {
  zero = 0, one = 1, two = 2, three = 3, four = 4, five = 5, six = 6, seven = 7, eight = 8, nine = 9, ten = 10,
  eleven = 11, twelve = 12, thirteen = 13, fourteen = 14, fifteen = 15, sixteen = 16, seventeen = 17, eighteen = 18,
  nineteen = 19, twenty = 20, thirty = 30, forty = 40, fifty = 50, sixty = 60, seventy = 70, eighty = 80,
  ninety = 90,
}

-- Word families that endings alone do not bring together, by how their words begin.
M.families = {
  leak = "leak", breath = "breath", bleed = "bleed", smell = "smell", smok = "smok", flood = "flood",
  electr = "electr", electrocut = "electrocut", uncons = "unconscious", swell = "swell", swoll = "swell",
  chok = "chok", suffocat = "suffocat", monox = "monoxide", sewage = "sewag", sewer = "sewer", explo = "explo",
  faint = "faint", ["dizz"] = "dizzy",
}

M.irregular = {
  smokes = "smokes", floodlight = "floodlight", floodlights = "floodlight", electrician = "electrician",
  electricians = "electrician", smoker = "smoker", smokers = "smoker", bled = "bleed", smelt = "smell",
  swole = "swell", burnt = "burn", burst = "burst", bursted = "burst", broke = "break", broken = "break",
  stuck = "stuck", fell = "fall", fallen = "fall", caught = "catch", shook = "shake", shaken = "shake",
  shaking = "shake", sank = "sink", spoke = "speak", came = "come", coming = "come", comes = "come", gone = "go",
  teeth = "tooth", feet = "foot", children = "child", women = "woman", people = "person", men = "man",
  hurts = "hurt", hurting = "hurt", lift = "lift", does = "do", goes = "go", going = "go", ran = "run",
  woke = "wake", woken = "wake", knew = "know", odour = "odor", odours = "odor", odors = "odor", meters = "meter",
  number = "number", gasoline = "gasoline", gasses = "gas", gassy = "gas", outlets = "outlet", sparky = "spark",
  sparking = "spark", passing = "pass", fume = "fumes", fumes = "fumes",
}

-- ── what changes the meaning of the words around it ─────────────────────────────────────────────
M.negators = [[not no never without none nothing neither nor nobody hardly]]

-- These look like a denial and are none.
M.not_denials = {
  "not only", "not just", "not kidding", "not joking", "no kidding", "no joke", "no doubt", "no question",
  "without a doubt", "no idea", "not know", "not stop", "not stopping", "no matter", "not even", "not feel good",
  "not feel well", "not feeling good", "not feeling well", "not going away", "not go away", "no one", "not wait",
  "not believe", "not turn it off", "not shut it off", "not turn off", "not shut off", "not find", "not look good",
  "no way out", "not a drill",
}

-- "No, I smell gas", written down without its comma.
M.after_interjection = [[i we he she it there they my the our this please yes you somebody someone because and is]]

-- Begin a thought of their own.
M.breakers = [[but because however although though so since plus]]
M.joiners = [[and or]]
M.subjects = [[i we he she it there they my the our someone somebody now this that his her]]

M.hypothetical = {
  "if", "in case", "suppose", "supposing", "imagine", "hypothetically", "in the event", "whenever",
}
M.not_hypothetical = { "as if", "if you can", "if you could", "if possible", "even if" }

M.questions = {
  "do you", "does your", "do your", "do they", "do i need", "can you", "could you", "would you", "will you",
  "are you", "have you", "is that", "is this", "is it", "is there", "are there", "how much", "how long", "how do",
  "how often", "how would", "what is", "what does", "what are", "what kind", "who does", "where can", "which",
  "should i", "wonder", "wondering", "curious", "asking about", "ask about", "question about", "information about",
  "interested in", "looking for someone who", "who do i call", "what number", "do i have to", "does it", "could a",
  "does a", "would a", "can a", "can i", "what causes", "how to", "what should i know",
}

-- Questions of customers: words that are only worth a question are not worth one beside these.
M.offers = {
  "do you", "does your", "do they", "how much", "how often", "what do you charge", "what kind", "can i get",
  "can i book", "can i reserve", "can i schedule", "is it included", "are you", "interested in",
  "looking for someone who", "what time",
  "am i allowed", "are we allowed", "is it ok if", "question about", "information about", "who pays",
}

-- Before "is this", "are there": what makes it a question. "There is this smell" is none.
M.question_leads = [[
  and or so ok okay well but please hey hello hi yes no know wondering wonder tell me sure ask asking like if um or
  then also pues y
]]

-- A question that goes on like this tells something all the same: "can you come there is smoke".
M.asserts = {
  "there is", "there are", "i smell", "i have", "we have", "i am", "we are", "my", "it is", "he is", "she is",
  "i think", "we smell", "because", "i can", "they are", "i hear", "i see", "someone is", "somebody is",
}

M.business = [[
  inspection inspections detection certificate certified install installed installing installation quote estimate
  training drill drills class course insurance policy prevention extinguisher schedule scheduled invoice warranty
  cost price prices pricing cover covered coverage advertise advertised advertisement leaflet brochure website
  survey campaign homework
]]

M.past = {
  "last year", "last month", "last week", "last summer", "last winter", "last spring", "last fall", "years ago",
  "year ago", "months ago", "month ago", "weeks ago", "week ago", "back in", "used to", "when i was", "a while ago",
  "a while back", "in the past", "the other year", "previous", "previously", "history of", "ever since",
}
M.fiction = {
  "a movie", "the movie", "on tv", "the news", "a video", "the video", "a dream", "dreamed", "dreamt", "an article",
  "a podcast", "in a book", "a joke",
}
M.over = {
  "fixed", "repaired", "is gone", "are gone", "all gone", "gone now", "gone away", "went away", "has stopped",
  "have stopped", "it stopped", "stopped now", "stopped bleeding", "stopped on its own", "put out", "false alarm",
  "never mind", "nevermind", "resolved", "all clear", "under control", "just kidding", "no wait", "solved",
  "taken care of", "turned out to be", "back to normal", "sorted", "wrong number",
}

-- Heard for one another, where the sound alone is too short to tell. Only ever makes the agent ask.
M.mistaken = {
  leak = "liking lycra league leek lick lake leap lead leaf lease link",
  gas = "guess gaz gust gus gash gasp guest gauze glass gaps cash gast cas gus",
  fire = "fier fyre hire fryer higher flyer far fare fear fair foyer",
  smoke = "smock smog smoker spoke smork stoke",
  breath = "bread breathed bereave beef breeze breve breed bread brief",
  smell = "mel mell small smile sell spell swell", bleed = "bleat plead bead lead breed",
  flood = "flut float fled blood flawed", lift = "live lef lyft left gift",
  stuck = "stuff stuk stack stock struck suck",
  shock = "shop chalk sock choke chuck", tooth = "tube truth", sewage = "suet suede savage sausage",
  chest = "test jest chess",
  throat = "throws trout float throught threat thought", pain = "pane pen", elevator = "alligator escalator",
  trap = "tramp drop wrap strap", co = "seal sea see", spark = "park shark sparkling sparse",
  swell = "well spell dwell sell",
  choking = "joking joke choking chalking", tongue = "tong town ton thong tang tung", heart = "hard",
  collapse = "colas claps",
  outlet = "outlook outlaw omelet", panel = "pedal paddle pencil flannel", hissing = "kissing missing",
  faint = "feint paint", flame = "frame blame", neck = "nick deck", arm = "harm", pressure = "prussia pleasure",
  swallow = "wallow", monoxide = "manoxide minoxide moxide monocle", dizzy = "disney", burning = "burying",
  seizure = "caesar seizer",
}

-- The same, where one word came out as two.
M.mistaken_pairs = {
  water = "what are, what her, watt her, wat er, want her, wart her", breaker = "brake her, break her, bray ker",
  outlet = "out let, out lets, out late, outer let",
  elevator = "elevate her, elevate or, ella vader, l evader, a levator",
  monoxide = "mon oxide, mono side, minor side, mono oxide, man oxide, monocle side, monarch side",
  carbon = "car bon, car ban, car bin, car born, car bun, cab on",
  bleeding = "bleed in, bleed hing, blee ding, bled in",
  swallow = "swap low, swell low, swall oh, swat low",
  breathing = "breath in, breed in, breathe in, breeze in, breath hing",
  breathe = "bree the, be reave", seizure = "see sure, sea sure, see shore, sees your, say sure",
  alarm = "a lamp, a larm, all arm, a lam, alar m",
  unconscious = "on conscious, un conscious, one conscious, and conscious",
  furnace = "fur nose, fur niece, fern ace, for nice", smoke = "some oak, s moke",
  electric = "a lectric, elect trick, a electric",
  allergic = "a leg chic, al ergic, a lurch ick", choking = "show king, joe king, chalk in",
  smell = "is mel, s mell, is mell",
  burning = "burn in, burr ning, born in", swelling = "swell in, swelled in, well in", stuck = "s tuck, is tuck",
  fainted = "fain ted, feint it", collapsed = "call lapsed, colas t, co lapsed",
  leaking = "leek in, leak in, lee king",
  trapped = "trap d, tra pt", detector = "detect or, the tector, detect her", throat = "thro at, through it",
  bathroom = "bath room", basement = "base mint, base men, bass mint", poison = "boy son, poi son",
  dizzy = "diss he, dis he",
  hissing = "his sing, he sing", sparking = "spark in, spar king", flooding = "flood in, flow ding",
  chest = "chess t",
}

-- Words of every day that are what they seem: never taken for a word of a rule that sounds alike.
M.common = [[
  speak parking parked park behind forever someone somebody left website weeks week want wants takes take make makes
  made office hold call called calling caller number name address phone please thank thanks morning afternoon evening
  tonight today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday month months year years
  like know think thing things need needs needed help hear listen look looks looking see saw send sent come came goes
  give gave given tell told talk talked ask asked work works worked working use used find found keep kept leave
  start stop try tried turn turned turns move moved close closed back front next last first second third other
  another each every much many more most less few some any good great nice fine okay old new big small little long
  short same different right wrong early late soon later before after during between under over around where when
  what who why how which while until about because could would should might must can will shall have had been being
  does did done said says say just only also very really maybe perhaps always never sometimes often again still
  already money bill price cost pay paid rent lease key keys door doors bedroom people friend family manager office
  company business customer service appointment schedule cancel insurance dentist doctor plumber tenant landlord
  building street avenue road north south east west city town place here there electrician electricians plumbing
  guest guests guys guy faucet toilet dishwasher furniture paint color blue green black white their hours minutes
  hour minute
]]

return M
