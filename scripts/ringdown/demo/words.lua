-- SPDX-License-Identifier: Apache-2.0
-- demo.words: what made-up callers want, and what is said then. {name}, {day}, {time} and {zip} are filled in.
--
--   { weight = 30, turns = { "caller says", "agent answers", … }, tools = { [2] = { name, arguments, output } },
--     booked = "service", ends = "reason" }
local M = {}

M.first = { "Maria", "James", "Linda", "Robert", "Aisha", "Wei", "Sofia", "Daniel", "Priya", "Marcus", "Elena", "Tom",
  "Grace", "Omar", "Hannah", "Luis", "Nora", "Kevin", "Fatima", "Paul", "Ines", "Greg", "Yuki", "Carla" }
M.last = { "Garcia", "Johnson", "Kowalski", "Nguyen", "Patel", "Brown", "Rossi", "Kim", "Okafor", "Murphy", "Lopez",
  "Schmidt", "Davis", "Haddad", "Novak", "Wilson", "Chen", "Olsen", "Rivera", "Baker" }

local northside = {
  { weight = 30, booked = "drain", turns = {
    "Hi, my kitchen sink is draining really slowly. Can somebody come out this week?",
    "Of course. Let me see what is free.", "Mornings are best.",
    "I have {day} at {time}. Shall I book that for you?", "Yes please. The name is {name}.",
    "You are booked for {day} at {time}, {name}. I have sent you a text about it. Anything else?", "No, thank you.",
    "Thank you for calling Northside Plumbing. Goodbye." },
    tools = { [2] = { "check_availability", '{"day":"{day}"}', '{"slots":["{time}"]}' },
      [6] = { "book_appointment", '{"day":"{day}","time":"{time}","name":"{name}"}', '{"booked":true}' } } },
  { weight = 10, booked = "water heater", turns = {
    "Good morning. We have no hot water since last night.",
    "I am sorry to hear that. Is there any water on the floor around the heater?", "No, it is dry.",
    "Good. I have {day} at {time}. May I have your name?", "{name}.",
    "Thank you, {name}. Somebody will be there on {day} at {time}.", "Great, bye.", "Goodbye." },
    tools = { [4] = { "check_availability", '{"day":"{day}"}', '{"slots":["{time}"]}' },
      [6] = { "book_appointment", '{"day":"{day}","time":"{time}","name":"{name}"}', '{"booked":true}' } } },
  { weight = 18, turns = { "Are you open on Saturday?", "We are, from nine to twelve. Shall I book a visit?",
    "No, I just wanted to know. Thanks.", "You are welcome. Goodbye." } },
  { weight = 12, turns = { "How much is it to look at a leaking faucet?",
    "A visit is eighty-nine dollars, and the first half hour is in it. Shall I find you a time?",
    "I will think about it.", "Of course. Call us whenever you like." } },
  { weight = 10, turns = { "Hi, when is the plumber going to be here? I am at {zip}.",
    "Let me see who is closest.", "Okay.", "About thirty-five minutes from now." },
    tools = { [2] = { "plumber_eta", '{"zip":"{zip}"}', '{"minutes":35}' } } },
  { weight = 9, transfer = "office", turns = { "I would like to speak with somebody about my invoice.",
    "I will put you through to the office. One moment." } },
  { weight = 8, booked = "drain", turns = { "Buenos días, se me tapó el baño. ¿Pueden venir?",
    "Claro que sí. Un momento, voy a ver qué hay libre.", "Gracias.",
    "Tengo {day} a las {time}. ¿A qué nombre?", "{name}.", "Listo, {name}. Le mandé un mensaje. ¡Hasta luego!" },
    tools = { [4] = { "check_availability", '{"day":"{day}"}', '{"slots":["{time}"]}' },
      [6] = { "book_appointment", '{"day":"{day}","time":"{time}","name":"{name}"}', '{"booked":true}' } } },
  { weight = 5, turns = { "Sorry, wrong number.", "No problem. Goodbye." } },
  { weight = 2, fails = true, turns = { "Hello? I wanted to ask about", "Yes, how can I" } },
}

local dental = {
  { weight = 30, booked = "cleaning", turns = { "Hi, I would like to come in for a cleaning.",
    "Gladly. Dr. Patel has {day} at {time}. Would that do?", "Yes, that works.", "May I have your name?", "{name}.",
    "Thank you, {name}. See you on {day} at {time}." },
    tools = { [2] = { "check_availability", '{"service":"cleaning","day":"{day}"}', '{"slots":["{time}"]}' },
      [6] = { "book_appointment", '{"service":"cleaning","day":"{day}","time":"{time}","name":"{name}"}',
        '{"booked":true}' } } },
  { weight = 18, turns = { "Do you take Delta Dental?",
    "We do. It is in network, and checkups and cleanings are usually covered in full.", "Perfect, thanks.",
    "You are welcome. Goodbye." },
    tools = { [2] = { "insurance_plan", '{"plan":"Delta Dental"}', '{"plan":"Delta Dental","taken":true}' } } },
  { weight = 12, transfer = "front_desk", turns = { "I need to change my appointment and it is complicated.",
    "Let me put you through to the front desk." } },
  { weight = 10, turns = { "What are your hours on Friday?", "On Friday we are here from eight to two.",
    "Okay, thank you.", "You are welcome." } },
  { weight = 4, turns = { "Sorry, I think I dialled the wrong number.", "No problem at all. Goodbye." } },
}

local emergencies = {
  ["northside-plumbing"] = {
    { rule = "gas-leak", severity = "life", words = "I smell gas in my basement",
      say = "Leave the house now and do not touch any switch. I am putting you through to our plumber." },
    { rule = "flood", severity = "urgent", words = "water is pouring through the ceiling",
      say = "Turn off the main valve if you can reach it. I am getting somebody for you." } },
  ["brightsmile-dental"] = {
    { rule = "knocked-out-tooth", severity = "urgent", words = "my son knocked out his tooth",
      say = "Keep the tooth in milk and come in right away. I am calling the dentist." },
    { rule = "bleeding", severity = "life", words = "the bleeding does not stop since the extraction",
      say = "Bite on clean gauze. I am putting you through to the dentist." } },
}

local near = {
  ["northside-plumbing"] = { { "gas-leak", "negated", "no, it does not smell like gas" },
    { "gas-leak", "unless", "the gas bill came and it is too high" },
    { "flood", "unclear", "there was a flood two years ago" } },
  ["brightsmile-dental"] = { { "bleeding", "negated", "it is not bleeding any more" },
    { "swelling", "unless", "the swelling was gone on Monday" } },
}

M.agents = {
  ["northside-plumbing"] = { number = "+13125550100", scenes = northside, greeting =
    "Northside Plumbing, how can I help?", resources = { "truck 1", "truck 2" }, minutes = 60, hours = { 8, 18 },
    on_call = "+13125550188", office = "+13125550101", text = "Northside Plumbing: {service}, {day} at {time}." },
  ["brightsmile-dental"] = { number = "+13125550120", scenes = dental, greeting =
    "Brightsmile Dental, what can I do for you?", resources = { "Dr. Patel", "Dr. Kim" }, minutes = 45,
    hours = { 8, 17 }, on_call = "+13125550177", office = "+13125550121",
    text = "Brightsmile Dental: {service}, {day} at {time}. Call us to change it." },
}
for name, agent in pairs(M.agents) do
  agent.emergencies, agent.near = emergencies[name], near[name]
end

return M
