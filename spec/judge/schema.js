// SPDX-License-Identifier: Apache-2.0
// schema.js - the API's published schema as a judge, by ajv (JSON Schema 2020-12).
//
// The schema allows unknown fields nearly everywhere, so it says less than the types do about names, and
// more about values: numbers, lengths, what is required.
import Ajv2020 from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { distinct } from './frames.js';

export const SCHEMA_FILE = 'openai-realtime.schema.json';

// client event type -> name of its definition, read from the definitions themselves
function definitions(schema) {
  const byType = new Map();
  for (const { $ref } of schema.$defs.clientEvent.oneOf) {
    const name = $ref.split('/').pop();
    const type = schema.$defs[name].properties.type;
    for (const value of type.enum ?? [type.const]) byType.set(value, name);
  }
  return byType;
}

// The published `conversation` is oneOf [any string, "auto" or "none"], which refuses the very values it
// names; anyOf is what its authors meant.
function repair(schema) {
  const { conversation } = schema.$defs.RealtimeResponseCreateParams.properties;
  if (!conversation.oneOf) return;
  conversation.anyOf = conversation.oneOf;
  delete conversation.oneOf;
}

export function schemaJudge(folder) {
  const schema = JSON.parse(readFileSync(join(folder, SCHEMA_FILE), 'utf8'));
  repair(schema);
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(schema);
  const whole = ajv.compile({ $ref: `${schema.$id}#/$defs/clientEvent` });
  const byType = definitions(schema);

  // `whole` decides; the definition of the event's own type explains, without the other ten's complaints.
  function complaints({ at, event }) {
    if (whole(event)) return [];
    const name = byType.get(event.type);
    if (!name) return [`${at}: ${event.type}: no client event has this type`];
    const own = ajv.getSchema(`${schema.$id}#/$defs/${name}`);
    own(event);
    const errors = own.errors ?? whole.errors;
    return errors.slice(0, 3).map((e) => `${at}: ${event.type}${e.instancePath}: ${e.message}`);
  }
  const judge = (frames) => distinct(frames).flatMap(complaints);
  Object.defineProperty(judge, 'name', { value: 'schema' });
  return judge;
}
