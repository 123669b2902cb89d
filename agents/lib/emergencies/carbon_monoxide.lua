-- SPDX-License-Identifier: Apache-2.0
-- What a rule listens for: the alarm sounds, or people near a burner feel sick.
local alarms = require "lib.emergencies.concepts.alarms"
local burners = require "lib.emergencies.concepts.burners"
local house = require "lib.emergencies.concepts.house"
local people_out = require "lib.emergencies.concepts.people_out"
local sick = require "lib.emergencies.concepts.sick"
local sounding = require "lib.emergencies.concepts.sounding"

return {
  say = {
    en = "Please get everybody out into fresh air now, and leave the doors open behind you. Once "
      .. "outside, call 911.",
    es = "Salgan todos al aire libre ahora y dejen las puertas abiertas. Una vez fuera, llame al 911.",
  },
  any = { "carbon monoxide poisoning", "carbon monoxide leak", "intoxicado con monóxido", "fuga de monóxido" },
  near = {
    {
      { "monoxide", "carbon monoxide", "co", "c o" },
      { "going off", "went off", "beep", "sound", "ring", "scream", "trigger", "blare", "high", "level", "reading",
        "red", "flash", "sick", "dizzy", "headache", "poison", "ppm", "alert", "shriek", "suena", "sonando", "pita",
        "marca", "intoxicado", "mareado", "disparó", "activó", "chillando" },
      within = 10,
    },
    {
      { "dizzy", "headache", "nauseous", "nausea", "lightheaded", "light headed", "woozy", "throwing up", "vomit",
        "drowsy", "sleepy", "passed out", "feel sick", "felt sick", "feel ill", "head hurts", "got sick",
        "confused", "mareado", "dolor de cabeza", "somnoliento", "ganas de vomitar" },
      { "furnace", "boiler", "heater", "heating", "generator", "fireplace", "exhaust", "flue", "chimney",
        "gas stove", "heat on", "heat came on", "caldera", "calentador", "calefacción", "estufa", "generador",
        "chimenea", "calefactor", "calentón" },
      within = 14,
    },
  },
  ask = {
    "carbon monoxide", "dizzy", "headache", "nauseous", "mareados", "dolor de cabeza", "monoxide", "co alarm",
    "co detector", "everyone has a headache", "we all have headaches", "all feel dizzy", "everyone is dizzy",
    "everybody feels sick", "all mareados", "todos mareados", "todos con dolor de cabeza",
    "carbon dioxide", "dióxido", "parts per million", "ppm", "partes por millón", "woozy", "lightheaded",
    "throwing up", "threw up", "passed out", "faint", "vomiting", "nauseas", "vomitando", "vomitó", "desmayó",
    "nos sentimos mal", "me siento mal", "sentimos raros", "feel sick", "feeling sick",
    "sleepy", "drowsy", "fumes", "exhaust", "soot", "hollín", "head is pounding", "head hurts", "mareo",
    "marea", "duele la cabeza", "cherry red", "detector de carbono",
    "beepy", "queer", "staggering", "drunk", "poorly", "fell asleep and won't", "yellow flame",
    "llama amarilla", "no para de pitar",
    "beep", "beeping", "pitando", "pitido", "chillando",
  },
  ask_near = {
    { { "co", "monoxide", "monóxido" }, sick, within = 20 },
    {
      { "heat", "heater", "furnace", "boiler", "calefacción", "calentador" },
      { "feel", "feels", "feeling", "siento", "sentimos", "siente", "sienten" },
      within = 14,
    },
    { alarms, { "gas", "carbon", "monoxide", "carbono" }, within = 7 },
    {
      { "alarma", "alarm", "detector" },
      { "neighbor", "next door", "nobody answers", "no abre", "al lado", "vecino", "vecina" },
      within = 14,
    },
    {
      { "thing", "something", "machine", "gadget", "box", "cosa", "algo", "cajita", "coso", "bicho" },
      { "beep", "beepy", "blare", "scream", "shriek", "wail", "going off", "went off", "pita", "pitando",
        "chilla", "chillando", "suena" },
      within = 7,
    },
    {
      { "cat", "dog", "cats", "dogs", "bird", "pets", "hamster", "gato", "perro", "pájaro", "mascota" },
      { "sick", "stagger", "wobbly", "limp", "throwing up", "fell over", "drunk", "dead", "passed out", "weird",
        "funny", "sleepy", "enfermo", "raro", "tirado", "vomitó", "tambalea", "dormido", "muerto" },
      within = 10,
    },
    { { "flame", "llama" }, { "yellow", "orange", "lazy", "amarilla", "naranja" }, within = 5 },
    { alarms, sounding, within = 8 },
    { sick, burners, within = 25 },
    { sick, house, within = 16 },
    {
      sick,
      { "we all", "all of us", "everyone", "everybody", "the whole family", "whole family", "my kids",
        "both of us", "the dog", "the cat", "todos", "toda la familia", "los niños", "los tres", "los cuatro",
        "el perro", "la gata" },
      within = 14,
    },
    {
      { "monoxide", "carbon dioxide", "carbon", "co" },
      { "alarm", "detector", "sensor", "alarma", "levels", "high", "leak", "poison" },
      within = 8,
    },
    { people_out, burners, within = 12 },
    { people_out, house, within = 10 },
  },
  unless = {
    "low battery", "battery", "chirp", "batería", "pila",
    "doctor says", "headache to deal", "a headache trying", "what a headache", "smoke alarm battery",
    "detector battery", "sick of", "tired of", "sick day", "sick leave",
    "give me a headache", "gives me a headache", "alarm clock", "alarm code", "burglar alarm", "car alarm",
    "harto de", "cansado de", "dolor de cabeza con", "alarma del carro",
    "washer beeps", "dishwasher beeps", "water softener beeps", "after the beep", "at the beep",
    "answering machine",
  },
}
