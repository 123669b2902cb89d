-- SPDX-License-Identifier: Apache-2.0
-- The thing that people get stuck in; also by what they see in it.
return {
  "elevator", "lift", "elevators", "lifts", "ascensor", "elevador", "montacargas", "cabina", "ascensores",
  "elevadores", "alligator", "escalator", "the box", "metal box", "this box", "this thing", "car", "cab",
  "aparato", "cajón",
}
